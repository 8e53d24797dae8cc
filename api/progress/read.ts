/** Where a profile is, what it may go on with, and what it has watched. */
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { ApiContext, ProfileCaller } from '../context.ts'
import { type Gate, profileGate } from '../gate.ts'
import { isStale } from '../guarded.ts'
import { API_LIMITS } from '../limits.ts'
import type { TitleReader } from '../ports.ts'
import { isAway, waitFor } from '../position.ts'
import { Problem } from '../problems.ts'
import { fieldProblem } from '../validation.ts'
import { continueWatching } from './continue-watching.ts'
import { pageOf, readCursor } from './history.ts'
import { progressAt } from './past.ts'
import type { ProfileRequest } from './ports.ts'
import {
  ContinueQuery,
  ContinueWatching,
  History,
  HistoryQuery,
  ProfilePath,
  Progress,
  ResumeQuery,
  TitlePath,
} from './shapes.ts'
import { counts, labelOf, placeOf, progressOf } from './shown.ts'

const TAGS = ['Progress']

export function addReadRoutes(app: FastifyInstance, context: ApiContext): void {
  const gate = profileGate(context.admission, 'browse')
  const { onRequest } = gate
  const parts = { ...context, titles: orNothing(context.titles) }
  addResume(app, parts, gate)
  addContinueWatching(app, parts, onRequest)
  addHistory(app, parts, onRequest)
}

type OnRequest = Gate<ProfileCaller>['onRequest']

function addResume(app: FastifyInstance, context: ApiContext, gate: Gate<ProfileCaller>): void {
  app.get(
    '/v1/profiles/:profileId/progress/:titleId',
    {
      onRequest: gate.onRequest,
      schema: {
        summary: 'Where to resume a title',
        description: 'With an admin key also as it was known at a moment (asOf), folded again from the log.',
        tags: TAGS,
        params: TitlePath,
        querystring: ResumeQuery,
        response: { 200: Progress },
      },
    },
    async (request: ProfileRequest<unknown, { asOf?: string }>, reply) => {
      const { profileId, titleId } = request.params
      const { asOf } = request.query
      if (asOf !== undefined) return await progressAt(context, gate.callerOf(request), request.params, asOf)
      await waitFor(context.positions, request, reply, 'progress')
      const rows = await context.progress.get(profileId, [titleId])
      tellStale(reply, rows)
      const [row] = rows
      if (row === undefined || !counts(row, context.nowMs())) {
        throw new Problem('PROGRESS_NONE', 'Begin at the start; a report makes it known.')
      }
      return progressOf(row)
    },
  )
}

function addContinueWatching(app: FastifyInstance, context: ApiContext, onRequest: OnRequest): void {
  app.get(
    '/v1/profiles/:profileId/continue-watching',
    {
      onRequest,
      schema: {
        summary: 'What a profile may go on with, newest first',
        description:
          'Begun (more than a minute, or 5 %) and not completed. One entry for a series: the episode watched last, or ' +
          'the next one after it was completed.',
        tags: TAGS,
        params: ProfilePath,
        querystring: ContinueQuery,
        response: { 200: ContinueWatching },
      },
    },
    async (request: ProfileRequest<unknown, { limit?: number }>, reply) => {
      const { limit = API_LIMITS.continueWatchingItems } = request.query
      await waitFor(context.positions, request, reply, 'progress', 'titles', 'episodes')
      const rows = await context.progress.all(request.params.profileId)
      tellStale(reply, rows)
      return { items: await continueWatching(rows, context.titles, context.nowMs(), limit) }
    },
  )
}

function addHistory(app: FastifyInstance, context: ApiContext, onRequest: OnRequest): void {
  app.get(
    '/v1/profiles/:profileId/history',
    {
      onRequest,
      schema: {
        summary: 'What a profile watched, newest first',
        description: 'Plays of a title that begin within 30 seconds of each other are one.',
        tags: TAGS,
        params: ProfilePath,
        querystring: HistoryQuery,
        response: { 200: History },
      },
    },
    async (request: ProfileRequest<unknown, { limit?: number; cursor?: string }>, reply) => {
      const { limit = API_LIMITS.historyItems, cursor } = request.query
      const after = cursor === undefined ? undefined : readCursor(cursor)
      if (cursor !== undefined && after === undefined) {
        throw fieldProblem(
          { field: 'cursor', problem: 'is no cursor', remedy: 'Send `next` of the page before.' },
          'query',
        )
      }
      await waitFor(context.positions, request, reply, 'progress', 'titles')
      const rows = await context.progress.all(request.params.profileId)
      tellStale(reply, rows)
      const { plays, next } = pageOf(rows, after, limit)
      const catalogue = await context.titles.get(plays.map(({ row }) => row.titleId))
      const items = plays.map(({ row, startedAtMs, lastAtMs }, index) => {
        const title = catalogue[index]
        const place = placeOf(row, title)
        return {
          titleId: row.titleId,
          name: title?.name ?? null,
          images: title?.images ?? {},
          ...place,
          label: labelOf(place),
          startedAt: startedAtMs,
          lastAt: lastAtMs,
          completed: row.completed,
          watchedMs: row.watchedMs,
        }
      })
      return { items, next }
    },
  )
}

/** The store is away, and these rows are what this process saw last. */
function tellStale(reply: FastifyReply, rows: readonly unknown[]): void {
  if (isStale(rows)) reply.header('playhead-stale', 'true')
}

/** A catalogue that is away costs names and next episodes, not the list. */
function orNothing(titles: TitleReader): TitleReader {
  return {
    get: async (titleIds) => {
      if (titleIds.length === 0) return []
      return await unlessAway(
        titles.get(titleIds),
        titleIds.map(() => undefined),
      )
    },
    episodes: async (seriesId) => await unlessAway(titles.episodes(seriesId), []),
  }
}

async function unlessAway<T>(answer: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (isAway(error)) return otherwise
    throw error
  }
}
