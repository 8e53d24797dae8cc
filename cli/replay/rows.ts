/**
 * The rows of two generations in ClickHouse, table by table: how many stand, and the sum of their hashes, without what
 * depends on batching (versions, signs). Rows of a journal are compared below where both generations have come; rows of
 * states when both have passed the end of the log.
 */
import type { Generation } from '../../consumers/generation.ts'

export interface TableComparison {
  readonly table: string
  readonly rows: readonly [bigint, bigint]
  readonly digests: readonly [string, string]
  readonly equal: boolean
}

export interface RowPorts {
  query<T>(sql: string, parameters?: Record<string, unknown>): Promise<readonly T[]>
  databaseOf(generation: Generation): string
}

/** By partition, `topic/partition` → position; rows at or beyond it are left out. */
export type Cut = ReadonlyMap<string, bigint>

export async function compareRows(
  ports: RowPorts,
  generations: readonly [Generation, Generation],
  cut: Cut,
): Promise<readonly TableComparison[]> {
  const [first] = generations
  const { landings, journal } = first.projection
  return await Promise.all(
    landings.map(async ({ name, target }) => {
      const below = journal?.landing.name === name ? cut : undefined
      const [ours, theirs] = await Promise.all(generations.map((one) => sumOf(ports, one, target, below)))
      const rows = [ours!.rows, theirs!.rows] as const
      const digests = [ours!.digest, theirs!.digest] as const
      return { table: target, rows, digests, equal: rows[0] === rows[1] && digests[0] === digests[1] }
    }),
  )
}

async function sumOf(
  { query, databaseOf }: RowPorts,
  generation: Generation,
  table: string,
  cut: Cut | undefined,
): Promise<{ rows: bigint; digest: string }> {
  const database = databaseOf(generation)
  const columns = await query<{ name: string }>(
    'SELECT name FROM system.columns WHERE database = {database:String} AND table = {table:String} ORDER BY name',
    { database, table },
  )
  const shown = columns.map(({ name }) => name).filter((name) => !['version', 'sign', 'row_key'].includes(name))
  const signed = columns.some(({ name }) => name === 'sign') ? 'sign' : '1'
  const hash = `cityHash64(${shown.map((name) => `\`${name}\``).join(', ')})`
  const below = cut === undefined ? '1' : cutSql(cut)
  const sql = `SELECT toString(sum(toInt64(${signed}))) AS n, toString(sum(toInt64(${signed}) * reinterpretAsInt64(${hash}))) AS digest
    FROM \`${database}\`.\`${table}\` WHERE ${below}`
  const [row] = await query<{ n: string; digest: string }>(sql)
  return { rows: BigInt(row?.n ?? 0), digest: row?.digest ?? '0' }
}

/** Names of topics are ours and positions are numbers. */
function cutSql(cut: Cut): string {
  const parts = [...cut].map(([place, position]) => {
    const slash = place.lastIndexOf('/')
    return `(topic = '${place.slice(0, slash)}' AND partition = ${place.slice(slash + 1)} AND version < ${position})`
  })
  return parts.length === 0 ? '0' : `(${parts.join(' OR ')})`
}
