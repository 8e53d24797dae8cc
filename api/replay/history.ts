/** What the tables said at a moment, and the events that made it. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { fieldProblem } from '../validation.ts'
import { REPLAY_ROUTE_LIMITS } from './limits.ts'
import type { Routes } from './parts.ts'
import type { HistoryStep } from './ports.ts'
import { described, History, HistoryQuery, ProjectionPath } from './schemas.ts'

const { historyStatesMax, historyStepsMax } = REPLAY_ROUTE_LIMITS
const WHOSE = {
  profileId: 'profile_id',
  titleId: 'title_id',
  sessionId: 'session_id',
  accountId: 'account_id',
} as const

export function addHistoryRoutes(app: FastifyInstance, { past, gate: { onRequest } }: Routes): void {
  app.get(
    '/v1/history/:projection',
    {
      onRequest,
      schema: {
        ...described(
          'What a row was, and why',
          'Folds the events of one key again, up to the moment. Nothing is written and no live table is read. Say whose: a profile (and a title), a session, a title or an account, as the projection is kept.',
        ),
        params: ProjectionPath,
        querystring: HistoryQuery,
        response: { 200: History },
      },
    },
    async (request: FastifyRequest<{ Params: { projection: string }; Querystring: HistoryQuery }>) => {
      const { projection } = request.params
      const { asOf, steps = false, ...query } = request.query
      const of = Object.fromEntries(
        Object.entries(WHOSE).flatMap(([name, column]) => {
          const value = query[name as keyof typeof WHOSE]
          return value === undefined ? [] : [[column, value]]
        }),
      )
      if (Object.keys(of).length === 0) {
        const remedy = `Send one or more of ${Object.keys(WHOSE).join(', ')}.`
        throw fieldProblem({ field: '', problem: 'does not say whose', remedy }, 'query')
      }
      const moment = asOf === undefined ? undefined : past.moment(asOf)
      const found = await past.history({ projection, of, moment: moment ?? {}, steps })
      return {
        ...{ projection, generation: found.generation, asOf: moment?.asOf ?? null },
        states: found.states.slice(0, historyStatesMax),
        ...(steps && { steps: found.steps.slice(-historyStepsMax).map(shownStep) }),
        more: { states: found.states.length > historyStatesMax, steps: found.steps.length > historyStepsMax },
      }
    },
  )
}

function shownStep({ topic, partition, position, timestampMs, ...step }: HistoryStep): object {
  return { at: `${topic}/${partition}@${position}`, receivedAt: new Date(timestampMs).toISOString(), ...step }
}
