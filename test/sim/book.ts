/** The book of generations as the simulated state store has it, and what is to run by it. */

import { planOf } from '../../cli/generations.ts'
import type { Book } from '../../consumers/book.ts'
import { type Generation, generationOf, stateTableOf } from '../../consumers/generation.ts'
import { generationsV1, toBookRow } from '../../projections/generations/v1.ts'
import type { Projection } from '../../projections/projection.ts'
import { type Engine, INCARNATION, SETTINGS } from './engine.ts'

export function bookOf({ state }: Pick<Engine, 'state'>): Book {
  const { name } = stateTableOf(generationOf(generationsV1() as Projection, INCARNATION))!
  const rows = [...(state.tables.get(name)?.rows.values() ?? [])]
  return new Map(rows.map(({ key, columns }) => [String(key[1]), toBookRow(key as string[], columns as string[])]))
}

export function runningOf(engine: Engine): readonly Generation[] {
  const plans = planOf(SETTINGS, bookOf(engine), INCARNATION)
  const wanted = plans.filter(({ name }) => engine.cast.has(name)).flatMap(({ running }) => running)
  return [...engine.always, ...wanted]
}
