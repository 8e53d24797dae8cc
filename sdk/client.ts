/**
 * The TypeScript client: for backends, and for apps that report by themselves (React Native, Electron, scripts). It needs
 * `fetch` and nothing else. Each method is one request; it repeats nothing by itself. What the service refuses is thrown
 * as a PlayheadError with the service's code; an event that is rejected within a batch is in the answer.
 */
import type { EndReason, PlayedRange, PlayerState, Said, SaidType } from './events.ts'

export interface ClientOptions {
  /** Of the API. */
  readonly url: string
  /** A profile's token, or how to get one; a backend uses an admin key instead. */
  readonly token?: string | (() => string | Promise<string>)
  readonly key?: string
  readonly fetch?: typeof fetch
  readonly timeoutMs?: number
}

export class PlayheadError extends Error {
  override readonly name = 'PlayheadError'
  /** Of the service, such as PROGRESS_NONE; HTTP where something else answered. */
  readonly code: string
  readonly status: number
  /** Set where it is worth trying again. */
  readonly retryAfterMs: number | undefined
  /** The problem document. */
  readonly problem: unknown

  constructor(status: number, problem: unknown, retryAfterMs: number | undefined) {
    const { code = 'HTTP', detail = `the service answered ${status}` } = (problem ?? {}) as Record<string, string>
    super(detail)
    this.code = code
    this.status = status
    this.retryAfterMs = retryAfterMs
    this.problem = problem
  }
}

export interface ProgressReport {
  readonly positionMs: number
  readonly durationMs?: number | null
  /** When it was so, by the device's clock; with `sentAt` a clock that is wrong is put right. */
  readonly clientTimestamp?: number | string
  readonly sentAt?: number | string
  readonly played?: readonly PlayedRange[]
  readonly sessionId?: string | null
  readonly deviceId?: string | null
}

export interface Progress {
  readonly profileId: string
  readonly titleId: string
  readonly positionMs: number
  readonly durationMs: number | null
  readonly percent: number | null
  readonly completed: boolean
  readonly updatedAt: number
  readonly device: string | null
  readonly watchedMs: number
  readonly plays: number
}

export interface ContinueItem {
  readonly titleId: string
  readonly positionMs: number
  readonly durationMs: number | null
  readonly percent: number | null
  readonly name: string | null
  readonly label: string | null
  readonly next: boolean
}

export interface StartWish {
  readonly titleId: string
  /** Send the same one when retrying. */
  readonly sessionId?: string
  readonly deviceId?: string
  readonly deviceType?: string
  readonly player?: string
  readonly positionMs?: number
  readonly trigger?: string
  /** The caller sends PlaybackStarted itself. */
  readonly events?: 'sdk'
}

export interface StartAnswer {
  readonly sessionId: string
  readonly playbackToken: string
  readonly expiresAt: number
  readonly resumePositionMs: number
  readonly heartbeatIntervalMs: number
  readonly slot: 'granted' | 'undecided'
}

export interface Beat {
  readonly positionMs: number
  readonly durationMs?: number
  readonly sequence?: number
  readonly played?: readonly PlayedRange[]
  readonly state?: PlayerState
  readonly clientTimestamp?: number | string
  readonly sentAt?: number | string
}

/** An event as POST /v1/events takes it. */
export type NewEvent = {
  [T in SaidType]: Said[T] & {
    readonly type: T
    readonly profileId: string
    readonly sessionId: string
    readonly titleId: string
    readonly sequence: number
    readonly positionMs: number
    readonly eventId?: string
    readonly idempotencyKey?: string
    readonly occurredAt?: number | string
  }
}[SaidType]

export interface EventsAnswer {
  readonly accepted: number
  readonly rejected: number
  readonly results: readonly { readonly index: number; readonly status: string; readonly code?: string }[]
}

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'
interface Ask {
  readonly body?: unknown
  readonly bearer?: string
}

const TIMEOUT_MS = 15_000

export type PlayheadClient = ReturnType<typeof createClient>

export function createClient({ url, token, key, fetch: ask = fetch, timeoutMs = TIMEOUT_MS }: ClientOptions) {
  const base = url.replace(/\/$/, '')

  async function call<T>(method: Method, path: string, { body, bearer }: Ask = {}): Promise<T> {
    const own = bearer ?? (typeof token === 'function' ? await token() : token)
    const answer = await ask(`${base}${path}`, {
      method,
      headers: {
        ...(own !== undefined && { authorization: `Bearer ${own}` }),
        ...(key !== undefined && { 'x-playhead-key': key }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    })
    const text = await answer.text()
    if (!answer.ok) throw new PlayheadError(answer.status, parsed(text), patience(answer))
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  const placeOf = (profileId: string, titleId: string) =>
    `/v1/profiles/${encodeURIComponent(profileId)}/progress/${encodeURIComponent(titleId)}`

  return {
    progress: {
      /** Undefined: never watched. */
      async get(profileId: string, titleId: string): Promise<Progress | undefined> {
        try {
          return await call<Progress>('GET', placeOf(profileId, titleId))
        } catch (error) {
          if (error instanceof PlayheadError && error.code === 'PROGRESS_NONE') return undefined
          throw error
        }
      },
      /** `wait`: the answer comes when a read would show it. */
      report: (profileId: string, titleId: string, report: ProgressReport, { wait = false } = {}) =>
        call<{ readonly wasUpdated: boolean | null; readonly position: string }>(
          'PUT',
          `${placeOf(profileId, titleId)}${wait ? '?wait=true' : ''}`,
          { body: report },
        ),
      clear: (profileId: string, titleId: string) => call<unknown>('DELETE', placeOf(profileId, titleId)),
      continueWatching: (profileId: string, limit = 20) =>
        call<{ readonly items: readonly ContinueItem[] }>(
          'GET',
          `/v1/profiles/${encodeURIComponent(profileId)}/continue-watching?limit=${limit}`,
        ),
    },
    playback: {
      start: (wish: StartWish) => call<StartAnswer>('POST', '/v1/playback/start', { body: wish }),
      heartbeat: (playbackToken: string, beat: Beat) =>
        call<void>('POST', '/v1/playback/heartbeat', { bearer: playbackToken, body: beat }),
      stop: (playbackToken: string, last: Omit<Beat, 'state'> & { readonly reason?: EndReason }) =>
        call<void>('POST', '/v1/playback/stop', { bearer: playbackToken, body: last }),
    },
    /** With the playback token of their session, or with the client's key. */
    events: (events: readonly NewEvent[], { playbackToken, sentAt = Date.now() }: SendOptions = {}) =>
      call<EventsAnswer>('POST', '/v1/events', {
        body: { events, sentAt },
        ...(playbackToken !== undefined && { bearer: playbackToken }),
      }),
  }
}

interface SendOptions {
  readonly playbackToken?: string
  /** The clock that stamped the events, as they leave. */
  readonly sentAt?: number
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Something between us and the service has answered.
    return undefined
  }
}

function patience(answer: Response): number | undefined {
  const seconds = Number(answer.headers.get('retry-after'))
  if (seconds > 0) return seconds * 1_000
  return answer.status === 429 || answer.status >= 500 ? 0 : undefined
}
