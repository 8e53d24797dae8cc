import { StoreRefused } from './errors.ts'
import type { Column, TableSpec } from './state.ts'

/** A table as it is kept beside its rows: what decides how bytes are read. Comments are free to change. */
export interface StoredSpec {
  readonly partition: readonly StoredColumn[]
  readonly clustering: readonly (StoredColumn & { readonly order: 'asc' | 'desc' })[]
  readonly columns: readonly StoredColumn[]
}

type StoredColumn = Pick<Column, 'name' | 'type'>

const nameShape = /^[a-z][a-z0-9_]{0,47}$/
const columnTypes: ReadonlySet<string> = new Set(['text', 'int', 'long', 'boolean', 'timestamp', 'blob'])
/** Columns that an engine adds to every table. */
const ownColumns: ReadonlySet<string> = new Set(['version', 'expires_at', 'row_body'])
/** Tables of the stores themselves. */
const ownPrefix = 'playhead_'

/** Throws StoreRefused for a spec that not every engine could keep. */
export function checkSpec(spec: TableSpec): void {
  checkTableName(spec.name)
  if (spec.partition.length === 0) throw new StoreRefused(`table ${spec.name} has no partition column`)
  const seen = new Set<string>()
  for (const column of [...spec.partition, ...spec.clustering, ...spec.columns]) {
    const place = `column ${column.name} of table ${spec.name}`
    if (!nameShape.test(column.name)) {
      throw new StoreRefused(`${place}: a name is lower case, digits and underscores, at most 48 characters`)
    }
    if (ownColumns.has(column.name)) throw new StoreRefused(`${place}: the store keeps this name for itself`)
    if (seen.has(column.name)) throw new StoreRefused(`${place} is there twice`)
    if (!columnTypes.has(column.type)) throw new StoreRefused(`${place} has the unknown type ${column.type}`)
    seen.add(column.name)
  }
}

export function checkTableName(name: string): void {
  if (!nameShape.test(name)) {
    throw new StoreRefused(`table name ${name}: lower case, digits and underscores, at most 48 characters`)
  }
  if (name.startsWith(ownPrefix))
    throw new StoreRefused(`table name ${name}: names with ${ownPrefix} are the store's own`)
}

export function specToText(spec: TableSpec): string {
  const plain = ({ name, type }: Column): StoredColumn => ({ name, type })
  const stored: StoredSpec = {
    partition: spec.partition.map(plain),
    clustering: spec.clustering.map((column) => ({ ...plain(column), order: column.order ?? 'asc' })),
    columns: spec.columns.map(plain),
  }
  return JSON.stringify(stored)
}

/**
 * The columns that `spec` adds to the table as it is stored. Rows keep their values by place, so columns are only added
 * at the end; anything else, a spec that lacks stored columns too, is refused with what differs.
 */
export function addedColumns(storedText: string, spec: TableSpec): readonly Column[] {
  const stored = JSON.parse(storedText) as StoredSpec
  const wanted = JSON.parse(specToText(spec)) as StoredSpec
  const refuse = (what: string): never => {
    throw new StoreRefused(
      `table ${spec.name} is stored otherwise than asked for: ${what}. Only columns added at the end can be taken over; ` +
        'anything else needs a table of another name.',
    )
  }
  for (const part of ['partition', 'clustering'] as const) {
    if (describe(stored[part]) !== describe(wanted[part])) {
      refuse(`its ${part} is (${describe(stored[part])}), not (${describe(wanted[part])})`)
    }
  }
  stored.columns.forEach((column, index) => {
    const other = wanted.columns[index]
    if (describe([column]) === describe(other ? [other] : [])) return
    refuse(`its column ${index + 1} is ${describe([column])}, not ${other ? describe([other]) : 'absent'}`)
  })
  return spec.columns.slice(stored.columns.length)
}

function describe(columns: readonly (StoredColumn & { readonly order?: string })[]): string {
  return columns.map(({ name, type, order }) => `${name} ${type}${order === 'desc' ? ' desc' : ''}`).join(', ')
}
