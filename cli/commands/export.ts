/** `playhead export views DIR`: the views that stand, as files that others read; called again, it corrects them. */
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Args, UsageError } from '../args.ts'
import type { Command, Io } from '../command.ts'
import { loadConfig } from '../config.ts'
import { type DayRange, dayRange } from '../export/days.ts'
import { replaceFile } from '../export/files.ts'
import { DUMP_FORMATS, type ExportFormat, exportFormat, isWhole } from '../export/formats.ts'
import { openSource } from '../export/open.ts'
import { type ExportOutcome, exportViews } from '../export/run.ts'
import { currentSet, showSet, ViewSet } from '../export/set.ts'
import type { ViewsSource } from '../export/source.ts'
import { untilInterrupted } from '../interrupt.ts'
import { toJson } from '../json.ts'
import { lockDataFolder } from '../lock.ts'
import { progress } from '../progress.ts'

const NAME = 'export views'

export const views: Command = {
  name: NAME,
  about: `Writes a file for each day (UTC) on which views began, below DIR/current: the row of every view, as it stands. Called
again, it writes the days that are new or changed since: late events, corrections, erasures. A file is replaced whole, and
nothing has to be summed by sign: \`SELECT … FROM 'DIR/current/*/*.parquet'\` is right.
Tables that were rebuilt (another definition, another log) make a set of files of their own; DIR/current shows it once it
is complete. Cut off by Ctrl-C or a crash, it goes on where it was when called again.`,
  positionals: [{ name: 'DIR' }],
  flags: [
    { name: 'from', value: 'DAY', help: 'Only days from this one on, such as 2026-11-01.' },
    { name: 'to', value: 'DAY', help: 'Only days up to this one.' },
    { name: 'format', value: 'FORMAT', help: 'parquet, csv or ndjson [parquet]' },
    { name: 'compact', help: 'Write all of it as one file, DIR/views.FORMAT, and nothing else.' },
    { name: 'json', help: 'Print which files were written as JSON: what a loader has to load again.' },
  ],
  examples: ['playhead export views ./lake', 'playhead export views ./lake --from 2026-11-01 --json'],
  run: async (args, io) => {
    const range = dayRange(args.value('from'), args.value('to'), NAME)
    const format = exportFormat(args.value('format'), NAME)
    const dir = resolve(args.positional('DIR') ?? '')
    const { config } = loadConfig(io.env)
    const opened = await openSource(config)
    try {
      if (!(await opened.source.exists())) {
        throw new UsageError('There is no table of views yet: start the consumers (`playhead up`) and try again.', NAME)
      }
      return await underLock(dir, () => run(opened.source, dir, range, format, args, io))
    } finally {
      await opened.close()
    }
  },
}

async function run(
  source: ViewsSource,
  dir: string,
  range: DayRange,
  format: ExportFormat,
  args: Args,
  io: Io,
): Promise<number> {
  const signal = untilInterrupted()
  if (args.has('compact')) return await compact(source, dir, range, format, signal, io)
  const set = await ViewSet.open(dir, source.generation, format, source.columns, NAME)
  const former = currentSet(dir)
  const begun = former !== undefined && former !== source.generation
  if (begun && !args.has('json')) {
    io.out(`The tables were rebuilt since ${former} was written: a new set is made, ${source.generation}.\n`)
  }
  const bar = progress(io, 'rows', Date.now)
  const outcome = await exportViews({ source, set, range, format, signal, progress: bar, nowMs: Date.now })
  const everything = range.from === undefined && range.to === undefined
  const shown = outcome.complete && (everything || !begun)
  if (shown && former !== source.generation) showSet(dir, source.generation)
  if (args.has('json')) {
    io.out(
      `${toJson({ generation: source.generation, folder: set.path, current: currentSet(dir) ?? null, ...outcome })}\n`,
    )
  } else tell(io, outcome, set.path, { begun, shown, former })
  return outcome.complete ? 0 : 1
}

async function compact(
  source: ViewsSource,
  dir: string,
  range: DayRange,
  format: ExportFormat,
  signal: AbortSignal,
  io: Io,
): Promise<number> {
  const path = join(dir, `views.${format}`)
  try {
    const content = await source.dump(range, DUMP_FORMATS[format], signal)
    const bytes = await replaceFile(path, join(dir, '_playhead', 'draft'), content, (draft) => isWhole(draft, format))
    io.out(`wrote ${path} (${bytes} bytes)\n`)
    return 0
  } catch (error) {
    if (!signal.aborted) throw error
    io.out('Cut off: nothing was written.\n')
    return 1
  }
}

function tell(
  io: Io,
  { complete, written, removed, unchanged, rows }: ExportOutcome,
  path: string,
  set: { readonly begun: boolean; readonly shown: boolean; readonly former: string | undefined },
): void {
  const corrected = written.filter((day) => day.corrected).length
  const sum = written.reduce((total, day) => total + day.rows, 0)
  io.out(`${complete ? 'wrote' : 'cut off after'} ${written.length} days (${sum} views) to ${path}\n`)
  if (corrected > 0) io.out(`${corrected} of them were there before and changed since\n`)
  if (removed.length > 0) io.out(`${removed.length} days have no views any more: ${removed.join(', ')}\n`)
  if (complete) io.out(`${unchanged} days were right as they were; ${rows} views in all\n`)
  else io.out('Call it again to go on.\n')
  if (!set.begun) return
  if (set.shown) io.out(`current shows the new set; ${set.former} is as it was: remove it when nobody reads it.\n`)
  else io.out(`current still shows ${set.former}: the new set is not complete (all days, to the end).\n`)
}

/** Two exports to one folder would take each other's files away. */
async function underLock(dir: string, work: () => Promise<number>): Promise<number> {
  mkdirSync(dir, { recursive: true })
  const lock = await lockDataFolder(join(dir, '_playhead'), Date.now)
  if (!lock.ok) {
    const { pid, host } = lock.holder
    throw new UsageError(`Another export writes to ${dir} (process ${pid} on ${host}). Wait for it, or stop it.`, NAME)
  }
  try {
    return await work()
  } finally {
    await lock.release()
  }
}
