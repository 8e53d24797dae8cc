/**
 * What people query: plain views in the shared database over the tables of one generation. They hide the signs and add
 * up the cubes, so that a SELECT that knows of neither is right: `SELECT count() FROM qoe_views` counts views.
 *
 * Signed tables are shown with FINAL: measured, it costs 10 % more than sums of value × sign over a day that is asked
 * for, and a condition on the time still goes through the view to the primary key.
 *
 * Columns are those of the tables, with their comments, so a column that is added to a table shows up by itself.
 */

import { type Alias, added, type Column, cube, plain, standing } from './alias-kinds.ts'
import type { ClickHouse } from './clickhouse.ts'
import { identifier } from './sql.ts'

const VIEWERS = {
  day: 'Day of the begin of the views, UTC',
  app_id: 'The application',
  viewers:
    'Profiles that began a view on the day. Days and applications can not be added: count profiles of viewer_days',
  views: 'Views that began on the day',
}

export const ALIASES: Readonly<Record<string, readonly Alias[]>> = {
  events: [plain('events', 'events', 'Every record of the log, one row each')],
  cdn_requests: [
    plain(
      'cdn_request_rows',
      'cdn_requests',
      'Every CmcdRequest of the log: a line that was read again is there again',
    ),
    // A condition on the time or the session goes through LIMIT BY to the primary key, since both are named in it.
    added('cdn_requests', 'cdn_requests', 'Media requests, one row each', {}, (from) => {
      return `SELECT * FROM ${from} LIMIT 1 BY occurred_at, session_id, event_id`
    }),
  ],
  views: [
    standing('qoe_views', 'views', 'Views, one row each: every metric and dimension'),
    standing('qoe_slices', 'view_slices', 'Minutes of views, one row each'),
    cube('qoe_by_minute', 'qoe_minute', 'minute'),
    cube('qoe_by_hour', 'qoe_hour', 'hour'),
    added('viewer_days', 'viewer_days', 'Who watched on which day, one row each', {}, (from) => {
      const sums = `SELECT day, app_id, profile_id, sum(t.views) AS views FROM ${from} AS t GROUP BY day, app_id, profile_id`
      return `SELECT day, app_id, profile_id, views FROM (${sums}) WHERE views > 0`
    }),
    added('unique_viewers_by_day', 'viewer_days', 'How many watched on each day, by application', VIEWERS, (from) => {
      const sums = `SELECT day, app_id, profile_id, sum(t.views) AS n FROM ${from} AS t GROUP BY day, app_id, profile_id`
      return `SELECT day, app_id, count() AS viewers, sum(n) AS views FROM (${sums}) WHERE n > 0 GROUP BY day, app_id`
    }),
  ],
  imported_views: [
    added(
      'imported_views',
      'imported_view_rows',
      "Views as another product measured them: each view's last import",
      {},
      (from) => {
        const last = `SELECT * FROM ${from} ORDER BY imported_at DESC, version DESC LIMIT 1 BY vendor, app_id, environment, view_id`
        return `SELECT * EXCEPT (topic, partition, version) FROM (${last})`
      },
    ),
  ],
  title_rows: [standing('titles', 'titles', 'The catalogue, each title once')],
  progress_rows: [standing('progress', 'progress', 'Where profiles are in titles, each pair once')],
}

/**
 * Shows the tables of `database` under their plain names. With `suffix` (a generation with other parameters) they get
 * names of their own, such as qoe_views_strict, and stand beside the others.
 */
export async function applyAliases(
  store: ClickHouse,
  projection: string,
  database: string,
  suffix?: string,
): Promise<readonly string[]> {
  const names: string[] = []
  for (const alias of ALIASES[projection] ?? []) {
    const name = suffix === undefined ? alias.name : `${alias.name}_${suffix}`
    await create(store, alias, name, database)
    names.push(name)
  }
  return names
}

async function create(store: ClickHouse, alias: Alias, name: string, database: string): Promise<void> {
  const columns = await store.query<Column>(
    `SELECT name, type, comment FROM system.columns
     WHERE database = {database:String} AND table = {table:String} AND default_kind != 'ALIAS' ORDER BY position`,
    { database, table: alias.target },
  )
  const select = alias.select(`${identifier(database)}.${identifier(alias.target)}`, columns)
  const shown = await store.query<Column>(`DESCRIBE TABLE (${select})`)
  const comments = new Map(columns.map((c) => [c.name, c.comment]))
  for (const [column, comment] of Object.entries(alias.comments)) comments.set(column, comment)
  const list = shown.map(({ name: c, type }) => `${identifier(c)} ${type} COMMENT ${quoted(comments.get(c) ?? '')}`)
  await store.command(
    `CREATE OR REPLACE VIEW ${identifier(store.database)}.${identifier(name)} (${list.join(', ')})
     AS ${select} COMMENT ${quoted(alias.comment)}`,
  )
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}
