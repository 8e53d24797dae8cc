/**
 * From a parsed body to events: pure. A batch is `{"events": [...], "sentAt"?}` or the bare array; an event is
 * `{"type", ...its fields}`, and beside its fields it may say `eventId` or `idempotencyKey`, and `occurredAt`.
 * What is wrong with one event is an answer about that event and costs the others nothing.
 *
 * In two steps, so that what is looked up in between (facts, keys to seal with) is looked up once for a batch: an event
 * is *checked*, then *taken*.
 */
import type { NewRecord } from '../log/log.ts'
import { isEventId } from '../producers/ids.ts'
import { toRecord } from '../producers/record.ts'
import { type Arrival, type Claim, stampMeta } from '../producers/stamp.ts'
import {
  EVENT_TYPES,
  EVENTS,
  type EventCodec,
  type EventType,
  isEventType,
  type Meta,
  type NewEvent,
  nearest,
  type Personal,
  type TitleFacts,
} from '../schemas/index.ts'
import type { PlaybackClaims } from './context.ts'
import { API_LIMITS } from './limits.ts'
import { Problem } from './problems.ts'
import { timeMsOf } from './validation.ts'

/** What players may say. Everything else is written by the engine, or by routes that check who asks. */
const TAKEN_TOPICS: ReadonlySet<string> = new Set(['playback-events', 'exposure-events'])
/** On those topics too, and yet nothing that a player says. */
const NEVER_TAKEN: ReadonlySet<string> = new Set<EventType>(['ProfileErased', 'ViewImported'])
/** What a viewer decides: a publishable key, which anybody can read in a page, proves no viewer. */
const TAKEN_WITH_PROOF: ReadonlySet<string> = new Set<EventType>(['MarkedWatched', 'ProgressCleared'])

export interface Batch {
  readonly items: readonly unknown[]
  readonly sentAtMs?: number
}

export interface Rejection {
  readonly code:
    | 'EVENT_SHAPE'
    | 'EVENT_UNKNOWN'
    | 'EVENT_NOT_TAKEN'
    | 'EVENT_NOT_YOURS'
    | 'EVENT_INVALID'
    | 'EVENT_TOO_LARGE'
  readonly field: string
  readonly problem: string
  readonly remedy: string
}

type Refused = { readonly ok: false; readonly rejection: Rejection }

/** The events that a request brings have these where their type has them; whoever enriches an event writes to it. */
export interface Draft {
  readonly type: EventType
  readonly meta: Meta
  readonly profileId?: string | null
  readonly titleId?: string | null
  facts?: TitleFacts | null
  personal?: Personal | null
}

export type Checked = { readonly ok: true; readonly event: Draft } | Refused

export type Taken = { readonly ok: true; readonly event: Draft; readonly record: NewRecord } | Refused

/** Whose events these may be. */
export type Sender =
  | { readonly kind: 'publishable' | 'admin' }
  | { readonly kind: 'playback'; readonly claims: PlaybackClaims }

export interface IntakePorts {
  readonly codec: EventCodec
  /** A new event id for an event that brings none. */
  readonly mint: () => string
}

/** Throws a Problem where the batch as a whole can't be read. */
export function openBatch(body: unknown): Batch {
  const envelope = isObject(body) ? body : undefined
  const items = Array.isArray(body) ? (body as readonly unknown[]) : envelope?.events
  if (!Array.isArray(items)) {
    throw new Problem('BODY_SHAPE', 'Wanted: {"events": [{"type": "Heartbeat", ...}]}, or the bare array of events.')
  }
  if (items.length === 0) throw new Problem('BODY_SHAPE', '"events" is empty: send at least one event.')
  if (items.length > API_LIMITS.eventsPerRequestMax) {
    throw new Problem(
      'TOO_MANY_EVENTS',
      `${items.length} events; at most ${API_LIMITS.eventsPerRequestMax} are taken at a time.`,
    )
  }
  if (envelope?.sentAt === undefined || envelope.sentAt === null) return { items }
  const sentAtMs = timeMsOf(envelope.sentAt)
  if (sentAtMs === undefined) throw new Problem('BODY_SHAPE', `"sentAt" must be ${TIME_WANTED}.`)
  return { items, sentAtMs }
}

export function checkEvent(
  ports: IntakePorts,
  sender: Sender,
  arrival: Arrival,
  item: unknown,
  idempotencyKey: string | undefined,
): Checked {
  if (!isObject(item)) return reject('EVENT_SHAPE', '', 'is no object', 'Send {"type": "Heartbeat", ...}.')
  const { type, eventId, occurredAt, idempotencyKey: ownKey, ...fields } = item
  if (typeof type !== 'string' || !isEventType(type)) {
    const near = typeof type === 'string' ? nearest(type, EVENT_TYPES) : undefined
    const remedy = near === undefined ? 'GET /subjects lists the types.' : `Did you mean ${near}?`
    return reject('EVENT_UNKNOWN', 'type', 'is no type of event', remedy)
  }
  const barred = barredFor(sender, type)
  if (barred !== undefined) return barred
  if ('meta' in fields) {
    return reject('EVENT_INVALID', 'meta', 'is stamped here', 'Leave it out; eventId and occurredAt stand beside type.')
  }
  const claim = readClaim(eventId, occurredAt, ownKey, idempotencyKey)
  if (!claim.ok) return claim
  const checked = ports.codec.validate(type, fields, { without: ['meta'] })
  if (!checked.ok) return reject('EVENT_INVALID', checked.field, checked.problem, checked.remedy)
  const event = checked.event as Draft & { meta: Meta }
  if (event.personal?.sealed != null) {
    return reject('EVENT_INVALID', 'personal.sealed', 'is written here', 'Send the plain fields; they are sealed here.')
  }
  const strange = sender.kind === 'playback' ? strangeField(event, sender.claims) : undefined
  if (strange !== undefined) {
    return reject('EVENT_NOT_YOURS', strange, "is not the token's", 'Send only what the token was made for.')
  }
  event.meta = stampMeta(arrival, claim.claim, ports.mint)
  return { ok: true, event }
}

/** The last step, after facts are stamped and what is personal is sealed. */
export function takeEvent(codec: EventCodec, event: Draft): Taken {
  const record = toRecord(codec, event as NewEvent)
  if (record.value.length > API_LIMITS.eventBytesMax) {
    const problem = `takes ${record.value.length} bytes`
    return reject('EVENT_TOO_LARGE', '', problem, `Stay below ${API_LIMITS.eventBytesMax}.`)
  }
  return { ok: true, event, record }
}

function barredFor(sender: Sender, type: EventType): Refused | undefined {
  if (!TAKEN_TOPICS.has(EVENTS[type].topic ?? '') || NEVER_TAKEN.has(type)) {
    return reject('EVENT_NOT_TAKEN', 'type', `${type} is not taken here`, 'Send what players say: playback-events.')
  }
  if (sender.kind === 'publishable' && TAKEN_WITH_PROOF.has(type)) {
    const remedy = 'Send it with a playback token, or use the routes of the profile.'
    return reject('EVENT_NOT_TAKEN', 'type', `${type} is not taken from a publishable key`, remedy)
  }
  return undefined
}

/** The first field by which the event is somebody else's. An event that names neither profile nor session has a unit. */
function strangeField(event: Draft, { profile, session, title, account }: PlaybackClaims): string | undefined {
  const { profileId, sessionId, titleId, unit } = event as unknown as Readonly<Record<string, unknown>>
  if (profileId != null && profileId !== profile) return 'profileId'
  if (sessionId != null && sessionId !== session) return 'sessionId'
  if (titleId != null && titleId !== title) return 'titleId'
  if (profileId != null || sessionId != null) return undefined
  return unit === profile || unit === session || unit === account ? undefined : 'unit'
}

type ReadClaim = { readonly ok: true; readonly claim: Claim } | Refused

/** `derivedKey` is of the request, and was checked with it; an event's own key stands above it. */
function readClaim(eventId: unknown, occurredAt: unknown, ownKey: unknown, derivedKey: string | undefined): ReadClaim {
  if (eventId !== undefined && !(typeof eventId === 'string' && isEventId(eventId))) {
    return reject('EVENT_INVALID', 'eventId', 'is no UUID in lower case', 'Mint a UUIDv7, or leave it out.')
  }
  if (ownKey !== undefined && !(typeof ownKey === 'string' && isIdempotencyKey(ownKey))) {
    const remedy = `Send 1 to ${API_LIMITS.idempotencyKeyCharsMax} printable ASCII characters.`
    return reject('EVENT_INVALID', 'idempotencyKey', 'is no such key', remedy)
  }
  const occurredAtMs = occurredAt === undefined ? undefined : timeMsOf(occurredAt)
  if (occurredAt !== undefined && occurredAtMs === undefined) {
    return reject('EVENT_INVALID', 'occurredAt', 'is no time', `Send ${TIME_WANTED}.`)
  }
  const idempotencyKey = ownKey ?? derivedKey
  return {
    ok: true,
    claim: {
      ...(eventId !== undefined && { eventId }),
      ...(idempotencyKey !== undefined && { idempotencyKey }),
      ...(occurredAtMs !== undefined && { occurredAtMs }),
    },
  }
}

function isIdempotencyKey(key: string): boolean {
  return key.length <= API_LIMITS.idempotencyKeyCharsMax && /^[\x21-\x7e]+$/.test(key)
}

const TIME_WANTED = 'milliseconds since 1970 as a whole number, or an RFC 3339 time with its zone'

function reject(code: Rejection['code'], field: string, problem: string, remedy: string) {
  return { ok: false as const, rejection: { code, field, problem, remedy } }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
