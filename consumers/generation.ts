/**
 * A generation: one projection, folded by one version of its fold, from one log, into tables of its own. It is
 * immutable and its id is never reused; another fold version, other parameters or another log mean another generation.
 */
import { createHash } from 'node:crypto'
import type { Projection, StateColumn } from '../projections/projection.ts'
import type { TableSpec } from '../stores/state.ts'

export interface Generation {
  /** `events_v1_1f0c9a2b`: also the suffix of its database and the prefix of its state table. */
  readonly id: string
  readonly projection: Projection
  readonly incarnation: string
}

export function generationOf(projection: Projection, incarnation: string): Generation {
  const { name, foldVersion, parameters = {} } = projection
  const own = Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1))
  // What is as the fold version has it is not said: the ids stay what they were before there were parameters.
  const what = JSON.stringify([name, foldVersion, incarnation, ...(own.length === 0 ? [] : [own])])
  const nonce = createHash('sha256').update(what).digest('hex').slice(0, 8)
  return { id: `${name}_v${foldVersion}_${nonce}`, projection, incarnation }
}

export function groupOf(generation: Generation): string {
  return `playhead.${generation.id}`
}

/** The state table of a keyed projection's generation, with the runtime's own column behind the projection's. */
export function stateTableOf({ id, projection }: Generation): TableSpec | undefined {
  const shape = projection.keyed?.shape
  if (shape === undefined) return undefined
  const own: StateColumn =
    projection.landings.length > 0
      ? { name: 'row_versions', type: 'blob', comment: 'versions of the analytics rows that stand for this state' }
      : { name: 'rows_version', type: 'long', comment: '-1: no analytics rows stand for this state' }
  return { ...shape, name: `${id}_${shape.name}`.slice(0, 48), columns: [...shape.columns, own] }
}
