import { setImmediate as turn } from 'node:timers/promises'
import { ByteWriter } from '../bytes.ts'
import { bodyExpiryMs, isExpired, readBody, writeBody } from '../canonical.ts'
import { StoreRefused } from '../errors.ts'
import type { ColumnValue, StateRow, StateTable, TableSpec } from '../state.ts'
import { checkAfter, checkKey, checkListLimit, checkPartition, checkRow, checkUpsertSize } from '../values.ts'
import { findTable } from './catalogue.ts'
import type { Environment } from './environment.ts'
import { afterPrefix, TableKeys } from './key.ts'
import { EMBEDDED_LIMITS } from './limits.ts'
import { bodyAt, erasedVersion, markErased, putRow, removeRow, sweep } from './rows.ts'

const shared = new ByteWriter()

export function embeddedTable(env: Environment, spec: TableSpec, id: number, clock: () => number): StateTable {
  const keys = new TableKeys(id, spec)
  const partitionColumns = spec.partition.length
  const tableStart = keys.encode([])
  const tableEnd = afterPrefix(tableStart)
  let sweepAtMs = 0

  function mustBeLive(): void {
    if (findTable(env, spec.name)?.id !== id) throw new StoreRefused(`table ${spec.name} was dropped`)
  }

  function startReading(): void {
    env.latest()
    mustBeLive()
  }

  function decode(key: readonly ColumnValue[], value: Buffer, end: number): StateRow {
    return { key, version: value.readBigInt64BE(0), ...readBody(spec, value, bodyAt, end) }
  }

  function sweepNowAndThen(): void {
    const nowMs = clock()
    if (nowMs < sweepAtMs) return
    if (!sweep(env, nowMs)) sweepAtMs = nowMs + EMBEDDED_LIMITS.sweepEveryMs
  }

  /** The rows between two keys that are not expired, at most `limit`, and where the next ones begin. */
  function readRange(start: Buffer, end: Buffer, limit: number): { rows: StateRow[]; last: Buffer | undefined } {
    const nowMs = clock()
    const rows: StateRow[] = []
    let last: Buffer | undefined
    for (const { key, value } of env.rows.getRange({ start, end })) {
      last = key
      if (!isExpired(bodyExpiryMs(value, bodyAt), nowMs)) rows.push(decode(keys.decode(key), value, value.length))
      if (rows.length === limit) return { rows, last }
    }
    return { rows, last: undefined }
  }

  return {
    spec,

    async upsert(rows) {
      checkUpsertSize(rows.length)
      const writes = rows.map((row) => encodeWrite(spec, keys, row))
      await env.write(rows.length, () => {
        mustBeLive()
        const someErased = [...env.erasures.getKeys({ start: tableStart, end: tableEnd, limit: 1 })].length > 0
        writes.forEach(({ key, value }, index) => {
          if (someErased) {
            const partition = keys.encodeShared(rows[index]!.key.slice(0, partitionColumns))
            const erased = erasedVersion(env, partition)
            if (erased !== undefined && erased >= rows[index]!.version) return
          }
          putRow(env, key, value)
        })
        sweepNowAndThen()
      })
    },

    async get(wanted) {
      for (const key of wanted) checkKey(spec, key)
      startReading()
      const nowMs = clock()
      return wanted.map((key) => {
        const value = env.rows.getBinaryFast(keys.encodeShared(key))
        if (!value || isExpired(bodyExpiryMs(value, bodyAt), nowMs)) return undefined
        return decode(key, value, value.length)
      })
    },

    async list({ partition, after, limit }) {
      checkListLimit(limit)
      checkPartition(spec, partition)
      if (after) checkAfter(spec, after)
      startReading()
      const prefix = keys.encode(partition)
      const start = after ? afterPrefix(keys.encode([...partition, ...after])) : prefix
      return readRange(start, afterPrefix(prefix), limit).rows
    },

    /** In chunks, each with a snapshot of its own: a long scan must not keep LMDB from using freed pages again. */
    async *scan() {
      for (let start: Buffer | undefined = tableStart; start; ) {
        startReading()
        const { rows, last } = readRange(start, tableEnd, EMBEDDED_LIMITS.chunkRows)
        yield* rows
        start = last && afterPrefix(last)
        await turn()
      }
    },

    async erase(partition, version) {
      checkPartition(spec, partition)
      const prefix = keys.encode(partition)
      const end = afterPrefix(prefix)
      for (let start: Buffer | undefined = prefix; start; ) {
        const from: Buffer = start
        start = await env.write(EMBEDDED_LIMITS.chunkRows, () => {
          mustBeLive()
          markErased(env, prefix, version, clock())
          const rows = [...env.rows.getRange({ start: from, end, limit: EMBEDDED_LIMITS.chunkRows })]
          for (const { key, value } of rows) if (value.readBigInt64BE(0) <= version) removeRow(env, key, value)
          return rows.length < EMBEDDED_LIMITS.chunkRows ? undefined : afterPrefix(rows.at(-1)!.key)
        })
      }
    },
  }
}

function encodeWrite(spec: TableSpec, keys: TableKeys, row: StateRow): { key: Buffer; value: Buffer } {
  checkRow(spec, row)
  const key = keys.encode(row.key)
  shared.reset().i64(row.version)
  writeBody(shared, spec, row)
  return { key, value: shared.take() }
}
