/** What a person may ask of us: everything we hold about a profile, and to forget it. */
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { createOpener } from '../../producers/personal.ts'
import type { KeyVault } from '../../stores/vault.ts'
import type { ApiContext } from '../context.ts'
import { Problem } from '../problems.ts'
import { parseCursor } from './cursor.ts'
import { beginErasure, erasureState } from './erasure.ts'
import { beginExport, exportDocument } from './export.ts'
import { PROFILE_LIMITS } from './limits.ts'
import {
  type EraseRoute,
  EraseSchema,
  type ErasureRoute,
  ErasureSchema,
  type ExportRoute,
  ExportSchema,
} from './schemas.ts'

export interface ProfilePorts {
  readonly vault: KeyVault
}

export function addProfileRoutes(app: FastifyInstance, context: ApiContext, ports: ProfilePorts): void {
  addExport(app, context, ports)
  addErase(app, context, ports)
  app.get<ErasureRoute>('/v1/profiles/:profileId/erasure', { schema: ErasureSchema }, async (request, reply) => {
    const { profileId } = request.params
    await context.admission.profile(request, reply, profileId, 'browse')
    return await erasureState({ ...context, ...ports }, profileId, request.query.position)
  })
}

function addExport(app: FastifyInstance, context: ApiContext, ports: ProfilePorts): void {
  const opener = createOpener(ports.vault)
  let running = 0
  app.get<ExportRoute>('/v1/profiles/:profileId/export', { schema: ExportSchema }, async (request, reply) => {
    const { profileId } = request.params
    const caller = await context.admission.profile(request, reply, profileId, 'browse')
    if (running >= PROFILE_LIMITS.exportsAtOnceMax) {
      throw new Problem('EXPORT_BUSY', 'As many exports as this process takes are running.', {
        retryAfterMs: PROFILE_LIMITS.exportRetryAfterMs,
      })
    }
    running += 1
    const release = once(() => {
      running -= 1
    })
    try {
      // A token's own account; only an admin key may name one.
      const whose = { profileId, accountId: caller.account ?? request.query.account }
      const { cursor } = request.query
      const from = cursor === undefined ? undefined : parseCursor(cursor, await context.log.incarnation())
      const all = { ...context, opener }
      const start = await beginExport(all, whose, from)
      const bounds = { scanMs: PROFILE_LIMITS.exportScanMs, bytesMax: PROFILE_LIMITS.exportBytesMax }
      const stream = Readable.from(endingWith(exportDocument(all, whose, start, bounds), release))
      // A caller who leaves before the first piece.
      stream.once('close', release)
      return reply.type('application/json; charset=utf-8').header('cache-control', 'no-store').send(stream)
    } catch (error) {
      release()
      throw error
    }
  })
}

async function* endingWith<T>(pieces: AsyncIterable<T>, ended: () => void): AsyncGenerator<T> {
  try {
    yield* pieces
  } finally {
    ended()
  }
}

function once(call: () => void): () => void {
  let called = false
  return () => {
    if (!called) call()
    called = true
  }
}

function addErase(app: FastifyInstance, context: ApiContext, ports: ProfilePorts): void {
  app.delete<EraseRoute>('/v1/profiles/:profileId', { schema: EraseSchema }, async (request, reply) => {
    const { profileId } = request.params
    const caller = await context.admission.profile(request, reply, profileId, 'progress')
    // The key is checked and no more. A repetition retires the key that is alive by then, so it needs an event of its
    // own: one with the first one's id would be dropped, and what was retired never be destroyed.
    context.idempotency.keyOf(request, `erase ${profileId}`)
    const { appId, environment, by } = caller
    const arrival = { source: 'api', appId, environment, receivedAtMs: context.nowMs() } as const
    const begun = await beginErasure({ ...context, ...ports, sleep }, arrival, {
      profileId,
      reason: request.query.reason ?? null,
      by,
    })
    const position = context.positions.header([begun.place])
    const href = `/v1/profiles/${encodeURIComponent(profileId)}/erasure?position=${encodeURIComponent(position)}`
    return reply
      .code(202)
      .header('playhead-position', position)
      .header('location', href)
      .send({ profileId, state: 'pending', eventId: begun.eventId, position, erasure: href })
  })
}
