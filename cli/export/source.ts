/** Where an export reads from: the rows of one generation of `views` that stand, day by day. */
import type { Readable } from 'node:stream'
import { VIEW_COLUMNS } from '../../projections/views/row.ts'
import type { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import type { ClickHouseDump, DumpFormat } from '../../stores/clickhouse/dump.ts'
import { qualified } from '../../stores/clickhouse/sql.ts'
import { boundsMs, type DayRange } from './days.ts'

/** What a day's rows are: the same rows under the same versions have the same digest, others another. */
export interface DayOfViews {
  readonly day: string
  readonly rows: number
  readonly digest: string
}

export interface ViewsSource {
  readonly generation: string
  /** The columns of a file, in order. */
  readonly columns: readonly string[]
  /** Rows of days before it are being forgotten by ClickHouse: what is gone there is no correction. Undefined: never. */
  readonly keptFrom: string | undefined
  /** False until the consumers have made the table. */
  exists(): Promise<boolean>
  days(range: DayRange): Promise<readonly DayOfViews[]>
  /** How far the rows have come, by topic/partition: positions below are in. */
  readThrough(): Promise<Readonly<Record<string, string>>>
  dump(range: DayRange, format: DumpFormat, signal: AbortSignal): Promise<Readable>
}

export interface SourceParts {
  readonly generation: string
  readonly analytics: ClickHouse
  readonly dump: ClickHouseDump
  readonly keptFrom: string | undefined
  readonly readThrough: ViewsSource['readThrough']
}

const COLUMNS = Object.keys(VIEW_COLUMNS)
const IN_RANGE = `started_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
  AND started_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')`

export function viewsSource({ generation, analytics, dump, keptFrom, readThrough }: SourceParts): ViewsSource {
  const database = `${analytics.database}_${generation}`
  const table = qualified(`${database}.views`)
  const parameters = (range: DayRange) => {
    const { fromMs, toMs } = boundsMs(range)
    return { from: fromMs, to: toMs }
  }
  return {
    generation,
    columns: COLUMNS,
    keptFrom,
    readThrough,
    exists: async () => {
      const sql = `SELECT 1 FROM system.tables WHERE database = {database:String} AND name = 'views'`
      return (await analytics.query(sql, { database })).length > 0
    },
    days: async (range) => {
      // Signs collapse in the sums: what stands is what is left. A view that moved to another day changes both.
      const rows = await analytics.query<{ day: string; rows: string; digest: string }>(
        `SELECT toString(toDate(started_at, 'UTC')) AS day, toString(sum(sign)) AS rows,
                toString(sum(sign * toInt64(bitShiftRight(cityHash64(view_id, topic, partition, version), 2)))) AS digest
         FROM ${table} WHERE ${IN_RANGE} GROUP BY day HAVING sum(sign) > 0 ORDER BY day`,
        parameters(range),
      )
      return rows.map(({ day, rows: count, digest }) => ({ day, rows: Number(count), digest: `${count}:${digest}` }))
    },
    // In the order of the table's key: rows are passed on as they are read, and a day of any size costs no sort.
    dump: async (range, format, signal) =>
      await dump.stream(
        `SELECT ${COLUMNS.map((name) => `\`${name}\``).join(', ')} FROM ${table} FINAL
         WHERE ${IN_RANGE} ORDER BY toStartOfHour(started_at), view_id`,
        parameters(range),
        format,
        signal,
      ),
  }
}
