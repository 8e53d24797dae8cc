import { isExpired, readBody } from '../canonical.ts'
import type { Column, ColumnValue, ListRequest, StateRow, StateTable, TableSpec } from '../state.ts'
import { checkAfter, checkKey, checkListLimit, checkPartition } from '../values.ts'
import { equal, fromCql, quote, toParams } from './cql.ts'
import { CASSANDRA_LIMITS } from './limits.ts'
import { inParallel } from './parallel.ts'
import { tableName } from './schema.ts'
import type { Row, Session } from './session.ts'

export function tableReads(
  session: Session,
  spec: TableSpec,
  clock: () => number,
): Pick<StateTable, 'get' | 'list' | 'scan'> {
  const name = tableName(session, spec.name)
  const keyColumns: readonly Column[] = [...spec.partition, ...spec.clustering]
  const keyNames = keyColumns.map((column) => quote(column.name)).join(', ')
  const selectOne = `SELECT version, row_body FROM ${name} WHERE ${equal(keyColumns)}`
  const selectAll = `SELECT ${keyNames}, version, row_body FROM ${name}`

  /** Undefined if it has expired, or if only its place is left. */
  function toRow(found: Row, key: readonly ColumnValue[]): StateRow | undefined {
    const body = found.get('row_body') as Buffer | null
    if (!body) return undefined
    const row = { key, version: found.get('version') as bigint, ...readBody(spec, body, 0, body.length) }
    return isExpired(row.expiresAtMs, clock()) ? undefined : row
  }

  async function* pages(query: string, params: readonly unknown[], pageRows: number): AsyncIterable<StateRow> {
    for (let from: string | undefined, more = true; more; more = from !== undefined) {
      const page = await session.readPage(query, params, from, pageRows)
      for (const found of page.rows) {
        const key = keyColumns.map((column) => fromCql(column.type, found.get(column.name)))
        const row = toRow(found, key)
        if (row) yield row
      }
      from = page.next
    }
  }

  return {
    async get(keys) {
      for (const key of keys) checkKey(spec, key)
      return inParallel(keys, CASSANDRA_LIMITS.inFlightMax, async (key) => {
        const [found] = await session.read(selectOne, toParams(keyColumns, key))
        return found && toRow(found, key)
      })
    },

    async list({ partition, after, limit }) {
      checkListLimit(limit)
      checkPartition(spec, partition)
      if (after) checkAfter(spec, after)
      const rows: StateRow[] = []
      for (const { where, params } of ranges(spec, partition, after)) {
        const pageRows = Math.min(limit - rows.length, CASSANDRA_LIMITS.pageRows)
        for await (const row of pages(`${selectAll} ${where}`, params, pageRows)) {
          rows.push(row)
          if (rows.length === limit) return rows
        }
      }
      return rows
    },

    scan: () => pages(selectAll, [], CASSANDRA_LIMITS.pageRows),
  }
}

/**
 * The rows of a partition that come after some clustering values, as ranges to be read one after the other: those that
 * share all of them but the last, then all but the last two, and so on. (A comparison of tuples would not do: columns
 * may be ordered either way.)
 */
function ranges(spec: TableSpec, partition: ListRequest['partition'], after: ListRequest['after']) {
  const inPartition = { where: `WHERE ${equal(spec.partition)}`, params: toParams(spec.partition, partition) }
  if (!after) return [inPartition]
  return spec.clustering
    .map((column, index) => {
      const fixed = spec.clustering.slice(0, index)
      const beyond = `${quote(column.name)} ${column.order === 'desc' ? '<' : '>'} ?`
      return {
        where: [inPartition.where, ...fixed.map((same) => equal([same])), beyond].join(' AND '),
        params: [...inPartition.params, ...toParams([...fixed, column], after)],
      }
    })
    .reverse()
}
