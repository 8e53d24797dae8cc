/**
 * An export of views: a file for each day, holding the rows of that day that stand. A run asks ClickHouse for the digest
 * of every day and writes those that are new or no longer what was written: late events, corrections and erasures
 * rewrite their day and no other, so that the files of a set are right without any arithmetic of signs.
 *
 * A day's digest is taken before its rows are read. Rows that come between make the file newer than its note; the next
 * run writes it once more. What can fail: ClickHouse (the run ends, what is written stays noted), the disk, an interrupt.
 */
import type { Progress } from '../progress.ts'
import { type DayRange, notBefore, within } from './days.ts'
import { DUMP_FORMATS, type ExportFormat } from './formats.ts'
import { currentSet, showSet, ViewSet } from './set.ts'
import type { ViewsSource } from './source.ts'

export interface ExportJob {
  readonly source: ViewsSource
  readonly dir: string
  readonly range: DayRange
  readonly format: ExportFormat
  readonly signal: AbortSignal
  readonly progress: Progress
  readonly nowMs: () => number
  /** For messages: `export views`. */
  readonly command: string
}

export interface WrittenDay {
  readonly day: string
  readonly file: string
  readonly rows: number
  /** There was a file of it before: load it again. */
  readonly corrected: boolean
}

export interface ExportOutcome {
  readonly generation: string
  readonly folder: string
  /** The set that `current` showed before; undefined: none. */
  readonly former: string | undefined
  /** `current` shows this run's set. */
  readonly shown: boolean
  /** Every day that was asked for is right. */
  readonly complete: boolean
  readonly written: readonly WrittenDay[]
  /** Days that have no views any more. */
  readonly removed: readonly string[]
  readonly unchanged: number
  readonly rows: number
  /** Days that ClickHouse no longer keeps: their files stay as they are. */
  readonly frozen: number
}

/** The caller holds the folder. */
export async function exportViews(job: ExportJob): Promise<ExportOutcome> {
  const { source, dir, format } = job
  const range = notBefore(job.range, source.keptFrom)
  const { generation } = source
  const set = await ViewSet.open(dir, generation, format, source.columns, job.command)
  const former = currentSet(dir)
  // Before the digests: what was read through then is in them.
  const readThrough = await source.readThrough()
  const days = await source.days(range)
  const stale = days.filter((day) => !set.holds(day))
  const standing = new Set(days.map(({ day }) => day))
  const removed = Object.keys(set.days).filter((day) => within(range, day) && !standing.has(day))
  for (const day of removed) await set.remove(day)
  const written: WrittenDay[] = []
  let done = 0n
  const total = BigInt(stale.reduce((sum, { rows }) => sum + rows, 0))
  job.progress.show(done, total)
  for (const day of stale) {
    const file = await write(job, set, day)
    if (file === undefined) break
    written.push(file)
    done += BigInt(day.rows)
    job.progress.show(done, total)
  }
  job.progress.end()
  const complete = written.length === stale.length
  const everything = job.range.from === undefined && job.range.to === undefined
  if (complete && everything) await set.noteReadThrough(readThrough)
  // A set that is not yet whole must not take the place of one that is.
  const shown = former === generation || (complete && (everything || former === undefined))
  if (shown && former !== generation) showSet(dir, generation)
  const rows = days.reduce((sum, day) => sum + day.rows, 0)
  const unchanged = days.length - stale.length
  const frozen = Object.keys(set.days).filter((day) => source.keptFrom !== undefined && day < source.keptFrom).length
  return { generation, folder: set.path, former, shown, complete, written, removed, unchanged, rows, frozen }
}

/** Undefined: interrupted. */
async function write(
  job: ExportJob,
  set: ViewSet,
  day: Parameters<ViewSet['put']>[0],
): Promise<WrittenDay | undefined> {
  const { source, format, signal } = job
  if (signal.aborted) return undefined
  const corrected = set.days[day.day] !== undefined
  try {
    const content = await source.dump({ from: day.day, to: day.day }, DUMP_FORMATS[format], signal)
    const { file, rows } = await set.put(day, content, new Date(job.nowMs()).toISOString())
    return { day: day.day, file, rows, corrected }
  } catch (error) {
    if (!signal.aborted) throw error
    return undefined
  }
}
