/** `playhead log trim`: removes from the log what is archived. */
import { resolve } from 'node:path'
import { readBook } from '../../consumers/book.ts'
import type { EventLog } from '../../log/log.ts'
import type { StateStore } from '../../stores/state.ts'
import { holdingArchive } from '../archive/hold.ts'
import { momentOf } from '../archive/moment.ts'
import { type Folded, type Trimmed, trimLog } from '../archive/trim.ts'
import { type Args, UsageError } from '../args.ts'
import { type Command, type Io, JSON_FLAG, table } from '../command.ts'
import { loadConfig } from '../config.ts'
import { openLogAt, openState } from '../engines.ts'
import { runningOf } from '../generations.ts'
import { untilInterrupted } from '../interrupt.ts'
import { toJson } from '../json.ts'
import { openTogether } from '../opened.ts'
import { progress } from '../progress.ts'
import type { Config } from '../settings.ts'

const NAME = 'log trim'

export const trim: Command = {
  name: NAME,
  about: `Removes what was received before a moment from the live log, for good: whole files of the archive in FOLDER, and
nothing else. It is refused if a record of that time is in no file, if a file is not sound or not what the log has, or
if a generation that runs has not folded so far. FOLDER has to be what PLAYHEAD_ARCHIVE names, for every role: rebuilds,
exports of a profile and what tells duplicates apart read on there.`,
  positionals: [{ name: 'FOLDER' }],
  flags: [
    { name: 'before', value: 'TIME', help: 'A day (its beginning, UTC), or RFC 3339. Needed.' },
    { name: 'dry-run', help: 'Check everything, say what would go, remove nothing.' },
    JSON_FLAG,
  ],
  examples: ['PLAYHEAD_ARCHIVE=/archive playhead log trim /archive --before 2026-10-01'],
  run: async (args, io) => {
    const { config } = loadConfig(io.env)
    const folder = resolve(args.positional('FOLDER') ?? '')
    const before = args.value('before')
    if (before === undefined) throw new UsageError('--before says up to when: --before 2026-10-01', NAME)
    if (config.archive === undefined || resolve(config.archive) !== folder) {
      const set = `Set PLAYHEAD_ARCHIVE to ${folder} for every role first`
      throw new UsageError(`${set}: without it nobody can read what is trimmed, and a rebuild is refused.`, NAME)
    }
    return await holdingArchive(folder, NAME, () => run(config, folder, momentOf('before', before, NAME), args, io))
  },
}

async function run(config: Config, folder: string, beforeMs: number, args: Args, io: Io): Promise<number> {
  const engines = await openTogether(async (opened) => {
    const log = opened.keep(await openLogAt(config, config.log))
    return { log, state: opened.keep(await openState(config)) }
  })
  try {
    const { log, state } = engines
    const shown = progress(io, 'records verified', Date.now)
    const signal = untilInterrupted()
    const dryRun = args.has('dry-run')
    const folded = () => foldedBy(config, log, state)
    const trimmed = await trimLog({
      ...{ log, folder, beforeMs, folded, dryRun, signal, command: NAME },
      progress: shown.show,
    })
    shown.end()
    if (signal.aborted) io.err('Stopped before anything was removed.\n')
    else io.out(args.has('json') ? `${toJson(trimmed, 2)}\n` : words(trimmed, dryRun))
    return signal.aborted ? 1 : 0
  } finally {
    await engines.close()
  }
}

/** A partition that a generation has no record of was not begun. */
async function foldedBy(config: Config, log: EventLog, state: StateStore): Promise<readonly Folded[]> {
  const incarnation = await log.incarnation()
  const running = runningOf(config, await readBook(state, incarnation), incarnation)
  const specs = await log.topics()
  const all = running.map(async ({ id, projection }) => {
    const records = new Map(
      (await state.commits.list(id)).map((c) => [`${c.topic}/${c.partition}`, c.record.checkpoint]),
    )
    return specs
      .filter(({ topic }) => projection.topics.some((own) => own === topic))
      .flatMap(({ topic, partitions }) =>
        Array.from({ length: partitions }, (_, partition) => ({
          ...{ generation: id, topic, partition },
          checkpoint: records.get(`${topic}/${partition}`) ?? 0n,
        })),
      )
  })
  return (await Promise.all(all)).flat()
}

function words(trimmed: readonly Trimmed[], dryRun: boolean): string {
  if (trimmed.length === 0) return 'nothing to remove: no whole file of the archive is before that\n'
  const rows = trimmed.map(({ topic, partition, start, to }) => [topic, `${partition}`, `${start}`, `${to}`])
  const total = trimmed.reduce((sum, { start, to }) => sum + (to - start), 0n)
  const done = dryRun ? 'would be removed' : 'removed'
  return `${table(['TOPIC', 'PARTITION', 'FROM', 'STARTS NOW AT'], rows)}\n${done}: ${total} positions\n`
}
