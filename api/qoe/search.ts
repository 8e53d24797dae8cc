/**
 * Views one by one, newest first. A view whose row was corrected has several rows with signs: those of one version that
 * cancel are no view. First the page is found by few columns, then its rows are read whole, by their key.
 */
import { FLAGS, VIEW_COLUMNS } from '../../projections/views/row.ts'
import type { AnalyticsReader } from '../ports.ts'
import { answer } from './answer.ts'
import { cursorText, parseCursor, type ViewCursor } from './cursor.ts'
import { HOUR_MS, QOE_LIMITS } from './limits.ts'
import { type Question, shownQuestion } from './question.ts'
import { type FlagName, LISTED_COLUMNS, type RawRow, shownRow, stateOf } from './rows.ts'
import { keysOf } from './session.ts'
import { standingViews } from './standing.ts'
import { Statement } from './statement.ts'
import type { Window } from './window.ts'

export const SEARCH_STATES = [
  'starting',
  'playing',
  'paused',
  'seeking',
  'stalled',
  'ended',
  'failed',
  'open',
  'timed_out',
] as const

export interface Search {
  readonly session?: string
  readonly profile?: string
  readonly title?: string
  readonly error?: string
  readonly state?: (typeof SEARCH_STATES)[number]
  readonly flag?: FlagName
  readonly limit: number
  readonly cursor?: string
}

export async function searchViews(analytics: AnalyticsReader, question: Question, search: Search) {
  const cursor = search.cursor === undefined ? undefined : parseCursor(search.cursor)
  const [found, { rows: all, empty }] = await Promise.all([
    pageOf(analytics, question, search, cursor),
    answer(analytics, question, ['views']),
  ])
  const page = found.slice(0, search.limit)
  const rows = await rowsOf(analytics, page)
  const last = page.at(-1)
  return {
    ...shownQuestion(question),
    views: page.flatMap(({ viewId }) => {
      const row = rows.get(viewId)
      return row === undefined ? [] : [listed(row, question.timedOutAtMs)]
    }),
    next: found.length > search.limit && last !== undefined ? cursorText(last) : null,
    /** Of the window and the filters; the other words of the search are not in it. */
    sample: (all[0] ?? empty(0)).sample,
    freshness: question.read.freshness,
  }
}

function listed(row: RawRow, timedOutAtMs: number) {
  const { startups, score_views, score_milli, ...shown } = shownRow(row, LISTED_COLUMNS, VIEW_COLUMNS)
  return {
    ...shown,
    state: stateOf(row, timedOutAtMs),
    startup_ms: startups === 0 ? null : shown.startup_ms,
    score: score_views === 0 ? null : Number(score_milli) / 1000,
  }
}

/**
 * From the newest hour back, in ever longer stretches, until there are enough: what a page costs grows with how far one
 * has to look for it and not with the window. A session's views are known by key; only their time is looked through.
 */
async function pageOf(
  analytics: AnalyticsReader,
  question: Question,
  search: Search,
  cursor: ViewCursor | undefined,
): Promise<readonly ViewCursor[]> {
  const { fromMs, toMs } = await timeOfSearch(analytics, question, search, cursor)
  const found: ViewCursor[] = []
  let stretchMs = HOUR_MS
  for (let endMs = toMs; endMs > fromMs && found.length <= search.limit; stretchMs *= QOE_LIMITS.searchStretchFactor) {
    const window = { fromMs: Math.max(fromMs, endMs - stretchMs), toMs: endMs }
    const limit = search.limit + 1 - found.length
    found.push(...(await stretchOf(analytics, { ...question, window }, { ...search, limit }, cursor)))
    endMs = window.fromMs
  }
  return found
}

async function timeOfSearch(
  analytics: AnalyticsReader,
  { window }: Question,
  { session }: Search,
  cursor: ViewCursor | undefined,
): Promise<Window> {
  const toMs = cursor === undefined ? window.toMs : Math.min(window.toMs, cursor.startedAtMs + 1)
  if (session === undefined) return { fromMs: window.fromMs, toMs }
  const times = (await keysOf(analytics, session)).map(({ startedAtMs }) => startedAtMs)
  if (times.length === 0) return { fromMs: toMs, toMs }
  // A session of very many views: the oldest of them were listed.
  const lastMs = times.length > QOE_LIMITS.sessionViewsMax ? toMs : Math.max(...times) + 1
  return { fromMs: Math.max(window.fromMs, Math.min(...times)), toMs: Math.min(toMs, lastMs) }
}

async function stretchOf(
  analytics: AnalyticsReader,
  question: Question,
  search: Search,
  cursor: ViewCursor | undefined,
): Promise<readonly ViewCursor[]> {
  const statement = new Statement()
  const where = [
    statement.within('started_at', question.window) + statement.filters(question.filters),
    ...wordsOf(statement, search, question.timedOutAtMs),
    ...(cursor === undefined ? [] : [before(statement, cursor)]),
  ]
  const sql = `SELECT toUnixTimestamp64Milli(started_at) AS ms, view_id
FROM ${statement.table(analytics.views, 'views')} WHERE ${where.join(' AND ')}
GROUP BY started_at, view_id, version HAVING sum(sign) > 0
ORDER BY started_at DESC, view_id DESC LIMIT ${statement.value('UInt32', search.limit)}`
  const rows = await analytics.query<{ ms: number | string; view_id: string }>(sql, statement.parameters, {
    timeoutMs: QOE_LIMITS.queryTimeoutMs,
  })
  return rows.map(({ ms, view_id: viewId }) => ({ startedAtMs: Number(ms), viewId }))
}

function before(statement: Statement, { startedAtMs, viewId }: ViewCursor): string {
  const moment = statement.moment(startedAtMs)
  return `(started_at < ${moment} OR (started_at = ${moment} AND view_id < ${statement.value('String', viewId)}))`
}

function wordsOf(statement: Statement, search: Search, timedOutAtMs: number): readonly string[] {
  const columns = {
    session_id: search.session,
    profile_id: search.profile,
    title_id: search.title,
    error_code: search.error,
  }
  const words = Object.entries(columns).flatMap(([column, value]) =>
    value === undefined ? [] : [`${column} = ${statement.value('String', value)}`],
  )
  if (search.flag !== undefined) words.push(`bitAnd(flags, ${statement.value('UInt32', FLAGS[search.flag])}) != 0`)
  if (search.state !== undefined) words.push(stateSql(statement, search.state, timedOutAtMs))
  return words
}

function stateSql(statement: Statement, state: NonNullable<Search['state']>, timedOutAtMs: number): string {
  const moment = statement.moment(timedOutAtMs)
  if (state === 'timed_out') return `open = 1 AND last_received_at <= ${moment}`
  if (state === 'open') return `open = 1 AND last_received_at > ${moment}`
  return `state = ${statement.value('String', state)} AND (open = 0 OR last_received_at > ${moment})`
}

async function rowsOf(analytics: AnalyticsReader, page: readonly ViewCursor[]): Promise<ReadonlyMap<string, RawRow>> {
  if (page.length === 0) return new Map()
  const rows = await standingViews(analytics, page, LISTED_COLUMNS)
  return new Map(rows.map((row) => [String(row.x_view_id), row]))
}
