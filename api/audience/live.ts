/** GET /v1/live: who watches now, each second over server-sent events, or once as JSON. */
import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Admission } from '../context.ts'
import { keyGate } from '../gate.ts'
import { Problem } from '../problems.ts'
import { orNull } from '../validation.ts'
import type { AudienceFrames } from './frames.ts'
import { AUDIENCE_LIMITS } from './limits.ts'
import { AudienceStreams } from './stream.ts'

const whole = Type.Integer({ minimum: 0 })
const Recently = Type.Object({ lastSecond: whole, lastMinute: whole })
const Values = Type.Array(
  Type.Object({
    value: Type.String({ description: "'': not known." }),
    concurrent: whole,
    stalled: whole,
    starts: Type.Integer({ description: 'In the last minute.' }),
    failures: Type.Integer({ description: 'In the last minute.' }),
  }),
  { description: `The ${AUDIENCE_LIMITS.topValuesMax} largest.` },
)
export const LiveFrame = Type.Object({
  at: Type.String({ description: 'End of the second that it tells of.' }),
  concurrent: Type.Integer({ description: 'starting + playing + seeking + stalled + failed + unknown.' }),
  starting: whole,
  playing: whole,
  seeking: whole,
  stalled: whole,
  failed: whole,
  unknown: whole,
  paused: Type.Integer({ description: 'Not in concurrent.' }),
  starts: Recently,
  failures: Recently,
  by: Type.Object({ country: Values, region: Values, title: Values, cdn: Values }),
  leftOut: Type.Object({ late: whole, evicted: whole }),
  freshness: Type.Object({
    readThrough: Type.Record(Type.String(), Type.String()),
    lag: Type.Integer({ description: 'Records of the log that were not read yet.' }),
    asOf: orNull(Type.String({ description: 'The latest receipt that was read.' })),
    stale: Type.Boolean({ description: 'The log is away, or its last minutes are still being read.' }),
    undecodable: whole,
  }),
})

const schema = {
  tags: ['Audience'],
  summary: 'Who watches now: server-sent events each second, or JSON once',
  description: 'Concurrent viewers, starts, failures and stalls, with the largest countries, regions, titles and CDNs.',
  security: [{ key: [] }],
  querystring: Type.Object({
    once: Type.Optional(Type.Boolean({ description: 'One frame as JSON in place of the stream.' })),
  }),
  response: { 200: LiveFrame },
}

export interface LiveParts {
  readonly admission: Admission
  readonly frames: AudienceFrames
}

export function addLiveNumbers(app: FastifyInstance, { admission, frames }: LiveParts): void {
  const streams = new AudienceStreams(frames)
  const { onRequest } = keyGate(admission, ['data', 'admin'])
  // Before the server stops listening, which waits for open connections.
  app.addHook('preClose', async () => streams.end())
  // A HEAD would open a stream that nobody reads.
  const route = { onRequest, schema, exposeHeadRoute: false }
  app.get('/v1/live', route, async (request: FastifyRequest<{ Querystring: { once?: boolean } }>, reply) => {
    if (request.query.once === true) {
      return reply.header('cache-control', 'no-store').send(frames.current().frame)
    }
    if (streams.size >= AUDIENCE_LIMITS.streamsMax) {
      throw new Problem('LIVE_FULL', 'This process has as many live streams as it takes. Ask with ?once=true.', {
        retryAfterMs: AUDIENCE_LIMITS.retryAfterFullMs,
      })
    }
    streams.open(request, reply)
    return reply
  })
}
