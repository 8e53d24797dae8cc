/**
 * A generation: one projection, folded by one version of its fold, from one log, into tables of its own. It is
 * immutable and its id is never reused; another fold version, other parameters, another log or another build mean
 * another generation.
 */
import { createHash } from 'node:crypto'
import type { Projection, StateColumn } from '../projections/projection.ts'
import type { TableSpec } from '../stores/state.ts'

export interface Generation {
  /** `events_v1_1f0c9a2b`: also the suffix of its database and the prefix of its state table. */
  readonly id: string
  readonly projection: Projection
  readonly incarnation: string
  /** Undefined: the first of its fold and parameters, which an engine begins with by itself. */
  readonly build?: Build
}

export interface Build {
  /** Tells it from others of the same fold and parameters. */
  readonly name: string
  /** It ends where the log's clock (the running maximum of the records' times in a partition) passes this. */
  readonly untilMs?: number
  /** In each process; without it as fast as it can. */
  readonly recordsPerSecond?: number
}

export function generationOf(projection: Projection, incarnation: string, build?: Build): Generation {
  const { name, foldVersion, parameters = {} } = projection
  const own = Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1))
  // What is as the fold version has it is not said: the ids stay what they were before there were parameters.
  const made = build && { build: build.name, until: build.untilMs ?? null }
  const beside = made === undefined ? (own.length === 0 ? [] : [own]) : [own, made]
  const what = JSON.stringify([name, foldVersion, incarnation, ...beside])
  const nonce = createHash('sha256').update(what).digest('hex').slice(0, 8)
  return { id: `${name}_v${foldVersion}_${nonce}`, projection, incarnation, ...(build && { build }) }
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
