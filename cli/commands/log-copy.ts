/**
 * `playhead log copy FROM TO`: moves a log between engines or clusters. Each source partition is copied in order, so
 * the order of each key is kept even where the target has other partition counts. How far it is stands in the target,
 * as the checkpoints of a group named after the source, in the source's positions: a copy that was cut off goes on
 * there. What was appended and not yet checkpointed is appended twice; readers drop the second by its event id.
 */
import type { EventLog, NewRecord, PartitionBounds, Position } from '../../log/log.ts'
import { logAddress } from '../addresses.ts'
import { UsageError } from '../args.ts'
import type { Command, Io } from '../command.ts'
import { loadConfig } from '../config.ts'
import { openLogAt } from '../engines.ts'
import { untilInterrupted } from '../interrupt.ts'
import { toJson } from '../json.ts'
import { CLI_LIMITS } from '../limits.ts'
import { type Progress, progress } from '../progress.ts'
import { idsAt, type Reframer, reframer } from '../reframe.ts'
import type { Config } from '../settings.ts'

const NAME = 'log copy'

export const copy: Command = {
  name: NAME,
  about: `FROM and TO are folders of an embedded log, such as ./data/log, or kafka://host:port addresses (TLS and password
as in PLAYHEAD_LOG_…). Times, keys, headers and the order of each key are kept; positions are new, so tables are
rebuilt from the copy. Cut off, it goes on where it was when called again.`,
  positionals: [{ name: 'FROM' }, { name: 'TO' }],
  flags: [
    { name: 'from-registry', value: 'URL', help: 'Schema registry of FROM, if it has one.' },
    { name: 'to-registry', value: 'URL', help: 'Schema registry of TO, if it has one.' },
    { name: 'append', help: 'Copy although TO holds other records already.' },
    { name: 'json', help: 'Print the outcome as JSON.' },
  ],
  examples: ['playhead log copy ./data/log kafka://broker:9092'],
  run: async (args, io) => {
    const { config } = loadConfig(io.env)
    const frames = reframer(await idsAt(args.value('from-registry')), await idsAt(args.value('to-registry')))
    const from = await openPlace(config, args.positional('FROM') ?? '')
    try {
      const to = await openPlace(config, args.positional('TO') ?? '')
      try {
        const outcome = await copyLog(from, to, {
          frames,
          append: args.has('append'),
          signal: untilInterrupted(),
          progress: progress(io, 'records', Date.now),
        })
        tell(io, outcome, args.has('json'))
        return outcome.complete ? 0 : 1
      } finally {
        await to.close()
      }
    } finally {
      await from.close()
    }
  },
}

export interface CopyOptions {
  readonly frames: Reframer
  readonly append: boolean
  readonly signal: AbortSignal
  readonly progress: Progress
}

export interface CopyOutcome {
  readonly complete: boolean
  readonly copied: bigint
  /** Records that an earlier call had copied. */
  readonly before: bigint
  readonly withoutKey: number
  readonly strangers: number
}

export async function copyLog(from: EventLog, to: EventLog, options: CopyOptions): Promise<CopyOutcome> {
  const group = `playhead.copy.${await from.incarnation()}`
  if ((await to.incarnation()) === (await from.incarnation()))
    throw new UsageError('FROM and TO are the same log.', NAME)
  const topics = await from.topics()
  await to.ensureTopics(topics)
  const bounds = (await Promise.all(topics.map(({ topic }) => from.bounds(topic)))).flat()
  const begun = await beginnings(to, group, bounds, options.append)
  const total = bounds.reduce((sum, b) => sum + (b.end - b.start), 0n)
  const before = bounds.reduce((sum, b) => sum + (startOf(begun, b) - b.start), 0n)
  const counts = { done: before, copied: 0n, withoutKey: 0 }
  for (const b of bounds) {
    await copyPartition(from, to, b, startOf(begun, b), options, group, (records, reached, withoutKey) => {
      counts.copied += BigInt(records)
      counts.withoutKey += withoutKey
      options.progress.show(counts.done + reached, total)
    })
    counts.done += b.end - startOf(begun, b)
  }
  options.progress.end()
  return {
    complete: !options.signal.aborted,
    copied: counts.copied,
    before,
    withoutKey: counts.withoutKey,
    strangers: options.frames.strangers(),
  }
}

async function copyPartition(
  from: EventLog,
  to: EventLog,
  { topic, partition, end }: PartitionBounds,
  start: Position,
  { frames, signal }: CopyOptions,
  group: string,
  done: (records: number, reached: bigint, withoutKey: number) => void,
): Promise<void> {
  let at = start
  while (at < end && !signal.aborted) {
    const { records, next } = await from.read({
      topic,
      partition,
      from: at,
      to: end - 1n,
      bytesMax: CLI_LIMITS.logReadBytesMax,
      recordsMax: CLI_LIMITS.logReadRecordsMax,
      waitMs: 0,
    })
    if (next <= at) throw new Error(`${topic}/${partition} can't be read beyond ${at} of ${end}`)
    const copies = records.map(
      ({ key, value, timestampMs, headers }): NewRecord => ({
        topic,
        key: key ?? '',
        value: frames.reframe(value),
        timestampMs,
        headers,
      }),
    )
    if (copies.length > 0) await to.append(copies)
    await to.mirror(group, [{ topic, partition, next }])
    at = next
    done(copies.length, at - start, records.filter((record) => record.key === null).length)
  }
}

async function beginnings(to: EventLog, group: string, bounds: readonly PartitionBounds[], append: boolean) {
  const known = await to.mirrored(group)
  if (known.length === 0 && !append) {
    for (const topic of new Set(bounds.map((b) => b.topic))) {
      const held = (await to.bounds(topic)).find((b) => b.end > b.start)
      if (held !== undefined) {
        throw new UsageError(
          `TO holds records of ${topic} that are not from this copy; --append copies all the same.`,
          NAME,
        )
      }
    }
  }
  return new Map(known.map(({ topic, partition, next }) => [`${topic}/${partition}`, next]))
}

function startOf(begun: ReadonlyMap<string, Position>, { topic, partition, start }: PartitionBounds): Position {
  const next = begun.get(`${topic}/${partition}`)
  return next === undefined || next < start ? start : next
}

async function openPlace(config: Config, place: string): Promise<EventLog> {
  if (!place.includes('://')) return await openLogAt(config, { engine: 'embedded' }, place)
  const parsed = logAddress(place)
  if (!parsed.ok) throw new UsageError(`An address of a log is a folder, or ${parsed.wanted}.`, NAME)
  return await openLogAt(config, parsed.value)
}

function tell(io: Io, outcome: CopyOutcome, json: boolean): void {
  if (json) {
    io.out(`${toJson(outcome)}\n`)
    return
  }
  const { complete, copied, before, withoutKey, strangers } = outcome
  io.out(
    `${complete ? 'copied' : 'cut off after'} ${copied} records${before > 0n ? `, ${before} were there before` : ''}\n`,
  )
  if (withoutKey > 0) io.out(`${withoutKey} of them had no key: they have the empty key now\n`)
  if (strangers > 0) io.out(`${strangers} of them hold no event of ours: copied as they are\n`)
  if (!complete) io.out('Call it again to go on.\n')
}
