import { StoreRefused } from '../errors.ts'
import type { StateTable, TableSpec } from '../state.ts'
import { liveness } from './catalogue.ts'
import type { Environment } from './environment.ts'
import { TableKeys } from './key.ts'
import { tableReads } from './reads.ts'
import { tableWrites } from './writes.ts'

/** One table as its reads and writes see it. */
export interface OpenTable {
  readonly env: Environment
  readonly spec: TableSpec
  readonly keys: TableKeys
  readonly clock: () => number
  /** Within a write, and at the start of every read: a handle may outlive its table. */
  mustBeLive(): void
}

export function embeddedTable(env: Environment, spec: TableSpec, id: number, clock: () => number): StateTable {
  const isLive = liveness(env, spec.name, id)
  const table: OpenTable = {
    env,
    spec,
    keys: new TableKeys(id, spec),
    clock,
    mustBeLive() {
      if (!isLive()) throw new StoreRefused(`table ${spec.name} was dropped`)
    },
  }
  return { spec, ...tableReads(table), ...tableWrites(table) }
}
