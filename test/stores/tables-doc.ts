/** docs/tables.md, made of the comments in the tables themselves; what no engine can say stands here as text. */
import { readdirSync, readFileSync } from 'node:fs'
import { ALIASES, applyAliases } from '../../stores/clickhouse/aliases.ts'
import type { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'

const QUERIES = new URL('../../docs/queries/', import.meta.url)

const INTRO = `# Tables
Every table is a fold of the log: drop it, replay, and the same rows come back. A generation's tables carry its id
(\`progress_v1_1f0c9a2b\`); \`playhead status\` names the ones in force.

This page is made from the comments in the tables (\`npm run docs:tables\`); \`DESCRIBE playhead.qoe_views\` says the same.

## ClickHouse: what to query
These are plain views in the database \`playhead\`. Any \`SELECT\` on them is right as it stands: rows that were
corrected since show as they are now. Times are UTC. Ask for a window of time (\`started_at\`, \`minute\`, \`hour\`), and a query costs what the
window costs. A generation with other parameters shows its tables beside these, with a suffix of their own.

- A view: one title in one session of a player. Durations are sums in ms; what divides a sum is named with it.
- Ratios of a population are sums divided by sums, never means of ratios: \`sum(stalled_ms) / sum(watched_ms)\`.
- \`qoe_by_minute\` and \`qoe_by_hour\` break down by one dimension: choose \`dim\` (\`all\` for none), and never add rows
  of several. For several conditions at once ask \`qoe_views\`, for short windows minute by minute \`qoe_slices\`.
- People can't be added over days: count \`profile_id\` of \`viewer_days\`.
- Percentiles of several rows: add up their histograms, as [startup-by-device](queries/startup-by-device.sql) does.
`

const BEHIND = `## ClickHouse: the tables behind
One database for each generation (\`playhead_<generation>\`). Signed tables hold a row that was corrected as its old row with
sign -1 and its new row with +1, until they are merged: sum every measure × \`sign\`. Rows come in through landing
tables of the engine Null, which refuse a writer that was replaced ([delivery](delivery.md)); the cubes are fed from what
went into \`views\` and \`view_slices\`.
`

const STATES = `## The state store (Cassandra, or LMDB on one machine)
Partition key first, then clustering columns. Each row has a \`version\`, the log position that it reflects. Cassandra's
tables can be read in cqlsh; they are written by the engine alone.

### \`progress_v1_…_progress\`: partition \`profile_id\`, clustering \`title_id\`
| column | what it says |
| --- | --- |
| \`position_ms\`, \`duration_ms\`, \`permyriad\` | where to resume; null after a clear. Hundredths of a percent of the duration |
| \`completed\` | at 95 %, at 90 % where the credits are known to have begun, or marked as watched since |
| \`device\` | of the newest report that said so |
| \`updated_at\`, \`position_until\` | when the position was decided; from when on it counts no more (compare it with now) |
| \`watched_ms\`, \`watched\` | media really played, a rewatch counted once; seconds such as \`0-95,120-300\` |
| \`plays\`, \`first_watched_at\`, \`last_watched_at\` | starts within 30 s of each other are one play |
| \`series_id\`, \`season\`, \`episode\`, \`credits_start_ms\` | as the catalogue said when the events were written |
| \`sessions\`, \`decided_by\` | the fold's own: each session's first and last moment; which events decided |

A row lives a year after its newest event; a position counts 90 days.

### \`titles_v1_…_titles\`: partition \`title_id\`; \`episodes_v1_…_episodes\`: partition \`series_id\`, clustering \`season\`, \`episode\`, \`title_id\`
The catalogue as it was registered last, and each series in order.

### \`streams_v1_…_streams\`: partition \`account_id\` (a pseudonym)
The streams that hold now and the last verdicts, as JSON. Gone an hour after the last stream.

### \`erasures_v1_…_erasures\`: partition \`profile_id\`
Who was forgotten, when, and who asked for it.

### \`erasure_profiles\`, \`erasure_keys\` (Cassandra only)
The vault: keys of personal fields. Not a fold: it is truth, and is backed up with the log ([privacy](privacy.md)).
`

interface Column {
  readonly name: string
  readonly type: string
  readonly comment: string
}

interface Table {
  readonly name: string
  readonly engine: string
  readonly sorting_key: string
  readonly partition_key: string
  readonly comment: string
}

export async function tablesDoc(store: ClickHouse): Promise<string> {
  const shown: string[] = []
  const behind = ['| table | engine | partition | order | what it is |', '| --- | --- | --- | --- | --- |']
  for (const [projection, aliases] of Object.entries(ALIASES)) {
    const folder = `${projection}_v1`
    const database = await store.prepareGeneration(`${folder}_doc`, folder)
    await applyAliases(store, projection, database)
    for (const { name } of aliases) shown.push(await section(store, name))
    for (const table of await tablesOf(store, database)) {
      const order = table.sorting_key.replace(/^\((\w+)\)/, '$1').replace(/\btoStartOfHour\((\w+)\)/g, 'hour of $1')
      const partition = table.partition_key.replace(/^to\w+\((\w+)\)$/, '$1') || '–'
      const by = table.partition_key.includes('toYear(') ? 'year' : 'month'
      const of = table.partition_key === '' ? '–' : `${by} of \`${partition}\``
      behind.push(`| \`${table.name}\` | ${table.engine} | ${of} | ${order} | ${cell(table.comment)} |`)
    }
  }
  return [INTRO, ...shown, queries(), BEHIND, `${behind.join('\n')}\n`, STATES].join('\n')
}

async function section(store: ClickHouse, name: string): Promise<string> {
  const [table] = await store.query<Table>(
    `SELECT comment FROM system.tables WHERE database = {database:String} AND name = {name:String}`,
    { database: store.database, name },
  )
  const columns = await store.query<Column>(
    `SELECT name, type, comment FROM system.columns WHERE database = {database:String} AND table = {name:String} ORDER BY position`,
    { database: store.database, name },
  )
  const isSum = ({ comment }: Column) => comment.startsWith('Sum of ')
  const sums = columns.filter(isSum).map((c) => `\`${c.name}\``)
  const rows = columns.filter((c) => !isSum(c)).map((c) => `| \`${c.name}\` | ${c.type} | ${cell(c.comment)} |`)
  const more = `Sums of the columns of \`qoe_views\` over the views that began then; those that begin with \`at_\`, of \`qoe_slices\` over the time itself:`
  const list = sums.length === 0 ? '' : `\n${more}\n${sums.join(', ')}.\n`
  const head = '| column | type | what it says |\n| --- | --- | --- |'
  return `### \`${store.database}.${name}\`\n${table?.comment}.\n\n${head}\n${rows.join('\n')}\n${list}`
}

function tablesOf(store: ClickHouse, database: string): Promise<readonly Table[]> {
  return store.query<Table>(
    `SELECT name, engine, sorting_key, partition_key, comment FROM system.tables
     WHERE database = {database:String} AND engine LIKE '%MergeTree' ORDER BY name`,
    { database },
  )
}

function queries(): string {
  const lines = readdirSync(QUERIES)
    .sort()
    .map((file) => {
      const [first = ''] = readFileSync(new URL(file, QUERIES), 'utf8').split('\n')
      return `- [${file.replace('.sql', '')}](queries/${file}): ${first.replace('-- ', '')}`
    })
  return `## Ready queries\n${lines.join('\n')}\n`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
