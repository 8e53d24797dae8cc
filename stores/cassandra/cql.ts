/** CQL texts. Names are checked before they come here; they are quoted because some are words of CQL. */
import type { Column, ColumnType, ColumnValue, TableSpec } from '../state.ts'

const cqlTypes: Readonly<Record<ColumnType, string>> = {
  text: 'text',
  int: 'int',
  long: 'bigint',
  boolean: 'boolean',
  timestamp: 'timestamp',
  blob: 'blob',
}

export function quote(name: string): string {
  return `"${name}"`
}

export function definition({ name, type }: Column): string {
  return `${quote(name)} ${cqlTypes[type]}`
}

/**
 * Columns that are shown to people beside `row_body`. Blobs are not: nobody reads them, and the body has them already.
 */
export function shownColumns(spec: TableSpec): readonly Column[] {
  return spec.columns.filter(({ type }) => type !== 'blob')
}

export function createTable(table: string, spec: TableSpec): string {
  const names = (columns: readonly Column[]) => columns.map(({ name }) => quote(name)).join(', ')
  const key = [...spec.partition, ...spec.clustering]
  const order = spec.clustering.map(({ name, order }) => `${quote(name)} ${order ?? 'asc'}`)
  const primary = [`(${names(spec.partition)})`, ...spec.clustering.map(({ name }) => quote(name))].join(', ')
  const comment = `${spec.comment}. The row is row_body; the other columns show it.`.replaceAll("'", "''")
  return `CREATE TABLE IF NOT EXISTS ${table} (
  ${[...key, ...shownColumns(spec)].map(definition).join(', ')},
  version bigint, expires_at timestamp, row_body blob, PRIMARY KEY (${primary})
) WITH comment = '${comment}'${order.length > 0 ? ` AND CLUSTERING ORDER BY (${order.join(', ')})` : ''}`
}

export function insertRow(table: string, spec: TableSpec): string {
  const names = [...spec.partition, ...spec.clustering, ...shownColumns(spec)].map(({ name }) => quote(name))
  const all = [...names, 'version', 'expires_at', 'row_body']
  return `INSERT INTO ${table} (${all.join(', ')}) VALUES (${all.map(() => '?').join(', ')}) USING TIMESTAMP ? AND TTL ?`
}

export function equal(columns: readonly Column[]): string {
  return columns.map(({ name }) => `${quote(name)} = ?`).join(' AND ')
}

/** How the driver wants a value. */
export function toCql(type: ColumnType, value: ColumnValue): unknown {
  if (value === null) return null
  if (type === 'timestamp') return new Date(value as number)
  return value instanceof Uint8Array && !Buffer.isBuffer(value) ? Buffer.from(value) : value
}

export function toParams(columns: readonly Column[], values: readonly ColumnValue[]): unknown[] {
  return columns.map(({ type }, index) => toCql(type, values[index]!))
}

export function fromCql(type: ColumnType, value: unknown): ColumnValue {
  return type === 'timestamp' ? (value as Date).getTime() : (value as ColumnValue)
}
