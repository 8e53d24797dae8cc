/** Progress events in a small room: few profiles, titles, sessions, times and ids, so that they meet and tie. */
import fc from 'fast-check'
import type { EventOf, PlayedRange, PlayheadEvent, TitleFacts } from '../../schemas/index.ts'
import { beat, cleared, device, marked, report, START_MS, started } from './support.ts'

const MINUTE_MS = 60_000

/** Around the same minutes, some equal, some of a clock that is days behind or was clamped. */
const at = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 12 }).map((n) => START_MS + n * 10_000) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 5 * 86_400 }).map((n) => START_MS - n * 1_000) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 86_400 }).map((n) => START_MS + n * 1_000 + 1) },
)
/** Some ids come twice with other contents: copies that were stamped differently. */
const id = fc.integer({ min: 1, max: 30 })
const positionMs = fc.oneof(
  fc.integer({ min: 0, max: 100 * MINUTE_MS }),
  fc.constantFrom(90, 94, 95, 96).map((n) => n * MINUTE_MS),
)
const durationMs = fc.constantFrom<number | null>(null, 0, 100 * MINUTE_MS, 101 * MINUTE_MS)
const played: fc.Arbitrary<PlayedRange[]> = fc.array(
  fc.tuple(fc.integer({ min: 0, max: 300_000 }), fc.integer({ min: -2_000, max: 40_000 })).map(([fromMs, ms]) => ({
    fromMs,
    toMs: fromMs + ms,
  })),
  { maxLength: 4 },
)
const facts: fc.Arbitrary<TitleFacts | null> = fc.option(
  fc.record({
    contentType: fc.constant('episode'),
    durationMs,
    creditsStartMs: fc.constantFrom(null, 91 * MINUTE_MS),
    seriesId: fc.constantFrom(null, 'series'),
    season: fc.constantFrom(null, 1),
    episode: fc.constantFrom(null, 1, 2),
  }),
)
const personal = fc.constantFrom(null, device('tv'), device('phone'))
const who = { profileId: fc.constantFrom('ada', 'bo'), titleId: fc.constantFrom('dune', 'heat') }
const state = fc.constantFrom('playing' as const, 'starting' as const)
const letter = fc.constantFrom('p', 's', 'd', 'f', null)
const reason = fc.constantFrom('unknown' as const, 'failed' as const)
const sessionId = fc.constantFrom('session-1', 'session-2', 'session-3')

const arbitraries: readonly fc.Arbitrary<PlayheadEvent>[] = [
  fc
    .tuple(at, id, fc.record({ ...who, sessionId, positionMs, durationMs, played, facts, personal, state }))
    .map((a) => beat(...a)),
  fc
    .tuple(at, id, fc.record({ ...who, sessionId: fc.option(sessionId), positionMs, durationMs, played, personal }))
    .map((a) => report(...a)),
  fc.tuple(at, id, fc.record({ ...who, sessionId, positionMs, facts })).map((a) => started(...a)),
  fc.tuple(at, id, fc.record({ ...who, sessionId, positionMs, played, facts, personal })).map((a) => paused(...a)),
  fc
    .tuple(at, id, fc.record({ ...who, sessionId, positionMs, durationMs, played, personal, reason }))
    .map((a) => ended(...a)),
  fc
    .tuple(at, id, fc.record({ ...who, sessionId, positionMs: fc.option(positionMs), facts, state: letter }))
    .map((a) => cmcd(...a)),
  fc.tuple(at, id, fc.record({ ...who, watched: fc.boolean(), facts })).map((a) => marked(...a)),
  fc.tuple(at, id, fc.record(who)).map((a) => cleared(...a)),
]

export const someProgress: fc.Arbitrary<PlayheadEvent[]> = fc.array(fc.oneof(...arbitraries), {
  minLength: 1,
  maxLength: 24,
})

export function paused(
  atMs: number,
  eventId: number,
  fields: Partial<EventOf<'PlaybackPaused'>>,
): EventOf<'PlaybackPaused'> {
  const { meta, profileId, sessionId, titleId, sequence, positionMs, context, facts, personal } = beat(atMs, eventId)
  const same = { meta, profileId, sessionId, titleId, sequence, positionMs, played: [], context, facts, personal }
  return { ...same, type: 'PlaybackPaused', reason: null, ...fields }
}

export function ended(
  atMs: number,
  eventId: number,
  fields: Partial<EventOf<'PlaybackEnded'>>,
): EventOf<'PlaybackEnded'> {
  const { reason: _, ...same } = paused(atMs, eventId, {})
  return { ...same, type: 'PlaybackEnded', durationMs: null, reason: 'unknown', ...fields }
}

/** The same events: in another order, some of them again, cut into batches, some read back from their rows. */
export function rearranged(
  events: readonly PlayheadEvent[],
): fc.Arbitrary<{ events: PlayheadEvent[]; readBack: boolean }[]> {
  const copies = fc.subarray([...events])
  return copies
    .chain((again) => fc.shuffledSubarray([...events, ...again], { minLength: events.length + again.length }))
    .chain((order) =>
      fc
        .array(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.boolean()), {
          minLength: order.length,
          maxLength: order.length,
        })
        .map((cuts) => {
          const batches: { events: PlayheadEvent[]; readBack: boolean }[] = []
          let from = 0
          for (const [size, readBack] of cuts) {
            if (from >= order.length) break
            batches.push({ events: order.slice(from, from + size), readBack })
            from += size
          }
          return batches
        }),
    )
}

/** A report by CMCD; most players tell no position in it. */
export function cmcd(atMs: number, eventId: number, fields: Partial<EventOf<'CmcdReport'>>): EventOf<'CmcdReport'> {
  const { meta, profileId, sessionId, titleId, sequence } = beat(atMs, eventId)
  const numbers = { playbackRatePermille: null, videoBitrateKbps: null, audioBitrateKbps: null, topBitrateKbps: null }
  const more = { bufferMs: null, starved: null, throughputKbps: null, startupMs: null, stallMs: null }
  const rest = { liveLatencyMs: null, droppedFrames: null, protocol: null, customName: null, cdn: null }
  const none = { background: null, raw: null, context: null, facts: null, personal: null, positionMs: null }
  const said = {
    target: null,
    version: 2,
    event: 't',
    state: 'p',
    streamType: 'vod',
    errorCodes: [],
    keys: {},
  } as const
  const who = { meta, profileId, sessionId, titleId, sequence }
  return { type: 'CmcdReport', ...who, ...numbers, ...more, ...rest, ...none, ...said, ...fields }
}
