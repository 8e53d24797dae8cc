import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { correctClock } from '../../producers/clock.ts'
import { isEventId } from '../../producers/ids.ts'
import { createCodec, type EventOf } from '../../schemas/index.ts'
import {
  type AudienceOptions,
  createAudience,
  metricsOf,
  type SimEvent,
  type ViewTruth,
} from '../../simulator/index.ts'

const FROM_MS = Date.UTC(2026, 10, 20)
const HOUR_MS = 3_600_000
const OPTIONS: AudienceOptions = {
  seed: 'a test',
  fromMs: FROM_MS,
  untilMs: FROM_MS + 6 * HOUR_MS,
  views: 400,
  titleScale: 0.2,
  mishaps: { copies: 0.02, downloads: 0.3, gaps: 0.3, wrongClocks: 0.3, lostEnds: 0.1 },
}

type PlaybackEvent = EventOf<'Heartbeat' | 'PlaybackStarted' | 'FirstFrame' | 'PlaybackEnded'>
const eventOf = ({ event }: SimEvent) => event as PlaybackEvent

async function digest(options: AudienceOptions): Promise<string> {
  const codec = await createCodec({})
  const hash = createHash('sha256')
  for (const { event } of createAudience(options)) hash.update(codec.encode(event))
  return hash.digest('hex')
}

test('the same seed gives the same events to the byte, another seed gives others', async () => {
  const one = await digest(OPTIONS)
  assert.equal(await digest(OPTIONS), one)
  assert.notEqual(await digest({ ...OPTIONS, seed: 'another' }), one)
})

test('events come in the order in which they are received, none before it happened', () => {
  let lastMs = 0
  let late = 0
  for (const { receivedAtMs, event } of createAudience(OPTIONS)) {
    const { occurredAt, receivedAt } = (event as PlaybackEvent).meta
    assert.equal(receivedAt, receivedAtMs)
    assert.ok(receivedAtMs >= lastMs)
    assert.ok(occurredAt <= receivedAt)
    if (receivedAt - occurredAt > HOUR_MS) late++
    lastMs = receivedAtMs
  }
  assert.ok(late > 100, 'downloads are told of hours later')
})

test('an audience that is read up to a moment, and then on, says what it says in one go', () => {
  const whole = [...createAudience(OPTIONS)]
  const parts: SimEvent[] = []
  const audience = createAudience(OPTIONS)
  for (const untilMs of [FROM_MS + HOUR_MS, FROM_MS + HOUR_MS, FROM_MS + 2.5 * HOUR_MS, Number.POSITIVE_INFINITY]) {
    assert.ok(audience.nextAtMs() >= (parts.at(-1)?.receivedAtMs ?? 0))
    for (let next = audience.next(untilMs); next !== undefined; next = audience.next(untilMs)) {
      assert.ok(next.receivedAtMs <= untilMs)
      parts.push(next)
    }
  }
  assert.deepEqual(parts, whole)
  assert.equal(audience.nextAtMs(), Number.POSITIVE_INFINITY)
})

test('what a device claims by its own clock, and what is stamped, is one: receiving corrects the one to the other', () => {
  let wrong = 0
  for (const { event, clockOffsetMs } of createAudience(OPTIONS)) {
    const { occurredAt, receivedAt, sentAt, clock } = (event as PlaybackEvent).meta
    // The way to us takes as long as the sending shows.
    const wayMs = receivedAt - ((sentAt as number) - clockOffsetMs)
    const claim = { atMs: occurredAt - wayMs + clockOffsetMs, sentAtMs: sentAt as number, receivedAtMs: receivedAt }
    assert.deepEqual(correctClock(claim), { atMs: occurredAt, clock })
    if (clockOffsetMs !== 0) wrong++
  }
  assert.ok(wrong > 0)
})

test('a session counts its events from 0 without a gap, whatever it plays; only copies come twice', () => {
  const sessions = new Map<string, Map<number, string>>()
  let copies = 0
  for (const one of createAudience(OPTIONS)) {
    const { sessionId, sequence, meta } = eventOf(one)
    assert.ok(isEventId(meta.eventId))
    const seen = sessions.get(sessionId) ?? new Map<number, string>()
    sessions.set(sessionId, seen)
    if (seen.get(sequence) === meta.eventId) copies++
    assert.ok(!seen.has(sequence) || seen.get(sequence) === meta.eventId, 'one number, two events')
    seen.set(sequence, meta.eventId)
  }
  for (const seen of sessions.values()) assert.equal(Math.max(...seen.keys()), seen.size - 1)
  assert.ok(copies > 10)
})

test('there are as many views as were asked for, and the truth has them all', () => {
  const over: ViewTruth[] = []
  const audience = createAudience(OPTIONS, { onView: (view) => over.push(view) })
  const events = [...audience]
  const starts = events.filter(({ event }) => event.type === 'PlaybackStarted')
  const ids = new Set(events.map((one) => eventOf(one).meta.eventId))
  const total = audience.truth.total()
  assert.equal(new Set(starts.map((one) => eventOf(one).meta.eventId)).size, 400)
  assert.equal(total.views, 400)
  assert.equal(over.length, 400)
  assert.equal(audience.begun, 400)
  assert.equal(total.events, ids.size)
  assert.equal(
    over.reduce((sum, view) => sum + view.playingMs, 0),
    total.playingMs,
  )
  const byCdn = [...audience.truth.by('cdn').values()]
  assert.equal(
    byCdn.reduce((sum, one) => sum + one.stalledMs, 0),
    total.stalledMs,
  )
  const profiles = new Set(events.map((one) => eventOf(one).profileId))
  assert.equal(audience.truth.uniqueViewers(), profiles.size)
})

test('the truth of an audience that is cut off has what was delivered by then, and no more', () => {
  const audience = createAudience(OPTIONS)
  const untilMs = FROM_MS + 2 * HOUR_MS
  const ids = new Set<string>()
  let starts = 0
  for (let next = audience.next(untilMs); next !== undefined; next = audience.next(untilMs)) {
    const { meta, type } = eventOf(next)
    if (!ids.has(meta.eventId) && type === 'FirstFrame') starts++
    ids.add(meta.eventId)
  }
  const total = audience.truth.total()
  assert.equal(total.events, ids.size)
  assert.equal(total.starts, starts)
  assert.ok(audience.truth.window()!.toMs <= untilMs)
  const minutes = audience.truth.concurrents()
  assert.ok(minutes.every(({ minuteMs }) => minuteMs < untilMs))
  const watchedMs = total.startingMs + total.playingMs + total.seekingMs + total.stalledMs
  const sum = minutes.reduce((ms, { concurrent }) => ms + concurrent * 60_000, 0)
  assert.ok(Math.abs(sum - watchedMs) < 1, `${sum} ≠ ${watchedMs}`)
})

test('who watches is in memory, not what was said', () => {
  const audience = createAudience({ ...OPTIONS, views: 3_000, untilMs: FROM_MS + 48 * HOUR_MS, mishaps: {} })
  let most = 0
  for (const _ of audience) most = Math.max(most, audience.watching)
  assert.ok(most < 300, `${most} sittings at a time, of 3,000 views`)
})

test('an endless audience goes on as it began', () => {
  const audience = createAudience({ seed: 'endless', fromMs: FROM_MS, views: 600 })
  for (let next = audience.next(FROM_MS + 4 * HOUR_MS); next !== undefined; )
    next = audience.next(FROM_MS + 4 * HOUR_MS)
  assert.ok(audience.begun > 2_000 && audience.begun < 2_800, `${audience.begun} views in four hours`)
  assert.ok(audience.nextAtMs() < FROM_MS + 4 * HOUR_MS + 60_000)
})

test('a few titles are watched by most, and most of what begins in the evening', () => {
  const audience = createAudience({ ...OPTIONS, views: 4_000, untilMs: FROM_MS + 24 * HOUR_MS, titleScale: 0.02 })
  const hours = new Array<number>(24).fill(0)
  for (const { event } of audience) {
    if (event.type === 'PlaybackStarted') hours[new Date((event as PlaybackEvent).meta.occurredAt).getUTCHours()]!++
  }
  assert.ok(hours[20]! > 5 * hours[4]!, hours.join(' '))
  const views = [...audience.truth.by('title_id').values()].map((sums) => sums.views).sort((a, b) => b - a)
  const top = views.slice(0, Math.ceil(views.length / 10)).reduce((a, b) => a + b, 0)
  assert.ok(top > 1_400, `the first tenth of the titles has ${top} of 4,000 views`)
})

test('a CDN that goes bad fails its own views and nobody else, while it is bad', () => {
  const fault = { cdn: 'akamai', atMs: FROM_MS + 2 * HOUR_MS, forMs: HOUR_MS }
  const views = new Map<string, { cdn: string; atMs: number; failed: boolean }>()
  const audience = createAudience({
    ...OPTIONS,
    views: 6_000,
    titleScale: 0.02,
    curve: 'flat',
    faults: [fault],
    mishaps: {},
  })
  for (const { event } of audience) {
    const { sessionId, titleId, meta } = event as PlaybackEvent
    const key = `${sessionId} ${titleId}`
    if (event.type === 'PlaybackStarted') {
      views.set(key, { cdn: event.context?.cdn ?? '', atMs: meta.occurredAt, failed: false })
    }
    if (event.type === 'PlaybackFailed' && !event.business && event.phase === 'startup') views.get(key)!.failed = true
  }
  const share = (mine: boolean, during: boolean) => {
    const some = [...views.values()].filter(({ cdn, atMs }) => {
      const inIt = atMs >= fault.atMs && atMs < fault.atMs + fault.forMs
      return (cdn === 'akamai') === mine && inIt === during
    })
    return some.filter(({ failed }) => failed).length / some.length
  }
  assert.ok(share(true, true) > 0.08, `${share(true, true)}`)
  for (const [mine, during] of [
    [true, false],
    [false, true],
    [false, false],
  ] as const) {
    assert.ok(share(mine, during) < 0.02, `${share(mine, during)}`)
  }
})

test('a group has the effect that it was given, and an audience that can not be is refused in words', () => {
  const groups = [
    { name: 'a', share: 0.5 },
    { name: 'b', share: 0.5, effect: { startup: 1.5, failures: 0 } },
  ]
  const audience = createAudience({ ...OPTIONS, views: 5_000, titleScale: 0.02, groups })
  for (const _ of audience);
  const by = audience.truth.by('app_version')
  const [a, b] = [metricsOf(by.get('sim-a')!), metricsOf(by.get('sim-b')!)]
  const ratio = b.startup_p50_ms! / a.startup_p50_ms!
  assert.ok(ratio > 1.35 && ratio < 1.65, `${ratio}`)
  assert.equal(b.failure_percent, 0)
  assert.throws(() => createAudience({ ...OPTIONS, views: 0 }), /views must be a whole number/)
  assert.throws(() => createAudience({ ...OPTIONS, groups: [{ name: 'no good', share: 1 }] }), /group "no good"/)
})
