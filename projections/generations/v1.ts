/**
 * Projection `generations`, fold version 1: which generations of each projection there are, and which is read. One small
 * row a projection, all in one partition: whoever reads the book reads it whole.
 *
 * It is the one projection that is never rebuilt beside itself: it says what the others are.
 */
import type { Keyed, Projection, StateCell } from '../projection.ts'
import { type Book, type BookEvent, bookRowOf, foldBook, projectionOf } from './fold.ts'
import type { BookRow } from './row.ts'

export const BOOK_SCOPE = 'all'

const keyed: Keyed<Book> = {
  shape: {
    name: 'book',
    comment: 'Generations of each projection, and which one is read',
    partition: [{ name: 'scope', type: 'text', comment: 'always all' }],
    clustering: [{ name: 'projection', type: 'text' }],
    columns: [{ name: 'book', type: 'text', comment: 'JSON: what was asked for, done and promoted' }],
  },
  key: (event) => {
    const projection = projectionOf(event)
    return projection === undefined ? undefined : [BOOK_SCOPE, projection]
  },
  fold: (book, event) => foldBook(book, event as BookEvent),
  rows: () => [],
  toColumns: (book) => [canonical(book)],
  fromColumns: ([text]) => JSON.parse(text as string) as Book,
}

export function generationsV1(): Projection<Book> {
  return {
    name: 'generations',
    foldVersion: 1,
    topics: ['engine-events'],
    reads: ['GenerationRequested', 'GenerationPromoted', 'OperatorActed'],
    batchMs: 50,
    landings: [],
    keyed,
  }
}

export function toBookRow([, projection]: readonly StateCell[], columns: readonly StateCell[]): BookRow {
  return bookRowOf(String(projection), JSON.parse(columns[0] as string) as Book)
}

/** The same book is the same text, in whatever order its facts came. */
function canonical({ known, promoted }: Book): string {
  return JSON.stringify({ known: inOrder(known), promoted: promoted.map(inOrder) })
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([name, each]) => [name, inOrder(each)]))
}
