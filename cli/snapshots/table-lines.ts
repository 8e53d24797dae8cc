/**
 * The rows of one partition in one table of ClickHouse, as lines that its landing table takes: those that stand (a row
 * and its taking back have one version, so a range of versions holds both or neither). They come in ranges of versions,
 * so that no answer is large.
 */
import type { Generation } from '../../consumers/generation.ts'
import type { TopicPartition } from '../../log/log.ts'
import type { Landing } from '../../projections/projection.ts'
import type { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import { identifier } from '../../stores/clickhouse/sql.ts'

export async function* tableLines(
  store: ClickHouse,
  { id, projection }: Generation,
  landing: Landing,
  { topic, partition }: TopicPartition,
  { end, rowsMax }: { readonly end: bigint; readonly rowsMax: number },
): AsyncIterable<readonly string[]> {
  const database = `${store.database}_${id}`
  const table = `${identifier(database)}.${identifier(landing.target)}`
  const cells = (await cellsOf(store, database, landing)).join(', ')
  const final = projection.journal?.landing.name === landing.name ? '' : 'FINAL'
  const where = 'topic = {topic:String} AND partition = {partition:UInt16}'
  for (let from = 0n; ; ) {
    const place = { topic, partition, from: `${from}`, end: `${end}` }
    const [range] = await store.query<{ n: string; last: string }>(
      `SELECT toString(count()) AS n, toString(max(v)) AS last FROM (
         SELECT version AS v FROM ${table} WHERE ${where} AND version >= {from:UInt64} AND version < {end:UInt64}
         ORDER BY v LIMIT ${rowsMax})`,
      place,
    )
    if (range === undefined || range.n === '0') return
    const rows = await store.query<{ line: string }>(
      `SELECT formatRowNoNewline('TabSeparated', ${cells}) AS line FROM ${table} ${final}
       WHERE ${where} AND version >= {from:UInt64} AND version <= {last:UInt64}`,
      { ...place, last: range.last },
    )
    if (rows.length > 0) yield rows.map(({ line }) => line)
    from = BigInt(range.last) + 1n
  }
}

/** Moments as the consumers write them: whole milliseconds. */
async function cellsOf(store: ClickHouse, database: string, { target, columns }: Landing): Promise<readonly string[]> {
  const known = await store.query<{ name: string; type: string }>(
    'SELECT name, type FROM system.columns WHERE database = {database:String} AND table = {table:String}',
    { database, table: target },
  )
  const types = new Map(known.map(({ name, type }) => [name, type]))
  return columns.map((name) => {
    const column = identifier(name)
    return types.get(name)?.includes('DateTime64') === true ? `toUnixTimestamp64Milli(${column})` : column
  })
}
