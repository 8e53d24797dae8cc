/**
 * The bare Fastify that the API is compared with: it parses the same bodies, checks them by the same rules and answers.
 * It asks nobody who they are, counts nothing and stores nothing. Its own process, as the API is. Says its port to its
 * parent.
 */
import Fastify from 'fastify'
import { HeartbeatBody } from '../api/playback/bodies.ts'
import { createCodec, type EventType } from '../schemas/index.ts'

const codec = await createCodec()
const app = Fastify()
app.post('/heartbeat', { schema: { body: HeartbeatBody } }, async (_request, reply) => reply.code(204).send())
app.post<{ Body: { events: readonly { type: EventType }[] } }>('/events', async (request, reply) => {
  const { events } = request.body
  const wrong = events.filter((event) => !codec.validate(event.type, event, { without: ['meta'] }).ok)
  return reply.code(wrong.length === 0 ? 202 : 422).send({ accepted: events.length - wrong.length })
})
app.get('/progress', async () => ({ titleId: 'title-1', positionMs: 61_000, durationMs: 7_200_000, completed: false }))
await app.listen({ host: '127.0.0.1', port: 0 })
process.send?.({ port: (app.server.address() as { port: number }).port })
process.once('disconnect', () => void app.close())
