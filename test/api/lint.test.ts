/** Every rule of the lint: found in a session that has it, and not in one that has not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LINT_LIMITS } from '../../api/lint/limits.ts'
import { RULES } from '../../api/lint/lint.ts'
import { SEVERITIES } from '../../api/lint/rule.ts'
import type { PlayheadEvent } from '../../schemas/index.ts'
import { Story } from '../projections/views-events.ts'
import { beat, changed, lintOf, sound, type Told, without } from './lint-support.ts'

const SOUND: Told = { events: sound().events }

/** Stock CMCD, with nothing to be said against it but that it has no position. */
function cmcd(change: (report: Record<string, unknown>) => object = () => ({})): Told {
  const bitrate = { videoBitrateKbps: 3_000, positionMs: null }
  const context = { player: 'dash.js' } as never
  const story = new Story()
    .say('CmcdReport', 0, { state: 's', positionMs: null, context, sequence: 0 })
    .say('CmcdReport', 1, { state: 'p', ...bitrate, sequence: 1 })
    .say('CmcdReport', 31, { state: 'p', event: 't', ...bitrate, sequence: 2 })
    .say('CmcdReport', 40, { state: 'e', positionMs: null, sequence: 3 })
  return { events: story.events.map((e) => ({ ...e, ...change(e as never) }) as PlayheadEvent) }
}

function beats(...atAndPositionS: readonly (readonly [number, number])[]): Told {
  const story = sound()
  const told = { events: story.events.slice(0, 2) }
  const rest = new Story()
  for (const [i, [atS, positionS]] of atAndPositionS.entries()) {
    rest.say('Heartbeat', atS, { ...beat(positionS, 0), played: [], sequence: i + 2 })
  }
  return { events: [...told.events, ...rest.events] }
}

const FOUND: Readonly<Record<string, Told>> = {
  NO_START: without('PlaybackStarted'),
  NO_FIRST_FRAME: without('FirstFrame'),
  NO_END: { ...without('PlaybackEnded'), timedOut: true },
  AFTER_THE_END: { events: [...sound().say('Heartbeat', 170, beat(103, 103)).events] },
  SEEK_NOT_ENDED: without('SeekEnded'),
  STALL_NOT_ENDED: without('StallEnded'),
  FAILURE_CODE_VARIES: failing('could not load https://cdn.example/7.m4s'),
  POSITION_IN_SECONDS: beats([12, 0.01], [22, 0.02], [32, 0.03]),
  PLAYING_STANDS_STILL: beats([12, 10], [22, 10], [32, 10]),
  POSITION_JUMPS: beats([12, 10], [22, 600], [32, 610]),
  NO_DURATION: changed(() => ({ durationMs: null })),
  NO_PLAYED: changed(() => ({ played: [] })),
  SEQUENCE_REPEATED: changed((event) => (event.type === 'PlaybackEnded' ? { sequence: 3 } : {})),
  SEQUENCE_BACKWARDS: changed((event) => (event.type === 'Heartbeat' ? { sequence: 40 - Number(event.sequence) } : {})),
  SEQUENCE_GAPS: without('StallStarted', 'StallEnded'),
  SEQUENCE_NONE: changed((event) => ({
    sequence: (event as { meta: { occurredAt: number } }).meta.occurredAt % 2 ** 31,
  })),
  CLOCK_IMPLAUSIBLE: changed((event) => ({ meta: { ...(event.meta as object), clock: 'implausible' } })),
  NO_TIMES: changed((event, i) =>
    i > 1
      ? {}
      : {
          meta: {
            ...(event.meta as object),
            occurredAt: sound().events[1]!.meta.receivedAt,
            receivedAt: sound().events[1]!.meta.receivedAt,
          },
        },
  ),
  LATE: changed((event) => {
    const { meta } = event as unknown as PlayheadEvent
    return { meta: { ...meta, receivedAt: meta.occurredAt + LINT_LIMITS.lateMs + 1 } }
  }),
  MANY_COPIES: { events: sound().events, copies: sound().events },
  HEARTBEATS_SPARSE: beats([12, 10], [60, 58]),
  HEARTBEATS_DENSE: beats(...Array.from({ length: 12 }, (_, i) => [3 + i, 1 + i] as const)),
  STATE_UNKNOWN: changed((event) => (event.type === 'Heartbeat' ? { state: 'unknown' } : {})),
  NO_BITRATE: changed(() => ({ videoBitrateKbps: null })),
  NO_SIZE: changed(() => ({ playerWidth: null, playerHeight: null })),
  NONSENSE: changed((event) => (event.type === 'FirstFrame' ? { videoBitrateKbps: 600_000 } : {})),
  NO_CONTEXT: changed(() => ({ context: null })),
  CONTEXT_THIN: changed((event) => (event.context === null ? {} : { context: { player: 'hls.js' } })),
  SEVERAL_DEVICES: changed((event) =>
    event.type === 'FirstFrame'
      ? { context: { player: 'hls.js', deviceType: 'tv', os: 'tvOS', streamType: 'vod' } }
      : {},
  ),
  PERSONAL_IN_THE_CLEAR: changed((event) =>
    event.context === null
      ? {}
      : { context: { ...(event.context as object), pageUrl: 'https://tv.example/watch?user=7' } },
  ),
  CMCD_NO_STATE: cmcd(() => ({ state: null, event: 't' })),
  CMCD_NO_START: cmcd((report) => (report.state === 's' ? { state: 'p' } : {})),
  CMCD_FAULTS: cmcd(() => ({ keys: { 'playhead.faults': 'VALUE_TYPE:br KEY_UNKNOWN:x' } })),
  CMCD_NO_SEQUENCE: cmcd(() => ({ sequence: null })),
  CMCD_NO_POSITION: cmcd(),
}

/** With an error on the way that is not fatal. */
function failing(code: string): Told {
  const story = sound()
  const failed = new Story().say('PlaybackFailed', 20, { code, fatal: false, sequence: story.events.length })
  return { events: [...story.events, ...failed.events] }
}

/** By which a rule finds nothing, where the sound view has nothing to judge. */
const FINE: Readonly<Record<string, Told>> = {
  FAILURE_CODE_VARIES: failing('HTTP_503'),
  PLAYING_STANDS_STILL: beats([12, 10], [22, 20], [32, 30]),
  HEARTBEATS_DENSE: beats(...Array.from({ length: 12 }, (_, i) => [12 + 10 * i, 10 + 10 * i] as const)),
  NO_TIMES: changed((event) => ({
    meta: { ...(event.meta as object), receivedAt: sound().events.at(-1)!.meta.receivedAt },
  })),
  CMCD_NO_STATE: cmcd(),
  CMCD_NO_START: cmcd(),
  CMCD_FAULTS: cmcd(),
  CMCD_NO_SEQUENCE: cmcd(),
  CMCD_NO_POSITION: cmcd(() => ({ positionMs: 5_000 })),
}

const codesOf = (told: Told) => lintOf(told).findings.map(({ code }) => code)

test('a sound view has no findings', () => {
  assert.deepEqual(codesOf(SOUND), [])
})

test('stock CMCD that is whole lacks the position, and of the context what only the application knows', () => {
  assert.deepEqual(codesOf(cmcd()), ['NO_DURATION', 'CONTEXT_THIN', 'CMCD_NO_POSITION'])
})

for (const { code } of RULES) {
  test(`${code} is found where it is so, and not where it is not`, () => {
    const bad = FOUND[code]
    assert.ok(bad, `there is no session for ${code}`)
    const finding = lintOf(bad).findings.find((one) => one.code === code)
    assert.ok(finding, `${code} is not among ${codesOf(bad)}`)
    assert.ok(finding.count >= 1 && finding.events.length <= finding.count)
    const ids = new Set([...bad.events, ...(bad.copies ?? [])].map(({ meta }) => meta.eventId))
    assert.ok(finding.events.every((id) => ids.has(id)))
    const good = lintOf(FINE[code] ?? SOUND)
    assert.ok(
      good.fine.some((one) => one.code === code),
      `${code} is not judged to be fine`,
    )
  })
}

test('findings come by severity, then by rule, and say the same whatever the order of arrival', () => {
  const { events } = without('FirstFrame', 'PlaybackStarted', 'SeekEnded')
  const { findings } = lintOf({ events })
  const severities = findings.map(({ severity }) => SEVERITIES.indexOf(severity))
  assert.deepEqual(severities, severities.toSorted())
  assert.deepEqual(lintOf({ events: events.toReversed() }).findings, findings)
})

test('a view that goes on is not blamed for having no end', () => {
  const { findings, fine } = lintOf(without('PlaybackEnded'))
  assert.deepEqual([findings, fine.some(({ code }) => code === 'NO_END')], [[], false])
})

test('what is personal is named by its place and never repeated', () => {
  const mail = 'ada@example.org'
  const told = changed((event) => ({
    profileId: mail,
    ...(event.type === 'PlaybackEnded' && { message: `sent by ${mail}` }),
  }))
  const { findings } = lintOf(told)
  const [finding] = findings.filter(({ code }) => code === 'PERSONAL_IN_THE_CLEAR')
  assert.match(finding?.says ?? '', /^In message, profileId stands/)
  assert.ok(!finding?.says.includes('ada@'))
})

test('addresses of servers are nobody’s', () => {
  const page = (pageUrl: string) =>
    changed((event) =>
      event.context === null ? { cdn: '10.0.0.7:8080' } : { context: { ...(event.context as object), pageUrl } },
    )
  assert.ok(!codesOf(page('http://127.0.0.1:8080/watch/10')).includes('PERSONAL_IN_THE_CLEAR'))
  assert.ok(codesOf(page('https://tv.example/from/10.1.2.3')).includes('PERSONAL_IN_THE_CLEAR'))
})

test('a player of stock CMCD that reports its progress by PUT has what resume needs', () => {
  const { events } = cmcd()
  const reported = { ...events[1]!, type: 'ProgressReported', positionMs: 1_000 } as unknown as PlayheadEvent
  assert.ok(!codesOf({ events: [...events, reported] }).includes('CMCD_NO_POSITION'))
})

test('a response tells of no moment: its state is no state, and its position no jump', () => {
  const { events } = cmcd((report) => ({ positionMs: [0, 0, 30_000, 39_000][report.sequence as number] }))
  const response = { ...events[2]!, event: 'rr', positionMs: 900_000, sequence: 4, meta: events[1]!.meta }
  assert.ok(!codesOf({ events: [...events, response as unknown as PlayheadEvent] }).includes('POSITION_JUMPS'))
  const onlyResponses = cmcd(() => ({ event: 'rr' }))
  assert.ok(codesOf(onlyResponses).includes('CMCD_NO_STATE'))
})
