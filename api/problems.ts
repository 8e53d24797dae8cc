/**
 * Every error the API answers: RFC 9457 problem details, each with a stable code. Only what is in this table and a
 * `detail` written for the caller ever leaves the process; anything else thrown is INTERNAL and says nothing.
 */
import { LogBusy, LogError, LogFull, LogUnavailable } from '../log/errors.ts'
import { StoreFull, StoreUnavailable } from '../stores/errors.ts'
import { API_LIMITS } from './limits.ts'

export const PROBLEMS = {
  BAD_REQUEST: { status: 400, title: 'The request is malformed' },
  BODY_EMPTY: { status: 400, title: 'The body is empty' },
  BODY_NOT_JSON: { status: 400, title: 'The body is not JSON' },
  BODY_ENCODING_BROKEN: { status: 400, title: 'The body does not decode as its Content-Encoding says' },
  BODY_SHAPE: { status: 400, title: 'The body has another shape than wanted' },
  FIELD_INVALID: { status: 400, title: 'A field of the request is not as wanted' },
  POSITION_INVALID: { status: 400, title: 'The Playhead-Position is malformed' },
  IDEMPOTENCY_KEY: { status: 400, title: 'The Idempotency-Key is malformed' },
  KEY_MISSING: { status: 401, title: 'A key is needed' },
  KEY_UNKNOWN: { status: 401, title: 'The key is not valid' },
  TOKEN_MISSING: { status: 401, title: 'A token is needed' },
  TOKEN_INVALID: { status: 401, title: 'The token is not valid' },
  TOKEN_EXPIRED: { status: 401, title: 'The token has expired' },
  KEY_NOT_ALLOWED: { status: 403, title: 'The key does not allow this' },
  PROFILE_NOT_YOURS: { status: 403, title: 'The token is of another profile' },
  NOT_FOUND: { status: 404, title: 'There is nothing here' },
  NAME_UNKNOWN: { status: 404, title: 'Nothing has this name' },
  PROGRESS_NONE: { status: 404, title: 'The profile has no progress in this title' },
  SESSION_UNKNOWN: { status: 404, title: 'No view is known of this session' },
  TITLE_UNKNOWN: { status: 404, title: 'The catalogue has no such title' },
  REQUEST_TIMEOUT: { status: 408, title: 'The request took too long to arrive' },
  NOT_NOW: { status: 409, title: 'It can not be done as things are' },
  STREAM_LIMIT: { status: 409, title: 'No more streams at once' },
  SESSION_OVER: { status: 410, title: 'Nothing more is wanted of this session' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  TOO_MANY_EVENTS: { status: 413, title: 'Too many events in one request' },
  TOO_MANY_ITEMS: { status: 413, title: 'Too many items in one request' },
  MEDIA_TYPE: { status: 415, title: 'The content type is not taken' },
  CONTENT_ENCODING: { status: 415, title: 'The content encoding is not taken' },
  RANGE_BEYOND: { status: 416, title: 'The file is shorter than that' },
  EVENTS_REJECTED: { status: 422, title: 'No event was accepted' },
  IDEMPOTENCY_REUSED: { status: 422, title: 'The Idempotency-Key was used for another request' },
  ANALYTICS_BUSY: { status: 429, title: 'Too many questions at once' },
  EXPORT_BUSY: { status: 429, title: 'Too many exports at once' },
  LIVE_LIMIT: { status: 429, title: 'Too many live streams of one profile' },
  LOG_BUSY: { status: 429, title: 'Too much at once' },
  RATE_LIMITED: { status: 429, title: 'Too many requests' },
  LIVE_FULL: { status: 503, title: 'No more live streams are taken here' },
  LOG_UNAVAILABLE: { status: 503, title: 'The event log can not be reached' },
  LOG_FULL: { status: 503, title: 'The event log has no space left' },
  QUERY_TOO_HEAVY: { status: 503, title: 'The question takes more than it may' },
  REPLAY_BUSY: { status: 503, title: 'As many of these run as may' },
  STORE_UNAVAILABLE: { status: 503, title: 'A store can not be reached' },
  TOKEN_KEYS_UNAVAILABLE: { status: 503, title: 'The keys that check tokens can not be reached' },
  INTERNAL: { status: 500, title: 'Something went wrong here' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>

export type ProblemCode = keyof typeof PROBLEMS

export class Problem extends Error {
  readonly code: ProblemCode
  readonly retryAfterMs: number | undefined
  /** Further members of the problem document. */
  readonly members: Readonly<Record<string, unknown>>
  constructor(
    code: ProblemCode,
    detail: string,
    extra: { readonly retryAfterMs?: number; readonly members?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(detail)
    this.name = 'Problem'
    this.code = code
    this.retryAfterMs = extra.retryAfterMs
    this.members = extra.members ?? {}
  }
}

export function problemDocument(problem: Problem, requestId: string): Readonly<Record<string, unknown>> {
  const { status, title } = PROBLEMS[problem.code]
  const type = `urn:playhead:problem:${problem.code.toLowerCase().replaceAll('_', '-')}`
  return { type, title, status, detail: problem.message, code: problem.code, requestId, ...problem.members }
}

/** What an error means to the caller. An error that is not expected becomes INTERNAL: log the original. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof LogError) return logProblem(error)
  if (error instanceof StoreUnavailable || error instanceof StoreFull) {
    return new Problem('STORE_UNAVAILABLE', 'What this needs can not be reached at the moment: try again.', {
      retryAfterMs: API_LIMITS.retryAfterUnavailableMs,
    })
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const known = FASTIFY_CODES[code]
  if (known !== undefined) return known()
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500
  if (status >= 400 && status < 500) return new Problem('BAD_REQUEST', 'The request could not be read.')
  return new Problem('INTERNAL', 'The error is in the server log, under this request id.')
}

function logProblem(error: LogError): Problem {
  if (error instanceof LogBusy) {
    return new Problem(
      'LOG_BUSY',
      'The queue of the event log is full. Nothing was stored: send the same request again.',
      {
        retryAfterMs: error.retryAfterMs,
      },
    )
  }
  if (error instanceof LogFull) {
    return new Problem('LOG_FULL', 'Nothing was stored. The operator has to make space.', {
      retryAfterMs: API_LIMITS.retryAfterFullMs,
    })
  }
  if (error instanceof LogUnavailable) {
    return new Problem(
      'LOG_UNAVAILABLE',
      'The events may or may not be stored. Send them again with the same eventId or Idempotency-Key: they count once.',
      { retryAfterMs: API_LIMITS.retryAfterUnavailableMs },
    )
  }
  return new Problem('INTERNAL', 'The error is in the server log, under this request id.')
}

const FASTIFY_CODES: Readonly<Record<string, () => Problem>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () =>
    new Problem('MEDIA_TYPE', 'Send application/json, or text/plain that holds JSON (as navigator.sendBeacon does).'),
  FST_ERR_CTP_BODY_TOO_LARGE: () =>
    new Problem('BODY_TOO_LARGE', `At most ${API_LIMITS.bodyBytesMax} bytes are taken; send fewer events at a time.`),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () =>
    new Problem('BAD_REQUEST', 'The body is not as long as Content-Length says.'),
}
