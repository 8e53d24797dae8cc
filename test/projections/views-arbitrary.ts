/** Views as no player would play them: anything the schemas allow, close together in time, with numbers said twice. */
import fc from 'fast-check'
import type { PlayheadEvent } from '../../schemas/index.ts'
import { Story } from './views-events.ts'

const TYPES = [
  'Heartbeat',
  'Heartbeat',
  'Heartbeat',
  'PlaybackStarted',
  'FirstFrame',
  'PlaybackPaused',
  'PlaybackResumed',
  'SeekStarted',
  'SeekEnded',
  'StallStarted',
  'StallEnded',
  'RenditionChanged',
  'PlaybackFailed',
  'PlaybackEnded',
  'AdBreakStarted',
  'AdBreakEnded',
  'AdStarted',
  'AdEnded',
  'AdFailed',
  'CmcdReport',
  'CmcdReport',
] as const
const STATES = ['unknown', 'starting', 'playing', 'paused', 'seeking', 'stalled', 'ended'] as const

const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null, freq: 2 })
const small = (max: number) => fc.integer({ min: 0, max })
const position = fc.oneof({ weight: 8, arbitrary: small(200_000) }, fc.constantFrom(0, 1e12, 9e15))

const said = fc.record({
  type: fc.constantFrom(...TYPES),
  atS: fc.oneof(
    { weight: 6, arbitrary: small(200) },
    { weight: 2, arbitrary: small(200_000).map((ms) => ms / 1_000) },
    fc.constantFrom(900, 4_000, 86_400 * 3),
  ),
  sequence: fc.oneof({ weight: 9, arbitrary: small(40) }, fc.constantFrom(5_000, 2 ** 31 - 1)),
  positionMs: position,
  state: fc.constantFrom(...STATES),
  letter: maybe(fc.constantFrom('s', 'p', 'k', 'r', 'a', 'w', 'e', 'f', 'q', 'd', 'x')),
  event: fc.constantFrom('ps', 't', 'e', 'bc'),
  reason: fc.constantFrom('unknown', 'finished', 'quit', 'failed'),
  rate: fc.constantFrom(1_000, 1_000, 1_000, 500, 2_000, 0, -4_000, 99_000),
  kbps: maybe(fc.constantFrom(300, 3_000, 6_000, 900_000)),
  ms: maybe(small(20_000)),
  played: fc.array(fc.tuple(position, small(30_000)), { maxLength: 2 }),
  flag: fc.boolean(),
  lateS: fc.constantFrom(0, 0, 0, 90),
  country: maybe(fc.constantFrom('DE', 'FR')),
  device: maybe(fc.constantFrom('tv', 'phone')),
})

/** One view's events in the order they are told; copies (the same event once more) among them. */
export const viewEvents: fc.Arbitrary<PlayheadEvent[]> = fc
  .tuple(fc.array(said, { minLength: 1, maxLength: 40 }), fc.array(small(39), { maxLength: 6 }))
  .map(([sayings, copies]) => {
    const story = new Story()
    for (const { type, atS, lateS, letter, event, device, country, ...rest } of sayings) {
      const { positionMs, ms, kbps, flag } = rest
      const at = Math.round(atS * 1_000)
      const context = country === null && device === null ? null : { country, deviceType: device, streamType: 'vod' }
      const cmcd = { state: letter, event, sequence: flag ? rest.sequence : null, target: flag ? 'b' : null }
      const fields = {
        sequence: rest.sequence,
        positionMs,
        ...(type === 'Heartbeat'
          ? { state: rest.state, stallMs: ms, liveLatencyMs: ms, droppedFrames: ms, durationMs: ms }
          : {}),
        ...(type === 'CmcdReport' ? { ...cmcd, positionMs: flag ? positionMs : null, errorCodes: ['27'] } : {}),
        playbackRatePermille: rest.rate,
        videoBitrateKbps: kbps,
        width: kbps === null ? null : 640,
        height: kbps === null ? null : 360,
        playerWidth: flag ? 1_280 : null,
        playerHeight: flag ? 720 : null,
        startupMs: ms,
        seekMs: ms,
        ...(type === 'StallEnded' ? { stallMs: ms } : {}),
        played: rest.played.map(([fromMs, length]) => ({ fromMs, toMs: fromMs + length })),
        reason: rest.reason,
        fatal: flag,
        cdn: kbps === 300 ? 'cdn-b' : null,
        context,
        meta: { receivedAt: 1_767_268_800_000 + at + lateS * 1_000 },
      }
      story.say(type, atS, fields as never)
    }
    const { events } = story
    return [...events, ...copies.flatMap((i) => events[i] ?? [])]
  })
