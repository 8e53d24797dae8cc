import { setImmediate as turn } from 'node:timers/promises'
import { bodyExpiryMs, isExpired, readBody } from '../canonical.ts'
import type { ColumnValue, StateRow, StateTable, TableSpec } from '../state.ts'
import { checkAfter, checkKey, checkListLimit, checkPartition } from '../values.ts'
import { afterPrefix } from './key.ts'
import { EMBEDDED_LIMITS } from './limits.ts'
import { bodyAt } from './rows.ts'
import type { OpenTable } from './table.ts'

export function tableReads(table: OpenTable): Pick<StateTable, 'get' | 'list' | 'scan'> {
  const { env, spec, keys, clock } = table

  function start(): void {
    env.latest()
    table.mustBeLive()
  }

  return {
    async get(wanted) {
      for (const key of wanted) checkKey(spec, key)
      start()
      const nowMs = clock()
      return wanted.map((key) => {
        const value = env.rows.getBinaryFast(keys.encodeShared(key))
        return value && !isExpired(bodyExpiryMs(value, bodyAt), nowMs) ? decode(spec, key, value) : undefined
      })
    },

    async list({ partition, after, limit }) {
      checkListLimit(limit)
      checkPartition(spec, partition)
      if (after) checkAfter(spec, after)
      start()
      const prefix = keys.encode(partition)
      const from = after ? afterPrefix(keys.encode([...partition, ...after])) : prefix
      return readRange(table, from, afterPrefix(prefix), limit).rows
    },

    /** In chunks, each with a snapshot of its own: a long scan must not keep LMDB from using freed pages again. */
    async *scan() {
      const all = keys.encode([])
      for (let from: Buffer | undefined = all; from; ) {
        start()
        const { rows, last } = readRange(table, from, afterPrefix(all), EMBEDDED_LIMITS.chunkRows)
        yield* rows
        from = last && afterPrefix(last)
        await turn()
      }
    },
  }
}

/** The rows between two keys that have not expired, and the last key if `limit` cut them off. */
function readRange(
  { env, spec, keys, clock }: OpenTable,
  start: Buffer,
  end: Buffer,
  limit: number,
): { readonly rows: StateRow[]; readonly last: Buffer | undefined } {
  const nowMs = clock()
  const rows: StateRow[] = []
  for (const { key, value } of env.rows.getRange({ start, end })) {
    if (!isExpired(bodyExpiryMs(value, bodyAt), nowMs)) rows.push(decode(spec, keys.decode(key), value))
    if (rows.length === limit) return { rows, last: key }
  }
  return { rows, last: undefined }
}

function decode(spec: TableSpec, key: readonly ColumnValue[], value: Buffer): StateRow {
  return { key, version: value.readBigInt64BE(0), ...readBody(spec, value, bodyAt, value.length) }
}
