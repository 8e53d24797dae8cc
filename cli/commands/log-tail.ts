/** `playhead log tail`: the events as they come, decoded; on any engine. */
import { setMaxListeners } from 'node:events'
import type { EventLog, LogRecord, Position, TopicPartition } from '../../log/log.ts'
import { EVENT_TYPES, type EventCodec, isEventType, isTopicName, nearest, TOPICS } from '../../schemas/index.ts'
import { type Args, UsageError } from '../args.ts'
import type { Command, Io } from '../command.ts'
import { loadConfig } from '../config.ts'
import { openCodec, openLog } from '../engines.ts'
import { untilInterrupted } from '../interrupt.ts'
import { toJson } from '../json.ts'
import { CLI_LIMITS } from '../limits.ts'

const NAME = 'log tail'

export const tail: Command = {
  name: NAME,
  about: `Follows the log until Ctrl-C. Records of one key come in order; partitions come side by side.
A record that can't be decoded is shown with the reason and its bytes.`,
  flags: [
    { name: 'topic', value: 'TOPIC', help: 'Only this topic; may be repeated.', many: true },
    { name: 'partition', value: 'N', help: 'Only this partition.' },
    { name: 'key', value: 'KEY', help: 'Only this key.' },
    { name: 'type', value: 'TYPE', help: 'Only this type of event; may be repeated.', many: true },
    { name: 'from', value: 'WHERE', help: 'start, end or a position [end]' },
    { name: 'count', value: 'N', help: 'End after N records.' },
    { name: 'no-follow', help: 'End at the end of the log.' },
    { name: 'raw', help: 'The bytes as base64, not decoded.' },
    { name: 'json', help: 'One JSON object for each record.' },
  ],
  examples: [
    'playhead log tail --from start --type PlaybackStarted',
    'playhead log tail --json --count 10 | jq .event',
  ],
  run: async (args, io) => {
    const wanted = readFilter(args)
    const { config } = loadConfig(io.env)
    const [log, codec] = [await openLog(config), await openCodec(config)]
    try {
      await follow(log, codec, wanted, args, io)
      return 0
    } finally {
      await log.close()
    }
  },
}

interface Filter {
  readonly topics: readonly string[]
  readonly partition: number | undefined
  readonly key: string | undefined
  readonly types: readonly string[]
  readonly from: 'start' | 'end' | bigint
  readonly countMax: number
}

function readFilter(args: Args): Filter {
  const topics = args.values('topic')
  for (const topic of topics) if (!isTopicName(topic)) throw wrongWord('topic', topic, Object.keys(TOPICS))
  const types = args.values('type')
  for (const type of types) if (!isEventType(type)) throw wrongWord('type', type, EVENT_TYPES)
  const from = args.value('from') ?? 'end'
  if (from !== 'start' && from !== 'end' && !/^\d{1,19}$/.test(from)) throw wrongWord('from', from, ['start', 'end'])
  return {
    topics: topics.length === 0 ? Object.keys(TOPICS) : topics,
    partition: args.has('partition') ? args.integer('partition', 0) : undefined,
    key: args.value('key'),
    types,
    from: from === 'start' || from === 'end' ? from : BigInt(from),
    countMax: args.integer('count', Number.MAX_SAFE_INTEGER),
  }
}

function wrongWord(flag: string, word: string, words: readonly string[]): UsageError {
  const near = nearest(word, words)
  return new UsageError(`--${flag}: there is no "${word}".${near === undefined ? '' : ` Did you mean ${near}?`}`, NAME)
}

async function follow(log: EventLog, codec: EventCodec, wanted: Filter, args: Args, io: Io): Promise<void> {
  const enough = new AbortController()
  const signal = AbortSignal.any([untilInterrupted(), enough.signal])
  // Every partition's read listens to it; the default of ten is for leaks.
  setMaxListeners(0, signal)
  let left = wanted.countMax
  const show = async (place: TopicPartition, record: LogRecord): Promise<void> => {
    if (left <= 0 || (wanted.key !== undefined && record.key !== wanted.key)) return
    const decoded = await decode(codec, record.value)
    if (wanted.types.length > 0 && !(decoded.ok && wanted.types.includes(decoded.event.type))) return
    const line = args.has('json')
      ? jsonLine(place, record, decoded, args.has('raw'))
      : textLine(place, record, decoded, args.has('raw'))
    io.out(`${line}\n`)
    left -= 1
    if (left <= 0) enough.abort()
  }
  const bounds = (await Promise.all(wanted.topics.map((topic) => log.bounds(topic)))).flat()
  const chosen = bounds.filter((b) => wanted.partition === undefined || b.partition === wanted.partition)
  await Promise.all(
    chosen.map(async (b) => {
      let from: Position =
        wanted.from === 'end' ? b.end : wanted.from === 'start' || wanted.from < b.start ? b.start : wanted.from
      while (!signal.aborted && !(args.has('no-follow') && from >= b.end)) {
        const { records, next } = await log.read({
          topic: b.topic,
          partition: b.partition,
          from,
          bytesMax: CLI_LIMITS.logReadBytesMax,
          recordsMax: CLI_LIMITS.logReadRecordsMax,
          waitMs: CLI_LIMITS.logTailWaitMs,
          signal,
        })
        for (const record of records) await show(b, record)
        from = next
      }
    }),
  )
}

type Decoded = ReturnType<EventCodec['decode']>

async function decode(codec: EventCodec, value: Buffer): Promise<Decoded> {
  const decoded = codec.decode(value)
  if (decoded.ok || decoded.cause !== 'unknown-schema' || decoded.schemaId === undefined) return decoded
  return (await codec.learn(decoded.schemaId)) ? codec.decode(value) : decoded
}

function jsonLine(place: TopicPartition, record: LogRecord, decoded: Decoded, raw: boolean): string {
  const { topic, partition } = place
  const { position, timestampMs, key, headers, value } = record
  const bytes = { value: value.toString('base64') }
  const what = raw ? bytes : decoded.ok ? { event: decoded.event } : { undecodable: decoded.detail, ...bytes }
  return toJson({ topic, partition, position, timestampMs, key, headers, schemaId: decoded.schemaId, ...what })
}

function textLine({ topic, partition }: TopicPartition, record: LogRecord, decoded: Decoded, raw: boolean): string {
  const place = `${new Date(record.timestampMs).toISOString()} ${topic}/${partition}@${record.position}`
  if (raw) return `${place} ${record.key ?? '–'} ${record.value.toString('base64')}`
  if (!decoded.ok)
    return `${place} ${record.key ?? '–'} UNDECODABLE ${decoded.detail} ${record.value.toString('base64')}`
  const { type, meta: _meta, ...fields } = decoded.event
  const said = Object.entries(fields).filter(([, value]) => value !== null && !isEmpty(value))
  return `${place} ${type} ${said.map(([name, value]) => `${name}=${typeof value === 'object' ? toJson(value) : value}`).join(' ')}`
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
