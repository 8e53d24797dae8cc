/**
 * What every engine of the state store must do. An engine's own test file calls `stateContract` with a way to open it.
 *
 * Tests of one engine share one backend and keep apart by table names and generations of their own.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { StateStore, StateTable, TableSpec } from '../../stores/state.ts'
import { commitContract } from './state-contract-commits.ts'
import { rowContract } from './state-contract-rows.ts'
import { specContract } from './state-contract-specs.ts'

export interface StateBackend {
  /** Another handle on the same data, as another process would have. */
  open(clock: () => number): Promise<StateStore>
  close(): Promise<void>
}

export interface StateSuite {
  readonly first: StateStore
  readonly second: StateStore
  /** Both handles' clock; a test moves it only forward, and only for rows of its own. */
  readonly clock: { nowMs: number }
  readonly propertyRuns: number
  /** A table of its own for one test. */
  table(spec?: Partial<TableSpec>): Promise<StateTable>
}

export const person: TableSpec = {
  name: 'replaced',
  comment: 'Where somebody is in a title',
  partition: [{ name: 'profile_id', type: 'text' }],
  clustering: [{ name: 'title_id', type: 'text' }],
  columns: [
    { name: 'position_ms', type: 'long' },
    { name: 'note', type: 'text' },
  ],
}

export function uniqueName(): string {
  return `t_${randomUUID().replaceAll('-', '')}`
}

export async function collect<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const row of rows) all.push(row)
  return all
}

export function stateContract(
  name: string,
  make: () => Promise<StateBackend>,
  options: { readonly propertyRuns?: number } = {},
): void {
  describe(`state store: ${name}`, () => {
    let backend: StateBackend
    let opened: { first: StateStore; second: StateStore }
    const clock = { nowMs: Date.now() }
    const suite: StateSuite = {
      get first() {
        return opened.first
      },
      get second() {
        return opened.second
      },
      clock,
      propertyRuns: options.propertyRuns ?? 100,
      table: (spec) => opened.first.table({ ...person, name: uniqueName(), ...spec }),
    }

    before(async () => {
      backend = await make()
      opened = { first: await backend.open(() => clock.nowMs), second: await backend.open(() => clock.nowMs) }
    })
    after(async () => {
      await opened?.first.close()
      await opened?.second.close()
      await backend?.close()
    })

    rowContract(suite)
    specContract(suite)
    commitContract(suite)

    test('close may be called twice, and refuses what comes after', async () => {
      const store = await backend.open(Date.now)
      const table = await store.table({ ...person, name: uniqueName() })
      await store.ping()
      await store.close()
      await store.close()
      await assert.rejects(table.get([['p', 't']]), { code: 'STORE_REFUSED', message: /closed/ })
      await assert.rejects(store.ping(), { code: 'STORE_REFUSED' })
    })
  })
}
