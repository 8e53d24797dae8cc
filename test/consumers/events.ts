/** Events for the tests of the runtime: as small as the schema allows. */
import type { EventOf } from '../../schemas/index.ts'

export interface HeartbeatFacts {
  readonly profileId: string
  readonly eventId: string
  readonly positionMs: number
  readonly atMs: number
}

export function heartbeat({ profileId, eventId, positionMs, atMs }: HeartbeatFacts): EventOf<'Heartbeat'> {
  return {
    type: 'Heartbeat',
    meta: {
      eventId,
      occurredAt: atMs,
      receivedAt: atMs,
      source: 'simulator',
      appId: 'test',
      environment: 'test',
      clock: 'trusted',
      sentAt: null,
    },
    profileId,
    sessionId: `session of ${profileId}`,
    titleId: 'title-1',
    sequence: 0,
    positionMs,
    durationMs: null,
    played: [],
    state: 'playing',
    playbackRatePermille: 1000,
    videoBitrateKbps: null,
    audioBitrateKbps: null,
    width: null,
    height: null,
    playerWidth: null,
    playerHeight: null,
    bufferMs: null,
    droppedFrames: null,
    throughputKbps: null,
    liveLatencyMs: null,
    stallMs: null,
    cdn: null,
    delivery: null,
    context: null,
    facts: null,
    personal: null,
  }
}

export function erased(profileId: string, eventId: string, atMs: number): EventOf<'ProfileErased'> {
  const { meta } = heartbeat({ profileId, eventId, positionMs: 0, atMs })
  return { type: 'ProfileErased', meta, profileId, reason: null, by: 'test' }
}

/** A well-formed id from a number, so that tests can say which event they mean. */
export function idOf(n: number): string {
  return `0190a0b0-0000-7000-8000-${n.toString(16).padStart(12, '0')}`
}
