/** GET /v1/titles/:titleId/retention: how many views play each second of a title, where they leave, what they repeat. */
import { type Static, Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { Admission } from '../context.ts'
import { keyGate } from '../gate.ts'
import { type AnalyticsReader, pinnedOf } from '../ports.ts'
import { type Filters, filtersOf, filterTexts } from '../qoe/filters.ts'
import type { Read } from '../qoe/freshness.ts'
import { DAY_MS, QOE_LIMITS } from '../qoe/limits.ts'
import { Statement } from '../qoe/statement.ts'
import { shownWindow, type Window, windowOf } from '../qoe/window.ts'
import { Id, orNull } from '../validation.ts'
import { AUDIENCE_LIMITS } from './limits.ts'
import { type Edge, type RetentionFacts, retentionCurve } from './retention-curve.ts'
import { TableFreshness } from './shapes.ts'

const Params = Type.Object({ titleId: Id('The title.') })
const Query = Type.Object({
  from: Type.Optional(
    Type.String({ description: 'Views that began from then on: ms or RFC 3339; a day before "to".' }),
  ),
  to: Type.Optional(Type.String({ description: 'Views that began before then; now.' })),
  filter: Type.Optional(
    Type.Union([Type.String(), Type.Array(Type.String())], {
      description: 'dimension:value, repeated; ! in front leaves out.',
    }),
  ),
  step: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: AUDIENCE_LIMITS.retentionSecondsMax,
      description: 'Seconds from one point to the next; more where the title would have over 1,000 points.',
    }),
  ),
})
type Query = Static<typeof Query>

const count = Type.Number()
const percent = orNull(Type.Number())
const Mark = Type.Object({
  fromSeconds: Type.Integer(),
  toSeconds: Type.Integer(),
  views: count,
  percent: Type.Number(),
})
export const RetentionAnswer = Type.Object({
  titleId: Type.String(),
  from: Type.String(),
  to: Type.String(),
  filters: Type.Array(Type.String()),
  lengthSeconds: Type.Integer(),
  stepSeconds: Type.Integer(),
  averagePercent: percent,
  points: Type.Array(
    Type.Object({ atSeconds: Type.Integer(), audience: count, audiencePercent: percent, plays: count }),
  ),
  dropOffs: Type.Array(Mark),
  rewatchPeaks: Type.Array(Mark),
  sample: Type.Object({ views: Type.Integer(), starts: Type.Integer() }),
  freshness: TableFreshness,
})

const schema = {
  tags: ['Audience'],
  summary: 'How many views play each second of a title',
  description:
    'audience: views that played the second at least once, and of all views that started; plays: with repeats. Marks: ' +
    'where most leave, and what is played again.',
  security: [{ key: [] }],
  params: Params,
  querystring: Query,
  response: { 200: RetentionAnswer },
}

export interface RetentionParts {
  readonly admission: Admission
  readonly analytics: AnalyticsReader
  readonly freshness: (asOfMs: undefined) => Promise<Read>
  readonly nowMs: () => number
}

export function addRetention(app: FastifyInstance, { admission, analytics, freshness, nowMs }: RetentionParts): void {
  const { onRequest } = keyGate(admission, ['data', 'admin'])
  app.get<{ Params: Static<typeof Params>; Querystring: Query }>(
    '/v1/titles/:titleId/retention',
    { onRequest, schema },
    async (request) => {
      const { titleId } = request.params
      const { from, to, filter, step } = request.query
      const window = windowOf({ ...(from !== undefined && { from }), ...(to !== undefined && { to }) }, nowMs())
      const filters = filtersOf(filter)
      // Before the rows: an answer holds all that it says it holds.
      const read = await freshness(undefined)
      const { views, ...facts } = await factsOf(pinnedOf(analytics), { titleId, window, filters })
      const curve = retentionCurve({ ...facts, ...(step !== undefined && { stepSeconds: step }) })
      const sample = { views, starts: facts.starts }
      return {
        titleId,
        ...shownWindow(window),
        filters: filterTexts(filters),
        ...curve,
        sample,
        freshness: read.freshness,
      }
    },
  )
}

interface Question {
  readonly titleId: string
  readonly window: Window
  readonly filters: Filters
}

async function factsOf(analytics: AnalyticsReader, question: Question): Promise<RetentionFacts & { views: number }> {
  const [totals, watched, played] = await Promise.all([
    totalsOf(analytics, question),
    edgesOf(analytics, question, 'views', ['watched_from', 'watched_to']),
    edgesOf(analytics, question, 'view_slices', ['played_from', 'played_to']),
  ])
  return { ...totals, watched, played }
}

/** The length is the one that most views were told: a few may know an older one. */
async function totalsOf(analytics: AnalyticsReader, { titleId, window, filters }: Question) {
  const sql = new Statement()
  const [row] = await analytics.query<Record<'views_sum' | 'starts_sum' | 'length_ms', number | string>>(
    `SELECT sum(views_of) AS views_sum, sum(starts_of) AS starts_sum,
            argMaxIf(title_duration_ms, views_of, title_duration_ms > 0 AND views_of > 0) AS length_ms
     FROM (
       SELECT title_duration_ms, sum(sign * views) AS views_of, sum(sign * starts) AS starts_of
       FROM ${sql.table(analytics.views, 'views')}
       WHERE ${sql.within('started_at', window)} AND title_id = ${sql.value('String', titleId)}${sql.filters(filters)}
       GROUP BY title_duration_ms
     )`,
    sql.parameters,
    BUDGET,
  )
  const of = (value: number | string | undefined) => Number(value ?? 0)
  return {
    views: of(row?.views_sum),
    starts: of(row?.starts_sum),
    durationSeconds: Math.ceil(of(row?.length_ms) / 1_000),
  }
}

/** Each range adds one where it begins and takes one away where it ends; rows that were taken back cancel out. */
async function edgesOf(
  analytics: AnalyticsReader,
  { titleId, window, filters }: Question,
  table: 'views' | 'view_slices',
  [from, to]: readonly [string, string],
): Promise<readonly Edge[]> {
  const sql = new Statement()
  const last = sql.value('UInt32', AUDIENCE_LIMITS.retentionSecondsMax)
  const edges = (ranges: string, change: 1 | -1) => `arrayMap(s -> (least(s, ${last}), toInt64(${change})), ${ranges})`
  const rows = await analytics.query<Record<'second' | 'change', number | string>>(
    `SELECT edge.1 AS second, sum(sign * edge.2) AS change
     FROM (
       SELECT sign, arrayJoin(arrayConcat(${edges(from, 1)}, ${edges(to, -1)})) AS edge
       FROM ${sql.table(analytics.views, table)}
       WHERE ${sql.within('started_at', window)}${table === 'views' ? '' : minutesOf(sql, window)}
         AND title_id = ${sql.value('String', titleId)}${sql.filters(filters)}
     )
     GROUP BY second HAVING change != 0 ORDER BY second`,
    sql.parameters,
    BUDGET,
  )
  return rows.map(({ second, change }) => ({ second: Number(second), change: Number(change) }))
}

/** Slices are sorted by their own minute: those of the window's views can't lie before it, nor long after. */
function minutesOf(sql: Statement, { fromMs, toMs }: Window): string {
  const last = Math.min(toMs + VIEW_DAYS_MAX * DAY_MS, QOE_LIMITS.timeMsMax)
  return ` AND ${sql.withinMinutes({ fromMs: fromMs - (fromMs % 60_000), toMs: last })}`
}

/** What is played of a view later than this after its start is not among its plays. */
const VIEW_DAYS_MAX = 7
const BUDGET = { timeoutMs: AUDIENCE_LIMITS.retentionTimeoutMs }
