/**
 * The book of generations as anybody reads it: the states of projection `generations`. It is small (a row a projection)
 * and read whole, by one look-up.
 */
import type { BookRow } from '../projections/generations/row.ts'
import { BOOK_SCOPE, generationsV1, toBookRow } from '../projections/generations/v1.ts'
import type { Projection } from '../projections/projection.ts'
import { STORE_LIMITS } from '../stores/limits.ts'
import type { StateStore } from '../stores/state.ts'
import { generationOf, stateTableOf } from './generation.ts'

export type Book = ReadonlyMap<string, BookRow>

/** Once; who reads it again and again opens it. */
export async function readBook(state: StateStore, incarnation: string): Promise<Book> {
  return await (await openBook(state, incarnation))()
}

export async function openBook(state: StateStore, incarnation: string): Promise<() => Promise<Book>> {
  const generation = generationOf(generationsV1() as Projection, incarnation)
  const table = await state.table(stateTableOf(generation)!)
  return async () => {
    const rows = await table.list({ partition: [BOOK_SCOPE], limit: STORE_LIMITS.listRowsMax })
    return new Map(rows.map(({ key, columns }) => [String(key[1]), toBookRow(key as string[], columns as string[])]))
  }
}
