/**
 * Who reports. A playback token, in the path, in Authorization or as `?token=`, binds the records to its profile; a
 * publishable key lets them in for nobody's profile in particular. A token whose time is over is answered 410: by
 * CTA-5004-B the player reports nothing more in this session.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ApiContext, PlaybackClaims } from '../context.ts'
import { looksLikeToken } from '../credentials.ts'
import { bearerOf } from '../playback/token.ts'
import { Problem } from '../problems.ts'

export interface Reporter {
  readonly appId: string
  readonly environment: string
  /** Undefined for a publishable key. */
  readonly bound: PlaybackClaims | undefined
}

export async function reporterOf(
  { admission }: Pick<ApiContext, 'admission'>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Reporter> {
  const token = tokenOf(request)
  if (token === undefined) {
    const { app, environment } = await admission.key(request, reply, ['publishable', 'admin'], 'events')
    return { appId: app, environment, bound: undefined }
  }
  try {
    const bound = await admission.playback(request, reply, token, 'events')
    return { appId: bound.appId, environment: bound.environment, bound }
  } catch (error) {
    if (!(error instanceof Problem && error.code === 'TOKEN_EXPIRED')) throw error
    throw new Problem('SESSION_OVER', 'The playback token has expired: start a new playback to report again.')
  }
}

/** The path's stands above all: whoever configured it meant it. */
function tokenOf(request: FastifyRequest): string | undefined {
  const { token: fromPath } = request.params as { readonly token?: string }
  if (fromPath !== undefined) return fromPath
  const bearer = bearerOf(request)
  if (bearer !== undefined && looksLikeToken(bearer)) return bearer
  const { token } = request.query as Readonly<Record<string, unknown>>
  return typeof token === 'string' && token !== '' ? token : undefined
}
