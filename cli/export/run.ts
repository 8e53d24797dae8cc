/**
 * An export of views: a file for each day, holding the rows of that day that stand. A run asks ClickHouse for the digest
 * of every day and writes those that are new or no longer what was written: late events, corrections and erasures
 * rewrite their day and no other, so that the files of a set are right without any arithmetic of signs.
 *
 * A day's digest is taken before its rows are read. Rows that come between make the file newer than its note; the next
 * run writes it once more. What can fail: ClickHouse (the run ends, what is written stays noted), the disk, an interrupt.
 */
import type { Progress } from '../progress.ts'
import { type DayRange, within } from './days.ts'
import { DUMP_FORMATS, type ExportFormat } from './formats.ts'
import type { ViewSet } from './set.ts'
import type { ViewsSource } from './source.ts'

export interface ExportJob {
  readonly source: ViewsSource
  readonly set: ViewSet
  readonly range: DayRange
  readonly format: ExportFormat
  readonly signal: AbortSignal
  readonly progress: Progress
  readonly nowMs: () => number
}

export interface WrittenDay {
  readonly day: string
  readonly file: string
  readonly rows: number
  /** There was a file of it before: load it again. */
  readonly corrected: boolean
}

export interface ExportOutcome {
  readonly complete: boolean
  readonly written: readonly WrittenDay[]
  /** Days that have no views any more. */
  readonly removed: readonly string[]
  readonly unchanged: number
  readonly rows: number
}

export async function exportViews(job: ExportJob): Promise<ExportOutcome> {
  const { source, set, range, format, signal, progress } = job
  // Before the digests: what was read through then is in them.
  const readThrough = await source.readThrough()
  const days = await source.days(range)
  const stale = days.filter((day) => !set.holds(day))
  const standing = new Set(days.map(({ day }) => day))
  const removed = Object.keys(set.days).filter((day) => within(range, day) && !standing.has(day))
  for (const day of removed) await set.remove(day)
  const total = BigInt(stale.reduce((sum, { rows }) => sum + rows, 0))
  const written: WrittenDay[] = []
  let done = 0n
  progress.show(done, total)
  for (const day of stale) {
    if (signal.aborted) break
    const corrected = set.days[day.day] !== undefined
    try {
      const content = await source.dump({ from: day.day, to: day.day }, DUMP_FORMATS[format], signal)
      const { file, rows } = await set.put(day, content, new Date(job.nowMs()).toISOString())
      written.push({ day: day.day, file, rows, corrected })
    } catch (error) {
      if (!signal.aborted) throw error
      break
    }
    done += BigInt(day.rows)
    progress.show(done, total)
  }
  progress.end()
  const complete = written.length === stale.length
  const everything = range.from === undefined && range.to === undefined
  if (complete && everything) await set.noteReadThrough(readThrough)
  const rows = days.reduce((sum, day) => sum + day.rows, 0)
  return { complete, written, removed, unchanged: days.length - stale.length, rows }
}
