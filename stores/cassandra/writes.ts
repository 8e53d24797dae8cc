import { ByteWriter } from '../bytes.ts'
import { writeBody } from '../canonical.ts'
import type { ColumnValue, StateRow, StateTable, TableSpec } from '../state.ts'
import { checkPartition, checkRow, checkUpsertSize } from '../values.ts'
import { equal, insertRow, shownColumns, toCql, toParams } from './cql.ts'
import { CASSANDRA_LIMITS } from './limits.ts'
import { inParallel } from './parallel.ts'
import { tableName } from './schema.ts'
import type { Session, Statement } from './session.ts'

const shared = new ByteWriter()

interface RowStatement extends Statement {
  readonly partition: string
  readonly bytes: number
}

export function tableWrites(
  session: Session,
  spec: TableSpec,
  clock: () => number,
): Pick<StateTable, 'upsert' | 'erase'> {
  const name = tableName(session, spec.name)
  const insert = insertRow(name, spec)
  const deletion = `DELETE FROM ${name} USING TIMESTAMP ? WHERE ${equal(spec.partition)}`
  const shown = shownColumns(spec).map(({ type, name }) => ({
    type,
    at: spec.columns.findIndex((c) => c.name === name),
  }))

  function toStatement(row: StateRow, nowMs: number): RowStatement {
    writeBody(shared.reset(), spec, row)
    const body = shared.take()
    const expiry = row.expiresAtMs === undefined ? null : new Date(row.expiresAtMs)
    const params = [
      ...toParams([...spec.partition, ...spec.clustering], row.key),
      ...shown.map(({ type, at }) => toCql(type, row.columns[at]!)),
      ...[row.version, expiry, body, writeTime(row.version), secondsLeft(row.expiresAtMs, nowMs)],
    ]
    const partition = partitionText(row.key.slice(0, spec.partition.length))
    return { query: insert, params, partition, bytes: body.length * 2 }
  }

  return {
    async upsert(rows) {
      checkUpsertSize(rows.length)
      for (const row of rows) checkRow(spec, row)
      const nowMs = clock()
      const batches = toBatches(rows.map((row) => toStatement(row, nowMs)))
      await inParallel(batches, CASSANDRA_LIMITS.inFlightMax, (batch) => session.write(batch))
    },

    async erase(partition, version) {
      checkPartition(spec, partition)
      await session.write([{ query: deletion, params: [writeTime(version), ...toParams(spec.partition, partition)] }])
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

/** Told apart well enough to batch by; two partitions in one batch would still be right, only slower. */
function partitionText(partition: readonly ColumnValue[]): string {
  return partition
    .map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value)))
    .join('\0')
}

/** One request for the rows of one partition, up to the limits of a batch. */
function toBatches(statements: readonly RowStatement[]): RowStatement[][] {
  const batches: RowStatement[][] = []
  const open = new Map<string, { batch: RowStatement[]; bytes: number }>()
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
