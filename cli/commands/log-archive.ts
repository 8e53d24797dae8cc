/** `playhead log archive`: the log as files that others read, and that it can be made of again. */
import { resolve } from 'node:path'
import { dayStartMs } from '../../log/archive/days.ts'
import { type Verified, verifyArchive } from '../../log/archive/verify.ts'
import { type ArchiveOutcome, writeArchive } from '../../log/archive/write.ts'
import { isTopicName, nearest, TOPICS } from '../../schemas/index.ts'
import { holdingArchive } from '../archive/hold.ts'
import { momentOf } from '../archive/moment.ts'
import { teller } from '../archive/tell.ts'
import { type Args, UsageError } from '../args.ts'
import { type Command, type Io, JSON_FLAG } from '../command.ts'
import { loadConfig } from '../config.ts'
import { humanBytes } from '../disk.ts'
import { openCodec, openLog, openLogAt } from '../engines.ts'
import { untilInterrupted } from '../interrupt.ts'
import { toJson } from '../json.ts'
import { progress } from '../progress.ts'
import type { Config } from '../settings.ts'

const NAME = 'log archive'

export const archive: Command = {
  name: NAME,
  about: `Writes what FOLDER does not have yet: an Avro file for each topic, day and partition, which ClickHouse, DuckDB and
Spark read, and of which \`playhead log restore\` makes the log again, byte for byte. Only days that are over, unless
--partial. Each file is read again before it counts; cut off, it goes on where it was when called again. The log stays
as it is: \`playhead log trim\` removes from it what is archived. Personal data that is sealed stays sealed.`,
  positionals: [{ name: 'FOLDER' }],
  flags: [
    {
      name: 'until',
      value: 'TIME',
      help: 'Only what was received before: a day, or RFC 3339 [the beginning of today]',
    },
    { name: 'topic', value: 'TOPIC', help: 'Only this topic; may be repeated.', many: true },
    { name: 'partial', help: 'The day that is not over, too (up to --until).' },
    { name: 'verify', help: 'Write nothing: read every file again, and hold it against the log as far as that goes.' },
    JSON_FLAG,
  ],
  examples: [
    'playhead log archive /archive',
    'playhead log archive /archive --until 2026-11-01 --topic playback-events',
    'playhead log archive /archive --verify',
  ],
  run: async (args, io) => {
    const { config } = loadConfig(io.env)
    const folder = resolve(args.positional('FOLDER') ?? '')
    if (args.has('verify')) return await verify(config, folder, args, io)
    return await holdingArchive(folder, NAME, () => write(config, folder, args, io))
  },
}

async function write(config: Config, folder: string, args: Args, io: Io): Promise<number> {
  const nowMs = Date.now()
  const until = args.value('until')
  const wantedMs = until === undefined ? Number.POSITIVE_INFINITY : momentOf('until', until, NAME)
  const untilMs = args.has('partial')
    ? Math.min(wantedMs, nowMs + 1)
    : Math.min(dayStartMs(wantedMs), dayStartMs(nowMs))
  const topics = topicsOf(args.values('topic'))
  const codec = await openCodec(config)
  const log = await openLog(config)
  try {
    const shown = progress(io, 'positions', Date.now)
    const outcome = await writeArchive({
      ...{ log, folder, topics, untilMs, nowMs: Date.now, tell: teller(codec), signal: untilInterrupted() },
      progress: shown.show,
    })
    shown.end()
    io.out(args.has('json') ? `${toJson(outcome)}\n` : written(outcome, folder))
    return outcome.complete ? 0 : 1
  } finally {
    await log.close()
  }
}

async function verify(config: Config, folder: string, args: Args, io: Io): Promise<number> {
  const topics = topicsOf(args.values('topic'))
  // Not what is read on in the archive: that would be held against itself.
  const log = await openLogAt(config, config.log)
  try {
    const shown = progress(io, 'records', Date.now)
    const wanted = ({ topic }: { topic: string }) => args.values('topic').length === 0 || topics.includes(topic)
    const verified = await verifyArchive({
      ...{ log, folder, wanted, signal: untilInterrupted(), progress: shown.show },
    })
    shown.end()
    io.out(args.has('json') ? `${toJson(verified, 2)}\n` : found(verified))
    return verified.complete && verified.damaged.length === 0 ? 0 : 1
  } finally {
    await log.close()
  }
}

function topicsOf(given: readonly string[]): readonly string[] {
  for (const topic of given) {
    if (isTopicName(topic)) continue
    const near = nearest(topic, Object.keys(TOPICS))
    const hint = near === undefined ? '' : ` Did you mean ${near}?`
    throw new UsageError(`--topic: there is no "${topic}".${hint}`, NAME)
  }
  return given.length === 0 ? Object.keys(TOPICS) : given
}

function written({ complete, files, records, bytes, before }: ArchiveOutcome, folder: string): string {
  const more = before > 0 ? ` (${before} files were there before)` : ''
  const what = `${records} records, ${files} files, ${humanBytes(bytes)}${more}`
  if (!complete) return `cut off after ${what}\nCall it again to go on.\n`
  if (files === 0) return `nothing to add to ${folder}${more}: days that are over are in it, or there are none\n`
  return `archived: ${what}\n`
}

function found({ complete, files, records, compared, damaged }: Verified): string {
  const lines = damaged.map(({ path, problem }) => `DAMAGED ${path}\n  ${problem}`)
  const word =
    damaged.length > 0 ? `${damaged.length} files are damaged of` : complete ? 'sound:' : 'cut off; so far sound:'
  const live = `${compared} of them also found in the log, the same`
  return `${[...lines, `${word} ${files} files, ${records} records, ${live}`].join('\n')}\n`
}
