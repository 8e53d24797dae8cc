import { ByteWriter } from '../bytes.ts'
import { writeBody } from '../canonical.ts'
import type { StateRow, StateTable } from '../state.ts'
import { checkPartition, checkRow, checkUpsertSize } from '../values.ts'
import { afterPrefix } from './key.ts'
import { EMBEDDED_LIMITS } from './limits.ts'
import { erasedVersion, markErased, putRow, removeRow, sweep } from './rows.ts'
import type { OpenTable } from './table.ts'

const shared = new ByteWriter()

export function tableWrites(table: OpenTable): Pick<StateTable, 'upsert' | 'erase'> {
  const { env, spec, keys, clock } = table
  const start = keys.encode([])
  const end = afterPrefix(start)
  let sweepAtMs = 0

  function sweepNowAndThen(): void {
    const nowMs = clock()
    if (nowMs < sweepAtMs) return
    if (!sweep(env, nowMs)) sweepAtMs = nowMs + EMBEDDED_LIMITS.sweepEveryMs
  }

  function isErased({ key, version }: StateRow): boolean {
    const erased = erasedVersion(env, keys.encodeShared(key.slice(0, spec.partition.length)))
    return erased !== undefined && erased >= version
  }

  return {
    async upsert(rows) {
      checkUpsertSize(rows.length)
      const writes = rows.map((row) => encode(table, row))
      await env.write(rows.length, () => {
        table.mustBeLive()
        const someErased = [...env.erasures.getKeys({ start, end, limit: 1 })].length > 0
        for (const { row, key, value } of writes) if (!someErased || !isErased(row)) putRow(env, key, value)
        sweepNowAndThen()
      })
    },

    async erase(partition, version) {
      checkPartition(spec, partition)
      const prefix = keys.encode(partition)
      for (let next: Buffer | undefined = prefix; next; ) {
        const range = { start: next, end: afterPrefix(prefix), limit: EMBEDDED_LIMITS.chunkRows }
        next = await env.write(EMBEDDED_LIMITS.chunkRows, (): Buffer | undefined => {
          table.mustBeLive()
          markErased(env, prefix, version, clock())
          const rows = [...env.rows.getRange(range)]
          for (const { key, value } of rows) if (value.readBigInt64BE(0) <= version) removeRow(env, key, value)
          return rows.length < range.limit ? undefined : afterPrefix(rows.at(-1)!.key)
        })
      }
    },
  }
}

function encode({ spec, keys }: OpenTable, row: StateRow): { row: StateRow; key: Buffer; value: Buffer } {
  checkRow(spec, row)
  const key = keys.encode(row.key)
  shared.reset().i64(row.version)
  writeBody(shared, spec, row)
  return { row, key, value: shared.take() }
}
