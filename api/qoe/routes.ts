/**
 * Quality of experience, for people with a data or admin key. Thin: read the question, ask the tables, show the answer.
 * Every answer says what it is based on (`sample`) and how far the projection has read (`freshness`).
 */
import type { FastifyInstance, FastifyRequest, FastifySchema } from 'fastify'
import type { EventLog } from '../../log/log.ts'
import { VIEWS_PARAMETERS } from '../../projections/views/limits.ts'
import type { Admission } from '../context.ts'
import { keyGate } from '../gate.ts'
import { type AnalyticsReader, type Checkpoints, pinnedOf } from '../ports.ts'
import { positionsOf, waitFor } from '../position.ts'
import type { Past } from '../replay/past.ts'
import { breakdown } from './breakdown.ts'
import { catalogue } from './catalogue.ts'
import { dimensionOf } from './dimensions.ts'
import { distribution } from './distribution.ts'
import { freshnessOf } from './freshness.ts'
import { QOE_LIMITS } from './limits.ts'
import { overview } from './overview.ts'
import { pastStory } from './past.ts'
import { questionOf } from './question.ts'
import {
  type BreakdownQuery,
  BreakdownSchema,
  type DistributionQuery,
  DistributionSchema,
  ListSchema,
  type OverviewQuery,
  OverviewSchema,
  type SearchQuery,
  SearchSchema,
  type SeriesQuery,
  SeriesSchema,
  type StoryParams,
  type StoryQuery,
  StorySchema,
} from './schemas.ts'
import { searchViews } from './search.ts'
import { story } from './story.ts'
import { timeseries } from './timeseries.ts'
import { GRAINS, grainOf, windowOf } from './window.ts'

export interface QoeParts {
  readonly admission: Admission
  readonly analytics: AnalyticsReader
  readonly log: EventLog
  readonly checkpoints: Checkpoints
  readonly nowMs: () => number
  /** Without it a session's story is of now, and `asOf` says when an open view timed out. */
  readonly past?: Past
}

export function addQoeRoutes(app: FastifyInstance, parts: QoeParts): void {
  const asking = { nowMs: parts.nowMs, freshness: freshnessOf(parts) }
  const gate = keyGate(parts.admission, ['data', 'admin'])
  const positions = positionsOf(parts.checkpoints)

  function get<Q, P = unknown>(
    path: string,
    schema: FastifySchema,
    answer: (query: Q, analytics: AnalyticsReader, params: P) => Promise<unknown>,
  ): void {
    app.get(path, { onRequest: gate.onRequest, schema }, async (request: FastifyRequest, reply) => {
      await waitFor(positions, request, reply, 'views')
      return await answer(request.query as Q, pinnedOf(parts.analytics), request.params as P)
    })
  }

  get<OverviewQuery>('/v1/qoe/overview', OverviewSchema, async (query, analytics) => {
    return await overview(analytics, await questionOf(asking, query))
  })
  get<SeriesQuery>('/v1/qoe/timeseries', SeriesSchema, async (query, analytics) => {
    const grain = grainOf(query.grain, windowOf(query, parts.nowMs(), 1))
    const question = await questionOf(asking, query, (asked, nowMs) => windowOf(asked, nowMs, GRAINS[grain]))
    return await timeseries(analytics, question, grain)
  })
  get<BreakdownQuery>('/v1/qoe/breakdown', BreakdownSchema, async (query, analytics) => {
    const { order = '-views', limit = QOE_LIMITS.breakdownRows, minViews = 0 } = query
    const by = dimensionOf(query.by, 'by')
    return await breakdown(analytics, await questionOf(asking, query), { by, order, limit, viewsMin: minViews })
  })
  get<DistributionQuery>('/v1/qoe/distribution', DistributionSchema, async (query, analytics) => {
    return await distribution(analytics, await questionOf(asking, query))
  })
  get<SearchQuery>('/v1/qoe/views', SearchSchema, async (query, analytics) => {
    const { limit = QOE_LIMITS.viewsPage, ...search } = query
    return await searchViews(analytics, await questionOf(asking, query), { ...search, limit })
  })
  get<StoryQuery, StoryParams>('/v1/qoe/views/:sessionId', StorySchema, async (query, analytics, { sessionId }) => {
    const { asOf, timeoutMinutes } = query
    if (parts.past !== undefined && asOf !== undefined && asOf !== 'now') {
      return await pastStory(parts.past, { sessionId, asOf, timeoutMinutes })
    }
    return await story(analytics, await questionOf(asking, query), {
      sessionId,
      parameters: analytics.parameters && { ...VIEWS_PARAMETERS, ...analytics.parameters },
    })
  })
  get('/v1/qoe/metrics', ListSchema, async () => catalogue())
}
