/** Events of views for the tests of the audience, as short as can be written. */
import type { EventOf, EventType, NewEventOf, PlayheadEvent } from '../../schemas/index.ts'
import { heartbeat } from '../consumers/events.ts'

export const T0 = 1_800_000_000_000

export interface Said {
  readonly profile?: string
  readonly session?: string
  readonly title?: string
  readonly sequence?: number
  /** When it was received; it occurred then unless `occurredMs` says otherwise. */
  readonly atMs: number
  readonly occurredMs?: number
}

export type Context = NonNullable<EventOf<'Heartbeat'>['context']>

const NOWHERE = Object.fromEntries(
  (
    'player playerVersion sdkVersion appVersion pageUrl deviceType deviceModel os osVersion browser browserVersion ' +
    'country region asn isp cdn edge networkType protocol drm language screenWidth screenHeight playerWidth playerHeight offline'
  )
    .split(' ')
    .map((name) => [name, null]),
) as unknown as Context

export function contextOf(more: Partial<Context>): Context {
  return { ...NOWHERE, streamType: 'vod', ...more }
}

/** Whatever a type of event needs beyond what all share is up to the caller. */
export function event<T extends EventType>(type: T, said: Said, more: object = {}): EventOf<T> {
  const { profile = 'ann', session = 's1', title = 't1', sequence = 0, atMs, occurredMs = atMs } = said
  const eventId = '0190a0b0-0000-7000-8000-000000000000'
  const { meta, state: _state, ...common } = heartbeat({ profileId: profile, eventId, positionMs: 0, atMs })
  const { durationMs: _durationMs, ...plain } = common
  return {
    ...plain,
    ...(type === 'Heartbeat' && { state: 'playing', durationMs: null }),
    type,
    meta: { ...meta, occurredAt: occurredMs, receivedAt: atMs },
    sessionId: session,
    titleId: title,
    sequence,
    ...more,
  } as unknown as EventOf<T>
}

/** As it goes into a log. */
export function written<T extends EventType>(given: EventOf<T>): NewEventOf<T> {
  return given as unknown as NewEventOf<T>
}

export type { PlayheadEvent }
