/**
 * A versioned table in Cassandra.
 *
 * A row is one cell, `row_body`: its canonical bytes, from which alone it is read. The typed columns beside it show it
 * to people. Cassandra decides cell by cell: the larger write time, which is the version, wins; of equal ones a cell
 * that expires, then the one that expires later, then the larger bytes. That is the order of canonical bytes, so of
 * two writes of one version (which only a broken fold makes) one wins as a whole, though the typed columns may then
 * mix. What this can't tell apart: expiries of such a pair that are less than two seconds apart, or after 2037.
 *
 * A row's time to live is what is left of it by our clock, at least a second, so that a row that has expired already
 * still takes the place of an older one; readers don't wait for it but look at the expiry itself.
 */
import { ByteWriter } from '../bytes.ts'
import { isExpired, readBody, writeBody } from '../canonical.ts'
import type { Column, ColumnValue, ListRequest, StateRow, StateTable, TableSpec } from '../state.ts'
import { checkAfter, checkKey, checkListLimit, checkPartition, checkRow, checkUpsertSize } from '../values.ts'
import { equal, fromCql, insertRow, quote, shownColumns, toCql } from './cql.ts'
import { CASSANDRA_LIMITS } from './limits.ts'
import { inParallel } from './parallel.ts'
import { tableName } from './schema.ts'
import type { Row, Session, Statement } from './session.ts'

const shared = new ByteWriter()

export function cassandraTable(session: Session, spec: TableSpec, clock: () => number): StateTable {
  const name = tableName(session, spec.name)
  const keyColumns: readonly Column[] = [...spec.partition, ...spec.clustering]
  const shown = shownColumns(spec).map((column) => ({ ...column, at: spec.columns.indexOf(column) }))
  const insert = insertRow(name, spec)
  const selectOne = `SELECT version, row_body FROM ${name} WHERE ${equal(keyColumns)}`
  const selectAll = `SELECT ${keyColumns.map((column) => quote(column.name)).join(', ')}, version, row_body FROM ${name}`
  const partitionIs = `WHERE ${equal(spec.partition)}`

  function toStatement(row: StateRow, nowMs: number): Statement & { readonly bytes: number } {
    writeBody(shared.reset(), spec, row)
    const body = shared.take()
    const expiry = row.expiresAtMs === undefined ? null : new Date(row.expiresAtMs)
    const params = [
      ...keyColumns.map(({ type }, index) => toCql(type, row.key[index]!)),
      ...shown.map(({ type, at }) => toCql(type, row.columns[at]!)),
      ...[row.version, expiry, body, writeTime(row.version), secondsLeft(row.expiresAtMs, nowMs)],
    ]
    return { query: insert, params, bytes: body.length * 2 }
  }

  /** Undefined if it is expired, or if only its place is left. */
  function toRow(found: Row, key: readonly ColumnValue[], nowMs: number): StateRow | undefined {
    const body = found.get('row_body') as Buffer | null
    if (!body) return undefined
    const row = { key, version: found.get('version') as bigint, ...readBody(spec, body, 0, body.length) }
    return isExpired(row.expiresAtMs, nowMs) ? undefined : row
  }

  const keyOf = (found: Row) => keyColumns.map(({ name, type }) => fromCql(type, found.get(name)))

  async function* pages(query: string, params: readonly unknown[], pageRows: number): AsyncIterable<StateRow> {
    for (let from: string | undefined, more = true; more; ) {
      const page = await session.readPage(query, params, from, pageRows)
      const nowMs = clock()
      for (const found of page.rows) {
        const row = toRow(found, keyOf(found), nowMs)
        if (row) yield row
      }
      from = page.next
      more = from !== undefined
    }
  }

  return {
    spec,

    async upsert(rows) {
      checkUpsertSize(rows.length)
      for (const row of rows) checkRow(spec, row)
      const nowMs = clock()
      const batches = toBatches(
        rows.map((row) => ({
          partition: partitionText(row.key.slice(0, spec.partition.length)),
          ...toStatement(row, nowMs),
        })),
      )
      await inParallel(batches, CASSANDRA_LIMITS.inFlightMax, (batch) => session.write(batch))
    },

    async get(keys) {
      for (const key of keys) checkKey(spec, key)
      return inParallel(keys, CASSANDRA_LIMITS.inFlightMax, async (key) => {
        const params = keyColumns.map(({ type }, index) => toCql(type, key[index]!))
        const [found] = await session.read(selectOne, params)
        return found && toRow(found, key, clock())
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

    async erase(partition, version) {
      checkPartition(spec, partition)
      const params = spec.partition.map(({ type }, index) => toCql(type, partition[index]!))
      const query = `DELETE FROM ${name} USING TIMESTAMP ? ${partitionIs}`
      await session.write([{ query, params: [writeTime(version), ...params] }])
    },
  }
}

/** Never 0, which some tools take for "no write time". */
function writeTime(version: bigint): bigint {
  return version + 1n
}

/** 0 is for ever, as far as Cassandra is concerned. */
function secondsLeft(expiresAtMs: number | undefined, nowMs: number): number {
  if (expiresAtMs === undefined || expiresAtMs >= CASSANDRA_LIMITS.ttlEndMs) return 0
  const seconds = Math.max(1, Math.ceil((expiresAtMs - nowMs) / 1_000))
  return seconds > CASSANDRA_LIMITS.ttlMaxSeconds ? 0 : seconds
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

function toParams(columns: readonly Column[], values: readonly ColumnValue[]): unknown[] {
  return columns.map(({ type }, index) => toCql(type, values[index]!))
}

/** Told apart well enough to batch by; two partitions in one batch would still be right, only slower. */
function partitionText(partition: readonly ColumnValue[]): string {
  return partition
    .map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value)))
    .join('\0')
}

/** One request for the rows of one partition, up to the limits of a batch. */
function toBatches<T extends Statement & { readonly partition: string; readonly bytes: number }>(
  statements: readonly T[],
): T[][] {
  const batches: T[][] = []
  const open = new Map<string, { batch: T[]; bytes: number }>()
  for (const statement of statements) {
    const found = open.get(statement.partition)
    const full =
      !found ||
      found.batch.length === CASSANDRA_LIMITS.batchRowsMax ||
      found.bytes + statement.bytes > CASSANDRA_LIMITS.batchBytesMax
    if (full) {
      const batch = [statement]
      batches.push(batch)
      open.set(statement.partition, { batch, bytes: statement.bytes })
    } else {
      found.batch.push(statement)
      found.bytes += statement.bytes
    }
  }
  return batches
}
