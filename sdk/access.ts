/**
 * By what right a session's events are sent: a playback token, which a profile's token gets from
 * POST /v1/playback/start, or a publishable key. A play never waits for it: events queue until there is one.
 */
import type { Env } from './env.ts'
import * as limits from './limits.ts'
import type { StoredSession } from './outbox.ts'
import { type AnswerBody, bodyOfAnswer, retryAfterMs } from './problem.ts'

export interface Credential {
  readonly headers: Readonly<Record<string, string>>
  /** The same for requests that can't set headers. */
  readonly query: string
  readonly profileId: string
}

export interface Started {
  readonly resumePositionMs: number
  readonly heartbeatIntervalMs: number
}

interface StartAnswer extends Started, AnswerBody {
  readonly playbackToken: string
}

/** The profile's token. */
export type Ask = () => string | Promise<string>

export interface Access {
  /** The latest, for a page that goes and can't wait. */
  readonly current: () => Credential | undefined
  /** A credential, or for how long to be patient. Rejects where nobody answers. */
  readonly get: () => Promise<Credential | number>
  /** It was refused: ask anew. A key can't be asked anew. */
  readonly refuse: () => void
}

/** `save`: what is known of the session now. `started`: what a start answered; undefined: it is over, however it went. */
export function createAccess(
  { fetch, tell }: Env,
  session: StoredSession,
  token: Ask | undefined,
  key: string | undefined,
  save: (session: StoredSession) => void,
  started?: (answer: Started | undefined) => void,
): Access {
  const { url, sessionId, titleId, deviceId } = session
  let current: Credential | undefined
  /** One at a time, whoever asks. */
  let starting: Promise<Credential | number> | undefined

  function useToken(playbackToken: string): Credential {
    current = {
      headers: { authorization: `Bearer ${playbackToken}` },
      query: `token=${playbackToken}`,
      profileId: claim(playbackToken, 'profile') ?? '',
    }
    return current
  }

  async function start(ask: Ask): Promise<Credential | number> {
    const answer = await fetch(`${url}/v1/playback/start`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await ask()}`,
        'content-type': 'application/json',
        ...(key && { 'x-playhead-key': key }),
      },
      body: JSON.stringify({ titleId, sessionId, deviceId, events: 'sdk' }),
      signal: AbortSignal.timeout(limits.requestTimeoutMs),
    })
    const { ok, status } = answer
    const said = (await bodyOfAnswer(answer)) as StartAnswer
    if (!ok || !said.playbackToken) {
      tell(said.code, said, status)
      // What is refused for good is asked for again now and then: a token may be renewed, a stream become free.
      return retryAfterMs(answer) || (status < 500 ? limits.refusedMs : 0)
    }
    const { playbackToken } = said
    const credential = useToken(playbackToken)
    save({ ...session, profileId: credential.profileId, playbackToken })
    started?.(said)
    return credential
  }

  /** Where there is no token to ask with. */
  function useKey(): void {
    if (token || !key) return
    const { profileId = `anon-${sessionId}` } = session
    current = {
      headers: { 'x-playhead-key': key, 'x-playhead-session': sessionId },
      query: `key=${key}&session=${sessionId}`,
      profileId,
    }
  }

  // It may have run out; then the service says so.
  if (session.playbackToken) useToken(session.playbackToken)
  else useKey()

  return {
    current: () => current,
    async get() {
      if (current) return current
      if (!token) return limits.backoffMaxMs
      starting ??= start(token).finally(() => {
        starting = undefined
        started?.(undefined)
      })
      return await starting
    },
    refuse() {
      current = undefined
      useKey()
    },
  }
}

/** A claim of a token, unchecked: the service checks. */
export function claim(token: string, name: string): string | undefined {
  try {
    const body = atob(token.split('.')[1]!.replace(/-/g, '+').replace(/_/g, '/'))
    const text = new TextDecoder().decode(Uint8Array.from(body, (c) => c.charCodeAt(0)))
    return (JSON.parse(text) as Readonly<Record<string, string | undefined>>)[name]
  } catch {
    // Another kind of token: what it claims is its own matter.
    return undefined
  }
}
