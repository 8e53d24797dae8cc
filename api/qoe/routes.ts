/**
 * Quality of experience, for people with a data or admin key. Thin: read the question, ask the tables, show the answer.
 * Every answer says what it is based on (`sample`) and how far the projection has read (`freshness`).
 */
import type { FastifyInstance, FastifyRequest, FastifySchema } from 'fastify'
import type { EventLog } from '../../log/log.ts'
import type { ViewsParameters } from '../../projections/views/limits.ts'
import type { Admission } from '../context.ts'
import { keyGate } from '../gate.ts'
import type { AnalyticsReader, Checkpoints } from '../ports.ts'
import { positionsOf, waitFor } from '../position.ts'
import { breakdown } from './breakdown.ts'
import { catalogue } from './catalogue.ts'
import { dimensionOf } from './dimensions.ts'
import { distribution } from './distribution.ts'
import { freshnessOf } from './freshness.ts'
import { QOE_LIMITS } from './limits.ts'
import { overview } from './overview.ts'
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
  /** Of the views generation that is read, where they are not the fold's own. */
  readonly parameters?: ViewsParameters
}

export function addQoeRoutes(app: FastifyInstance, parts: QoeParts): void {
  const { analytics } = parts
  const asking = { nowMs: parts.nowMs, freshness: freshnessOf(parts) }
  const gate = keyGate(parts.admission, ['data', 'admin'])
  const positions = positionsOf(parts.checkpoints)

  function get<Q, P = unknown>(
    path: string,
    schema: FastifySchema,
    answer: (query: Q, params: P) => Promise<unknown>,
  ): void {
    app.get(path, { onRequest: gate.onRequest, schema }, async (request: FastifyRequest, reply) => {
      await waitFor(positions, request, reply, 'views')
      return await answer(request.query as Q, request.params as P)
    })
  }

  get<OverviewQuery>('/v1/qoe/overview', OverviewSchema, async (query) => {
    return await overview(analytics, await questionOf(asking, query))
  })
  get<SeriesQuery>('/v1/qoe/timeseries', SeriesSchema, async (query) => {
    const grain = grainOf(query.grain, windowOf(query, parts.nowMs(), 1))
    const question = await questionOf(asking, query, (asked, nowMs) => windowOf(asked, nowMs, GRAINS[grain]))
    return await timeseries(analytics, question, grain)
  })
  get<BreakdownQuery>('/v1/qoe/breakdown', BreakdownSchema, async (query) => {
    const { order = '-views', limit = QOE_LIMITS.breakdownRows, minViews = 0 } = query
    const by = dimensionOf(query.by, 'by')
    return await breakdown(analytics, await questionOf(asking, query), { by, order, limit, viewsMin: minViews })
  })
  get<DistributionQuery>('/v1/qoe/distribution', DistributionSchema, async (query) => {
    return await distribution(analytics, await questionOf(asking, query))
  })
  get<SearchQuery>('/v1/qoe/views', SearchSchema, async (query) => {
    const { limit = QOE_LIMITS.viewsPage, ...search } = query
    return await searchViews(analytics, await questionOf(asking, query), { ...search, limit })
  })
  get<StoryQuery, StoryParams>('/v1/qoe/views/:sessionId', StorySchema, async (query, { sessionId }) => {
    return await story(analytics, await questionOf(asking, query), { sessionId, parameters: parts.parameters })
  })
  get('/v1/qoe/metrics', ListSchema, async () => catalogue())
}
