/**
 * The bare Fastify that the API is compared with: it parses and validates the same bodies with JSON Schema and answers;
 * nothing is stored. Its own process, as the API is. Says its port to its parent.
 */
import Fastify from 'fastify'

const heartbeat = {
  type: 'object',
  required: ['positionMs'],
  properties: {
    positionMs: { type: 'integer', minimum: 0 },
    durationMs: { type: 'integer', minimum: 0 },
    sequence: { type: 'integer', minimum: 0 },
    state: { type: 'string' },
    clientTimestamp: { type: 'integer', minimum: 0 },
  },
}

const event = {
  type: 'object',
  required: ['type', 'profileId', 'sessionId', 'titleId', 'sequence', 'positionMs'],
  properties: {
    ...heartbeat.properties,
    type: { type: 'string' },
    profileId: { type: 'string', minLength: 1, maxLength: 128 },
    sessionId: { type: 'string', minLength: 1, maxLength: 128 },
    titleId: { type: 'string', minLength: 1, maxLength: 128 },
  },
}

const app = Fastify()
app.post('/heartbeat', { schema: { body: heartbeat } }, async (_request, reply) => reply.code(204).send())
app.post(
  '/events',
  { schema: { body: { type: 'object', properties: { events: { type: 'array', items: event } } } } },
  async (_request, reply) => reply.code(202).send({ accepted: 50 }),
)
app.get('/progress', async () => ({ titleId: 'title-1', positionMs: 61_000, durationMs: 7_200_000, completed: false }))
await app.listen({ host: '127.0.0.1', port: 0 })
process.send?.({ port: (app.server.address() as { port: number }).port })
process.once('disconnect', () => void app.close())
