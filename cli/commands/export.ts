/** `playhead export views DIR`: the views that stand, as files that others read; called again, it corrects them. */
import { join, resolve } from 'node:path'
import { UsageError } from '../args.ts'
import type { Command, Io } from '../command.ts'
import { loadConfig } from '../config.ts'
import { type DayRange, dayRange } from '../export/days.ts'
import { replaceFile } from '../export/files.ts'
import { DUMP_FORMATS, type ExportFormat, exportFormat, isWhole } from '../export/formats.ts'
import { holdingFolder } from '../export/hold.ts'
import { openSource } from '../export/open.ts'
import { type ExportOutcome, exportViews } from '../export/run.ts'
import type { ViewsSource } from '../export/source.ts'
import { untilInterrupted } from '../interrupt.ts'
import { toJson } from '../json.ts'
import { progress } from '../progress.ts'
import { DEFINITION_FLAG } from '../views-group.ts'

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
    DEFINITION_FLAG,
    { name: 'compact', help: 'Write all of it as one file, DIR/views.FORMAT, and nothing else.' },
    { name: 'json', help: 'Print which files were written as JSON: what a loader has to load again.' },
  ],
  examples: ['playhead export views ./lake', 'playhead export views ./lake --from 2026-11-01 --json'],
  run: async (args, io) => {
    const range = dayRange(args.value('from'), args.value('to'), NAME)
    const format = exportFormat(args.value('format'), NAME)
    const dir = resolve(args.positional('DIR') ?? '')
    const { config } = loadConfig(io.env)
    const { source, close } = await openSource(config, args.value('definition'), NAME)
    try {
      if (!(await source.exists())) {
        throw new UsageError('There is no table of views yet: start the consumers (`playhead up`) and try again.', NAME)
      }
      const signal = untilInterrupted()
      return await holdingFolder(dir, NAME, async () => {
        if (args.has('compact')) return await compact(source, dir, range, format, signal, io)
        const bar = progress(io, 'rows', Date.now)
        const job = { source, dir, range, format, signal, progress: bar, nowMs: Date.now, command: NAME }
        const outcome = await exportViews(job)
        if (args.has('json')) io.out(`${toJson(outcome)}\n`)
        else tell(io, outcome)
        return outcome.complete ? 0 : 1
      })
    } finally {
      await close()
    }
  },
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

function tell(io: Io, outcome: ExportOutcome): void {
  const { complete, written, removed, unchanged, rows, folder, former, generation, shown, frozen } = outcome
  const corrected = written.filter((day) => day.corrected).length
  const sum = written.reduce((total, day) => total + day.rows, 0)
  io.out(`${complete ? 'wrote' : 'cut off after'} ${daysOf(written.length)} (${sum} views) to ${folder}\n`)
  if (corrected > 0) io.out(`of these, there before and changed since: ${daysOf(corrected)}\n`)
  if (removed.length > 0) io.out(`no views any more on ${removed.join(', ')}\n`)
  if (complete) io.out(`right as they were: ${daysOf(unchanged)}; ${rows} views in all\n`)
  else io.out('Call it again to go on.\n')
  if (frozen > 0) io.out(`past the retention of ClickHouse, and left as they are: ${daysOf(frozen)}\n`)
  if (former === undefined || former === generation) return
  io.out(`The tables were rebuilt since ${former} was written: ${generation} is a new set.\n`)
  if (shown) io.out(`current shows it; ${former} is as it was: remove it when nobody reads it.\n`)
  else io.out(`current still shows ${former}: the new set is not complete (all days, to the end).\n`)
}

function daysOf(count: number): string {
  return count === 1 ? '1 day' : `${count} days`
}
