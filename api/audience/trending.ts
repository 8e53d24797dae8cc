/**
 * GET /v1/titles/trending: what rises, by how surprising the rise is: the difference to the window before, in units of
 * what chance alone makes of such numbers. A hit that is steady does not trend, and one viewer more than none does not either.
 *
 * Over a day and more, all regions together, the cube of hours answers; else the views, and then viewers are counted.
 */
import { type Static, Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { orWhenAway } from '../away.ts'
import type { Admission } from '../context.ts'
import { keyGate } from '../gate.ts'
import type { AnalyticsReader, TitleReader } from '../ports.ts'
import { Problem } from '../problems.ts'
import type { Freshness, Read } from '../qoe/freshness.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../qoe/limits.ts'
import { Statement } from '../qoe/statement.ts'
import { shownWindow, type Window } from '../qoe/window.ts'
import { Recent } from '../recent.ts'
import { fieldProblem, orNull } from '../validation.ts'
import { AUDIENCE_LIMITS } from './limits.ts'
import { TableFreshness } from './shapes.ts'

const WINDOWS = { '1h': HOUR_MS, '24h': DAY_MS, '7d': 7 * DAY_MS } as const
type WindowName = keyof typeof WINDOWS

const { trendingTitles, trendingTitlesMax, trendingSpare } = AUDIENCE_LIMITS
const Query = Type.Object({
  window: Type.Optional(
    Type.Union([Type.Literal('1h'), Type.Literal('24h'), Type.Literal('7d')], {
      description: 'Compared with as long a time before it; 24h.',
    }),
  ),
  region: Type.Optional(Type.String({ maxLength: 16, description: 'A country (DE) or a part of it (DE-BY).' })),
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: trendingTitlesMax, description: `Titles; ${trendingTitles}.` }),
  ),
})
type Query = Static<typeof Query>

const whole = Type.Integer()
const Item = Type.Object({
  rank: whole,
  titleId: Type.String(),
  name: orNull(Type.String()),
  score: Type.Number({ description: '(now − before) / √(now + before + 1), of what "rankedBy" says.' }),
  views: Type.Integer({ description: 'Views that started.' }),
  viewsBefore: whole,
  viewers: orNull(Type.Integer({ description: 'Profiles with such a view; null where they are not counted.' })),
  viewersBefore: orNull(whole),
})
type Item = Static<typeof Item>
export const TrendingAnswer = Type.Object({
  window: Type.String(),
  from: Type.String(),
  to: Type.String(),
  region: orNull(Type.String()),
  rankedBy: Type.Union([Type.Literal('viewers'), Type.Literal('views')]),
  titles: Type.Array(Item),
  sample: Type.Object({ views: Type.Integer({ description: 'Of the titles shown.' }) }),
  freshness: TableFreshness,
})

const schema = {
  tags: ['Audience'],
  summary: 'Titles that rise',
  description: 'The window against as long a time before it. A new answer is made every half minute.',
  security: [{ key: [] }],
  querystring: Query,
  response: { 200: TrendingAnswer },
}

export interface TrendingParts {
  readonly admission: Admission
  readonly analytics: AnalyticsReader
  readonly freshness: (asOfMs: undefined) => Promise<Read>
  readonly nowMs: () => number
  readonly titles?: Pick<TitleReader, 'get'>
}

interface Region {
  readonly country: string
  readonly part: string | undefined
}

/** What is remembered for some seconds: as many titles as anybody may ask for. */
interface Ranking {
  readonly madeMs: number
  readonly freshness: Freshness
  readonly window: Window
  readonly rankedBy: 'viewers' | 'views'
  readonly titles: readonly Omit<Item, 'rank'>[]
}

export function addTrending(app: FastifyInstance, parts: TrendingParts): void {
  const { onRequest } = keyGate(parts.admission, ['publishable', 'data', 'admin'], 'browse')
  const rankings = rememberedRankings(parts)
  app.get<{ Querystring: Query }>(
    '/v1/titles/trending',
    { onRequest, schema },
    async (request): Promise<Static<typeof TrendingAnswer>> => {
      const { window: name = '24h', limit = trendingTitles } = request.query
      const region = regionOf(request.query.region)
      const { window, rankedBy, titles, freshness } = await rankings(name, region)
      const shown = titles.slice(0, limit).map((title, i) => ({ rank: i + 1, ...title }))
      const views = shown.reduce((sum, title) => sum + title.views, 0)
      const shownRegion = region === undefined ? null : nameOf(region)
      const asked = { window: name, ...shownWindow(window), region: shownRegion }
      return { ...asked, rankedBy, titles: shown, sample: { views }, freshness }
    },
  )
}

function nameOf({ country, part }: Region): string {
  return part === undefined ? country : `${country}-${part}`
}

/** `DE` or `DE-BY`. */
function regionOf(given: string | undefined): Region | undefined {
  if (given === undefined) return undefined
  const [, country, part] = /^([A-Z]{2})(?:-([A-Z0-9]{1,3}))?$/.exec(given.toUpperCase()) ?? []
  if (country !== undefined) return { country, part }
  const remedy = 'Send a country, such as DE, or a part of one, such as DE-BY.'
  throw fieldProblem({ field: 'region', problem: 'is no region', remedy }, 'query')
}

/** The page of every visitor asks the same: one query answers all of them for half a minute. */
function rememberedRankings(parts: TrendingParts) {
  const known = new Recent<Ranking>(AUDIENCE_LIMITS.trendingAnswersMax)
  const asking = new Map<string, Promise<Ranking>>()
  return async (name: WindowName, region: Region | undefined): Promise<Ranking> => {
    const key = `${name} ${region === undefined ? '' : nameOf(region)}`
    const found = known.get(key)
    if (found !== undefined && parts.nowMs() - found.madeMs < AUDIENCE_LIMITS.trendingFreshMs) return found
    let answer = asking.get(key)
    if (answer === undefined) {
      if (asking.size >= AUDIENCE_LIMITS.trendingQueriesMax) {
        const { retryAfterBusyMs: retryAfterMs } = AUDIENCE_LIMITS
        throw new Problem('RATE_LIMITED', 'Other rankings are being made: ask again in a second.', { retryAfterMs })
      }
      answer = rankingOf(parts, name, region).finally(() => asking.delete(key))
      asking.set(key, answer)
    }
    const made = await answer
    known.put(key, made)
    return made
  }
}

async function rankingOf(parts: TrendingParts, name: WindowName, region: Region | undefined): Promise<Ranking> {
  const madeMs = parts.nowMs()
  const lengthMs = WINDOWS[name]
  const byHours = region === undefined && lengthMs > HOUR_MS
  // To a whole hour of the cube: part of an hour would be compared with a whole one.
  const grainMs = byHours ? HOUR_MS : MINUTE_MS
  const toMs = Math.floor(madeMs / grainMs) * grainMs
  const window = { fromMs: toMs - lengthMs, toMs }
  // Before the rows: an answer holds all that it says it holds.
  const { freshness } = await parts.freshness(undefined)
  const rows = byHours ? await fromHours(parts.analytics, window) : await fromViews(parts.analytics, window, region)
  const titles = await named(parts.titles, rows.map(itemOf))
  const rankedBy = byHours ? 'views' : 'viewers'
  return { madeMs, freshness, window, rankedBy, titles: titles.slice(0, trendingTitlesMax) }
}

type Row = Readonly<
  Record<'views_now' | 'views_before' | 'viewers_now' | 'viewers_before' | 'score', number | string | null>
> & { readonly title: string }

function itemOf(row: Row): Omit<Item, 'rank'> {
  const orNone = (value: number | string | null) => (value === null ? null : Number(value))
  return {
    titleId: row.title,
    name: null,
    score: Math.round(Number(row.score) * 100) / 100,
    views: Number(row.views_now),
    viewsBefore: Number(row.views_before),
    viewers: orNone(row.viewers_now),
    viewersBefore: orNone(row.viewers_before),
  }
}

const score = (of: string) => `(${of}_now - ${of}_before) / sqrt(${of}_now + ${of}_before + 1) AS score`
const ranked = (of: string) =>
  `HAVING ${of}_now > 0 ORDER BY score DESC, ${of}_now DESC, title LIMIT ${trendingTitlesMax + trendingSpare}`
const BUDGET = { timeoutMs: AUDIENCE_LIMITS.trendingTimeoutMs }

async function fromHours(analytics: AnalyticsReader, window: Window): Promise<readonly Row[]> {
  const sql = new Statement()
  const since = sql.moment(window.fromMs)
  return await analytics.query<Row>(
    `SELECT value AS title, sumIf(starts, hour >= ${since}) AS views_now, sumIf(starts, hour < ${since}) AS views_before,
            NULL AS viewers_now, NULL AS viewers_before, ${score('views')}
     FROM ${sql.table(analytics.views, 'qoe_hour')}
     WHERE dim = 'title_id' AND value != '' AND ${sql.within('hour', withBefore(window))}
     GROUP BY value ${ranked('views')}`,
    sql.parameters,
    BUDGET,
  )
}

async function fromViews(
  analytics: AnalyticsReader,
  window: Window,
  region: Region | undefined,
): Promise<readonly Row[]> {
  const sql = new Statement()
  const since = sql.moment(window.fromMs)
  const country = region && ` AND country = ${sql.value('String', region.country)}`
  const part = region?.part && ` AND region = ${sql.value('String', region.part)}`
  return await analytics.query<Row>(
    `SELECT title_id AS title, sum(of_now) AS views_now, sum(of_before) AS views_before,
            countIf(of_now > 0) AS viewers_now, countIf(of_before > 0) AS viewers_before, ${score('viewers')}
     FROM (
       SELECT title_id, profile_id,
              sumIf(sign * starts, started_at >= ${since}) AS of_now,
              sumIf(sign * starts, started_at < ${since}) AS of_before
       FROM ${sql.table(analytics.views, 'views')}
       WHERE ${sql.within('started_at', withBefore(window))} AND title_id != ''${country ?? ''}${part ?? ''}
       GROUP BY title_id, profile_id
     )
     GROUP BY title_id ${ranked('viewers')}`,
    sql.parameters,
    BUDGET,
  )
}

function withBefore({ fromMs, toMs }: Window): Window {
  return { fromMs: fromMs - (toMs - fromMs), toMs }
}

/** A catalogue that is away costs the names; what was withdrawn is not shown. */
async function named(
  titles: TrendingParts['titles'],
  items: readonly Omit<Item, 'rank'>[],
): Promise<readonly Omit<Item, 'rank'>[]> {
  if (titles === undefined || items.length === 0) return items
  const ids = items.map(({ titleId }) => titleId)
  const rows = await orWhenAway(titles.get(ids), AUDIENCE_LIMITS.namesWaitMs, undefined)
  if (rows === undefined) return items
  return items.flatMap((item, i) => (rows[i]?.withdrawn ? [] : [{ ...item, name: rows[i]?.name ?? null }]))
}
