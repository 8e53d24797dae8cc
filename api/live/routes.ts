/** GET /v1/profiles/:profileId/live: a profile's progress as it changes, over server-sent events or a WebSocket. */
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { ApiContext } from '../context.ts'
import { credentialsOf } from '../credentials.ts'
import { Id } from '../validation.ts'
import { Feed } from './feed.ts'
import { Sessions } from './session.ts'
import { openSocket } from './socket.ts'
import { openSse } from './sse.ts'
import { UpgradeRefused, Upgrades } from './upgrade.ts'

export interface LiveOptions {
  readonly logger: { error(fields: object, message: string): void }
}

const schema = {
  tags: ['Progress'],
  summary: "A profile's progress as it changes: server-sent events, or a WebSocket on the same path",
  security: [{ profileToken: [] }, { key: [] }],
  params: Type.Object({ profileId: Id('Whose progress.') }),
  querystring: Type.Object({
    token: Type.Optional(Type.String({ description: 'The profile token, for EventSource and WebSocket in browsers.' })),
  }),
  response: {
    200: Type.String({ description: 'text/event-stream: ready, progress, removed, resync, end.' }),
  },
}

export function addLiveRoutes(app: FastifyInstance, context: ApiContext, { logger }: LiveOptions): void {
  const failed = (error: unknown) => logger.error({ err: error }, 'a live stream failed')
  const feed = new Feed({ ...context, failed })
  const sessions = new Sessions(feed, { ...context, failed })
  const upgrades = new Upgrades()
  upgrades.listen(app)
  // Before the server stops listening, which waits for open connections.
  app.addHook('preClose', async () => {
    sessions.end()
    await feed.close()
  })
  // A HEAD would open a stream that nobody reads.
  const route = { schema, exposeHeadRoute: false }
  app.get<{ Params: { profileId: string } }>('/v1/profiles/:profileId/live', route, async (request, reply) => {
    const { profileId } = request.params
    await context.admission.profile(request, reply, profileId, 'browse')
    const resumes = request.headers['last-event-id'] !== undefined
    const opening = { profileId, resumes, expiresAtMs: expiryOf(credentialsOf(request).token) }
    try {
      sessions.start(opening, () =>
        upgrades.wants(request) ? openSocket(upgrades.accept(request, reply)) : openSse(request, reply),
      )
    } catch (error) {
      if (!(error instanceof UpgradeRefused)) throw error
    }
    return reply
  })
}

/** When the token that admission has let in runs out; an admin key does not. */
function expiryOf(token: string | undefined): number | undefined {
  if (token === undefined) return undefined
  const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as { exp: number }
  return exp * 1000
}
