/** GET /v1/sessions/:sessionId/lint: what an integration leaves out or gets wrong, told by one session that it sent. */
import type { FastifyInstance } from 'fastify'
import { keyGate } from '../gate.ts'
import { positionsOf, waitFor } from '../position.ts'
import { freshnessOf } from '../qoe/freshness.ts'
import { questionOf } from '../qoe/question.ts'
import type { QoeParts } from '../qoe/routes.ts'
import { lint } from './lint.ts'
import { readSession } from './read.ts'
import { type LintRoute, LintSchema } from './schemas.ts'

export type LintParts = Omit<QoeParts, 'parameters'>

export function addLintRoutes(app: FastifyInstance, parts: LintParts): void {
  const { analytics, nowMs } = parts
  const asking = { nowMs, freshness: freshnessOf(parts) }
  const { onRequest } = keyGate(parts.admission, ['data', 'admin'])
  const positions = positionsOf(parts.checkpoints)
  app.get<LintRoute>('/v1/sessions/:sessionId/lint', { onRequest, schema: LintSchema }, async (request, reply) => {
    await waitFor(positions, request, reply, 'views')
    const { timedOutAtMs, read } = await questionOf(asking, request.query)
    const { views, more } = await readSession(analytics, request.params.sessionId, timedOutAtMs)
    return {
      sessionId: request.params.sessionId,
      views: views.map(({ profileId, titleId, state, events, copies, own, cmcd }) => ({
        profileId,
        titleId,
        state,
        reports: { events: events.length, copies: copies.length, player: own.length, cmcd: cmcd.length },
      })),
      ...lint(views),
      more,
      freshness: read.freshness,
    }
  })
}
