/** Both sides of a migration, opened, and what has to be true of them before anything is done. */
import { chmodSync, constants, copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { EventLog, TopicSpec } from '../../log/log.ts'
import { TOPICS } from '../../schemas/index.ts'
import type { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import type { StateStore } from '../../stores/state.ts'
import type { MovableVault } from '../../stores/vault/movable.ts'
import { UsageError } from '../args.ts'
import { foldersOf, openAnalytics, openLogAt, openMovableVault, openState } from '../engines.ts'
import { toJson } from '../json.ts'
import { keysPath, readKeyFile } from '../keys.ts'
import { openTogether } from '../opened.ts'
import type { Config } from '../settings.ts'
import { tokenSecretPath } from '../token-secret.ts'
import { boundsOfTopics } from './copy.ts'

export interface OpenSide {
  readonly config: Config
  readonly log: EventLog
  readonly state: StateStore
  readonly vault: MovableVault
  /** For people; without passwords. */
  readonly place: string
}

export interface OpenMigration {
  readonly from: OpenSide
  readonly to: OpenSide & { readonly analytics: ClickHouse }
  readonly topics: readonly TopicSpec[]
  /** The same state store and vault on both sides: only the log moves. */
  readonly sameStore: boolean
  close(): Promise<void>
}

export async function openMigration(from: Config, to: Config): Promise<OpenMigration> {
  if (placeOf(from) === placeOf(to)) throw new UsageError(`Both settings name the same log: ${placeOf(from)}.`)
  const sameStore = toJson([from.store, storeFolder(from)]) === toJson([to.store, storeFolder(to)])
  if (from.store.engine === 'embedded') mustHaveLog(from)
  carrySecrets(from, to)
  return await openTogether(async (opened) => {
    const old = {
      ...{ config: from, place: placeOf(from) },
      log: opened.keep(await openLogAt(from, from.log)),
      state: opened.keep(await openState(from)),
      vault: opened.keep(await openMovableVault(from)),
    }
    const admin = to.analytics.engine === 'embedded' ? readKeyFile(keysPath(to)).admin : ''
    const now = {
      ...{ config: to, place: placeOf(to) },
      log: opened.keep(await openLogAt(to, to.log)),
      state: sameStore ? old.state : opened.keep(await openState(to)),
      vault: sameStore ? old.vault : opened.keep(await openMovableVault(to)),
      analytics: opened.keep(openAnalytics(to, admin)),
    }
    if ((await old.log.incarnation()) === (await now.log.incarnation())) {
      throw new UsageError('Both settings name the same log.')
    }
    const topics = (await old.log.topics()).filter(({ topic }) => topic in TOPICS)
    return { from: old, to: now, topics, sameStore }
  })
}

/** A log that lost its beginning can't be folded to the same tables. */
export async function mustBeWhole({ from: { log }, topics }: OpenMigration): Promise<void> {
  const bounds = await boundsOfTopics(log, names(topics))
  const cut = bounds.find(({ start }) => start > 0n)
  if (cut === undefined) return
  const { topic, partition, start } = cut
  throw new UsageError(
    `${topic}/${partition} begins at ${start}: bring back what was archived before it, then call this again.`,
  )
}

/** Makes the topics, with as many partitions: positions of a key's events have to follow one another as they do here. */
export async function mustFit({ to: { log }, topics }: OpenMigration): Promise<void> {
  const made = await log.ensureTopics(topics)
  for (const [i, { topic, partitions }] of topics.entries()) {
    const there = made[i]?.partitions
    if (there === partitions) continue
    throw new UsageError(
      `${topic} has ${there} partitions in the new log and ${partitions} in the old: give a log without it.`,
    )
  }
}

export async function mustBeEmpty({ to, topics, sameStore }: OpenMigration): Promise<void> {
  const held = (await boundsOfTopics(to.log, names(topics))).find(({ end }) => end > 0n)
  if (held !== undefined) {
    throw new UsageError(`${held.topic} of ${to.place} holds records already: give an empty log to migrate to.`)
  }
  if (sameStore) return
  for await (const _ of to.vault.kept()) {
    throw new UsageError('The new state store holds keys of profiles already: give an empty one to migrate to.')
  }
}

export function names(topics: readonly TopicSpec[]): readonly string[] {
  return topics.map(({ topic }) => topic)
}

function placeOf(config: Config): string {
  if (config.log.engine === 'embedded') return foldersOf(config).log
  return `kafka://${config.log.brokers.map(({ host, port }) => `${host}:${port}`).join(',')}`
}

function storeFolder(config: Config): string {
  return config.store.engine === 'embedded' ? foldersOf(config).data : ''
}

function mustHaveLog(config: Config): void {
  const { log, data } = foldersOf(config)
  if (config.log.engine !== 'embedded' || existsSync(log)) return
  throw new UsageError(`There is no log in ${data}: PLAYHEAD_DATA says where the old engine's folder is.`)
}

/** The API's keys and the secret of its tokens go along where the new engine has none: callers notice nothing. */
function carrySecrets(from: Config, to: Config): void {
  const pairs = [
    [keysPath(from), keysPath(to)],
    [tokenSecretPath(from.data), tokenSecretPath(to.data)],
  ] as const
  for (const [ours, theirs] of pairs) {
    if (resolve(ours) === resolve(theirs) || !existsSync(ours) || existsSync(theirs)) continue
    mkdirSync(dirname(theirs), { recursive: true, mode: 0o700 })
    copyFileSync(ours, theirs, constants.COPYFILE_EXCL)
    chmodSync(theirs, 0o600)
  }
}
