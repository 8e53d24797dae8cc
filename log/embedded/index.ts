/**
 * The embedded engine of the event log: a folder, shared by all processes of one machine.
 *
 *   environment.ts  the folder's LMDB, its tables, its failures     topics.ts       which topics there are
 *   appender.ts     group commit                                    reader.ts       reads, and waiting for more
 *   batch.ts        the stored bytes                                wake.ts         the bell between processes
 *   trim.ts         removing what is archived                       restore.ts      filling an empty log, positions kept
 *   group-state.ts  the rule of a group (pure)                      membership.ts   one member of a group
 */
import { randomUUID } from 'node:crypto'
import { LogError, LogRefused, LogUnavailable } from '../errors.ts'
import type { EventLog, GroupListener, Membership } from '../log.ts'
import { Appender } from './appender.ts'
import { acquire, type Environment, release } from './environment.ts'
import { thisProcess } from './identity.ts'
import { EMBEDDED_LIMITS } from './limits.ts'
import { EmbeddedMembership } from './membership.ts'
import { mirror, mirrored } from './mirrors.ts'
import { Reader } from './reader.ts'
import { Topics } from './topics.ts'
import { FORMAT, TRIMMED_FORMAT, trim } from './trim.ts'
import type { Warn } from './wake.ts'

export interface EmbeddedLogOptions {
  /** The log's folder; made if it is missing. */
  readonly dir: string
  /** For leases: milliseconds, the same clock in every process on this log. */
  readonly clock?: () => number
  readonly newId?: () => string
  /** Troubles that are no caller's: a failing heartbeat, a drain beyond patience. */
  readonly warn?: Warn
}

/** What this program can read; a folder says what it holds. */
const FORMATS: readonly (string | undefined)[] = [FORMAT, TRIMMED_FORMAT]

export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EventLog> {
  const { dir, clock = Date.now, newId = randomUUID, warn = emitWarning } = options
  const environment = await acquire(dir, warn)
  try {
    const incarnation = await identify(environment, newId)
    return assemble({ environment, incarnation, clock, newId, warn })
  } catch (error) {
    await release(environment)
    throw error
  }
}

interface Parts {
  readonly environment: Environment
  readonly incarnation: string
  readonly clock: () => number
  readonly newId: () => string
  readonly warn: Warn
}

function assemble({ environment, incarnation, clock, newId, warn }: Parts): EventLog {
  const topics = new Topics(environment)
  const appender = new Appender(environment, topics)
  const reader = new Reader(environment, topics)
  const identity = thisProcess()
  const memberships = new Set<Membership>()
  const around = {
    environment,
    identity,
    clock,
    warn,
    partitionsOf: (names: readonly string[]) => topics.partitionsOf(names),
  }
  let closing: Promise<void> | undefined

  async function join(group: string, names: readonly string[], listener: GroupListener): Promise<Membership> {
    checkGroup(group)
    topics.partitionsOf(names)
    const membership = new EmbeddedMembership(
      { group, memberId: newId(), topics: [...new Set(names)], listener },
      around,
    )
    memberships.add(membership)
    return {
      memberId: membership.memberId,
      assigned: () => membership.assigned(),
      leave: () => membership.leave().finally(() => memberships.delete(membership)),
    }
  }

  async function close(): Promise<void> {
    reader.close()
    await Promise.all([appender.drained(), ...[...memberships].map((m) => m.leave())])
    await release(environment)
  }

  /** Async, so that a refusal is a rejection and never a throw. */
  const whileOpen =
    <A extends readonly unknown[], R>(action: (...args: A) => R | Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (closing !== undefined) throw closed()
      return action(...args)
    }

  return {
    engine: 'embedded',
    incarnation: whileOpen(() => incarnation),
    ensureTopics: whileOpen((specs) => topics.ensure(specs)),
    topics: whileOpen(() => topics.all()),
    append: (records) => (closing === undefined ? appender.append(records) : Promise.reject(closed())),
    read: whileOpen((request) => reader.read(request)),
    bounds: whileOpen((topic) => reader.bounds(topic)),
    trim: whileOpen((place, before) => trim(environment, topics, place, before)),
    join: whileOpen(join),
    mirror: whileOpen((group, checkpoints) => mirror(environment, group, checkpoints)),
    mirrored: whileOpen((group) => mirrored(environment, group)),
    close() {
      closing ??= close()
      return closing
    },
  }
}

function closed(): LogUnavailable {
  return new LogUnavailable('this log has been closed')
}

/** The log's incarnation, made by whoever opens the folder first. */
export async function identify(environment: Environment, newId: () => string): Promise<string> {
  const { meta } = environment
  environment.latest()
  if (meta.get('incarnation') === undefined) {
    await environment.write('making a log', () => {
      if (meta.get('incarnation') !== undefined) return
      meta.putSync('format', FORMAT)
      meta.putSync('incarnation', newId())
    })
  }
  const format = meta.get('format')
  if (!FORMATS.includes(format)) {
    const known = FORMATS.join(' and ')
    throw new LogError('LOG_FORMAT', `${environment.path} is a log of format ${format}, this program reads ${known}`)
  }
  return meta.get('incarnation')!
}

function checkGroup(group: string): void {
  const bytes = Buffer.byteLength(group)
  if (bytes > 0 && bytes <= EMBEDDED_LIMITS.nameBytesMax) return
  throw new LogRefused(
    `a group's name has 1 to ${EMBEDDED_LIMITS.nameBytesMax} bytes (nameBytesMax), "${group}" has ${bytes}`,
  )
}

function emitWarning(message: string, error: unknown): void {
  process.emitWarning(error === undefined ? message : `${message}: ${String(error)}`, 'PlayheadLog')
}
