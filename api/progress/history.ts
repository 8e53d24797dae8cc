/** What a profile watched, newest first: pure. A play is told by its start; a cursor is the play that a page ended with. */
import type { ProgressRow } from '../../projections/progress/row.ts'

export interface Watched {
  readonly row: ProgressRow
  readonly startedAtMs: number
  readonly lastAtMs: number
}

export interface Page {
  readonly plays: readonly Watched[]
  /** Where the next page begins; null: there is none. */
  readonly next: string | null
}

interface Cursor {
  readonly startedAtMs: number
  readonly titleId: string
}

export function pageOf(rows: readonly ProgressRow[], after: Cursor | undefined, limit: number): Page {
  const plays = rows
    .flatMap((row) => row.plays.map(({ startedAtMs, lastAtMs }) => ({ row, startedAtMs, lastAtMs })))
    .filter((play) => after === undefined || isAfter(play, after))
    .sort((a, b) => b.startedAtMs - a.startedAtMs || (a.row.titleId < b.row.titleId ? -1 : 1))
  const page = plays.slice(0, limit)
  const last = page.at(-1)
  return { plays: page, next: plays.length > limit && last !== undefined ? cursorOf(last) : null }
}

function isAfter({ startedAtMs, row }: Watched, after: Cursor): boolean {
  return startedAtMs < after.startedAtMs || (startedAtMs === after.startedAtMs && row.titleId > after.titleId)
}

function cursorOf({ startedAtMs, row }: Watched): string {
  return Buffer.from(JSON.stringify([startedAtMs, row.titleId])).toString('base64url')
}

/** Undefined for text that is no cursor of ours. */
export function readCursor(text: string): Cursor | undefined {
  try {
    const [startedAtMs, titleId] = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as unknown[]
    return typeof startedAtMs === 'number' && typeof titleId === 'string' ? { startedAtMs, titleId } : undefined
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined
    throw error
  }
}
