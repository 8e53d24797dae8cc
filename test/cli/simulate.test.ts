import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { parseArgs, UsageError } from '../../cli/args.ts'
import { simulate } from '../../cli/commands/simulate.ts'
import { type Ask, compareTruth, HISTORY_TOLERANCE } from '../../cli/simulate/compare.ts'
import { writeHistory } from '../../cli/simulate/history.ts'
import { LiveRefused, sendLive } from '../../cli/simulate/live.ts'
import { screenFor } from '../../cli/simulate/screen.ts'
import { settingsOf } from '../../cli/simulate/settings.ts'
import { LogRefused } from '../../log/errors.ts'
import type { EventLog } from '../../log/log.ts'
import { correctClock } from '../../producers/clock.ts'
import { createCodec } from '../../schemas/index.ts'
import { type AudienceOptions, createAudience, metricsOf } from '../../simulator/index.ts'

const NOW_MS = Date.UTC(2026, 10, 21, 12)
const HOUR_MS = 3_600_000
const settings = (...words: readonly string[]) => settingsOf(parseArgs(simulate, words), NOW_MS)

test('history ends now, live begins now, and what runs faster than time ends now as well', () => {
  const history = settings('--to-log', '--hours', '6').audience
  assert.deepEqual([history.fromMs, history.untilMs], [NOW_MS - 6 * HOUR_MS, NOW_MS])
  const live = settings('--live').audience
  assert.deepEqual([live.fromMs, live.untilMs], [NOW_MS, undefined])
  const both = settings('--to-log', '--live').audience
  assert.deepEqual([both.fromMs, both.untilMs], [NOW_MS - HOUR_MS, undefined])
  const fast = settings('--live', '--hours', '10', '--speed', '10').audience
  // An hour from now the audience's ten hours are over, at the same moment.
  assert.deepEqual([fast.fromMs, fast.untilMs], [NOW_MS - 9 * HOUR_MS, NOW_MS + HOUR_MS])
})

test('faults, groups and effects are read as they are typed', () => {
  const fault = 'cdn=fastly,at=90m,for=20m,failures=30%'
  const { audience } = settings(
    ...['--to-log', '--from', '2026-11-20T00:00:00Z', '--days', '1', '--fault', fault],
    ...['--groups', 'a=50%,b=0.3,c=0.2', '--effect', 'startup=+15%,watch=-10%', '--effect', 'b:failures=+100%'],
  )
  const fromMs = Date.UTC(2026, 10, 20)
  assert.deepEqual(audience.faults, [{ cdn: 'fastly', atMs: fromMs + 5_400_000, forMs: 1_200_000, failures: 0.3 }])
  assert.deepEqual(audience.groups, [
    { name: 'a', share: 0.5 },
    { name: 'b', share: 0.3, effect: { failures: 2 } },
    { name: 'c', share: 0.2, effect: { startup: 1.15, watch: 0.9 } },
  ])
})

test('what can not be is said in words, before anything is written', () => {
  const wrong: readonly (readonly [RegExp, readonly string[]])[] = [
    [/--to-log, --live or both/, []],
    [/none of akamai/, ['--to-log', '--fault', 'cdn=own,at=1h,for=1h']],
    [/no duration/, ['--to-log', '--fault', 'cdn=fastly,at=1h,for=ever']],
    [/wants --groups/, ['--to-log', '--effect', 'startup=+15%']],
    [/no group c/, ['--to-log', '--groups', 'a=1', '--effect', 'c:startup=+15%']],
    [/a difference such as/, ['--to-log', '--groups', 'a=1', '--effect', 'startup=15']],
    [/wants --hours/, ['--live', '--speed', '5']],
    [/not both/, ['--to-log', '--days', '1', '--hours', '1']],
    [/no time such as/, ['--to-log', '--from', 'yesterday']],
  ]
  for (const [says, words] of wrong) {
    assert.throws(
      () => settings(...words),
      (error) => error instanceof UsageError && says.test(error.message),
      words.join(' '),
    )
  }
})

interface Posted {
  readonly events: readonly { readonly eventId: string; readonly occurredAt: number; readonly type: string }[]
  readonly sentAt?: number
}

/** An API that answers as it is told, and remembers what it took. */
async function fakeApi(t: TestContext, answers: (request: number) => { status: number; retryAfterS?: number }) {
  const taken: Posted[] = []
  const refused: Posted[] = []
  let requests = 0
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    let text = ''
    request.on('data', (chunk: Buffer) => {
      text += String(chunk)
    })
    request.on('end', () => {
      const body = JSON.parse(text) as Posted
      const { status, retryAfterS } = answers(requests++)
      if (status === 202) taken.push(body)
      else refused.push(body)
      const headers = retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) }
      response.writeHead(status, headers).end(JSON.stringify({ accepted: body.events.length, rejected: 0 }))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, taken, refused }
}

const LIVE: Pick<AudienceOptions, 'seed' | 'views' | 'titleScale'> = { seed: 'live', views: 3_000, titleScale: 0.2 }

test('live events are each sent once, with times that receiving corrects to when they happened', async (t) => {
  const { url, taken } = await fakeApi(t, () => ({ status: 202 }))
  const fromMs = Date.now() - 60_000
  const mishaps = { wrongClocks: 0.5, copies: 0 }
  const expected = createAudience({ ...LIVE, fromMs, mishaps })
  const audience = createAudience({ ...LIVE, fromMs, mishaps })
  const untilMs = Date.now() + 300
  const counts = await sendLive({
    audience,
    url,
    key: 'k',
    untilMs,
    signal: new AbortController().signal,
    nowMs: Date.now,
  })
  const wanted = new Map<string, number>()
  for (let next = expected.next(untilMs); next !== undefined; next = expected.next(untilMs)) {
    wanted.set(next.event.meta.eventId, next.event.meta.occurredAt)
  }
  const sent = taken.flatMap(({ events, sentAt }) => events.map((event) => ({ ...event, sentAtMs: sentAt! })))
  assert.equal(counts.accepted, wanted.size)
  assert.deepEqual(sent.map(({ eventId }) => eventId).sort(), [...wanted.keys()].sort())
  assert.ok(wanted.size > 50)
  const offsets = new Set<number>()
  for (const { eventId, occurredAt, sentAtMs } of sent) {
    offsets.add(Math.round((occurredAt - wanted.get(eventId)!) / 1_000))
    const receivedAtMs = sentAtMs - (occurredAt - wanted.get(eventId)!)
    assert.equal(correctClock({ atMs: occurredAt, sentAtMs, receivedAtMs }).atMs, wanted.get(eventId))
  }
  assert.ok(offsets.size > 2, 'some clocks are wrong')
})

test('a request that is turned away is sent again, the same events with the same ids', async (t) => {
  const { url, taken, refused } = await fakeApi(t, (request) => (request < 2 ? { status: 503 } : { status: 202 }))
  const audience = createAudience({ ...LIVE, fromMs: Date.now() - 20_000, mishaps: { wrongClocks: 0, copies: 0 } })
  const untilMs = Date.now() + 100
  const counts = await sendLive({
    audience,
    url,
    key: 'k',
    untilMs,
    signal: new AbortController().signal,
    nowMs: Date.now,
  })
  assert.equal(counts.retries, 2)
  assert.deepEqual(taken[0]?.events, refused[0]?.events)
  const ids = taken.flatMap(({ events }) => events.map(({ eventId }) => eventId))
  assert.equal(new Set(ids).size, ids.length)
  assert.equal(counts.accepted, ids.length)
})

test('an API that refuses the key ends the run with its own words', async (t) => {
  const { url } = await fakeApi(t, () => ({ status: 401 }))
  const audience = createAudience({ ...LIVE, fromMs: Date.now() - 20_000 })
  await assert.rejects(
    sendLive({ audience, url, key: 'k', signal: new AbortController().signal, nowMs: Date.now }),
    (error) => error instanceof LiveRefused && /answered 401/.test(error.message),
  )
})

test('Ctrl-C ends a live audience at once, and says what was sent', async (t) => {
  const { url, taken } = await fakeApi(t, () => ({ status: 202 }))
  const ending = new AbortController()
  const audience = createAudience({ ...LIVE, fromMs: Date.now() - 20_000 })
  const running = sendLive({
    audience,
    url,
    key: 'k',
    signal: ending.signal,
    nowMs: Date.now,
    onProgress: () => ending.abort(),
  })
  const counts = await running
  assert.equal(counts.accepted, taken.flatMap(({ events }) => events).length)
  assert.ok(counts.accepted > 0)
})

test('an append that fails ends the writing of history with its error, whatever is under way', async () => {
  const codec = await createCodec({})
  let appends = 0
  const log: Pick<EventLog, 'append'> = {
    append: async () => {
      if (++appends === 2) throw new LogRefused('no')
      await new Promise((resolve) => setTimeout(resolve, 20))
      return []
    },
  }
  const audience = createAudience({ seed: 'refused', fromMs: NOW_MS, untilMs: NOW_MS + 24 * HOUR_MS, views: 300 })
  const signal = new AbortController().signal
  await assert.rejects(writeHistory({ audience, log, codec, signal, nowMs: Date.now }), LogRefused)
})

test('a terminal is drawn anew in the same place, a file gets a line now and then', () => {
  const audience = createAudience({ seed: 'screen', fromMs: NOW_MS, untilMs: NOW_MS + HOUR_MS, views: 5 })
  const seen = (tty: boolean) => {
    let text = ''
    let now = 0
    const err = (more: string) => {
      text += more
    }
    const io = { env: {}, tty, out: () => undefined, err }
    const parts = { io, audience, nowMs: () => now, fromMs: NOW_MS, untilMs: NOW_MS + HOUR_MS }
    const screen = screenFor(parts)
    for (let i = 1; i <= 3; i++) {
      now = i * 6_000
      screen.history({ events: i * 1_000, reachedMs: NOW_MS + i * 600_000 })
    }
    screen.end()
    return text
  }
  assert.equal(seen(true).split('\u001b[3A\u001b[J').length, 4)
  assert.match(seen(true), /50%.*\n3,000 events, 167\/s\n/)
  assert.equal(seen(false).trim().split('\n').length, 3)
  assert.ok(!seen(false).includes('\u001b'))
})

test('a comparison finds a number that is wrong by more than is allowed, and no other', async () => {
  const audience = createAudience({
    seed: 'compare',
    fromMs: NOW_MS,
    untilMs: NOW_MS + HOUR_MS,
    views: 200,
    titleScale: 0.1,
  })
  for (const _ of audience);
  const { truth } = audience
  const right: Record<string, number | null> = { ...metricsOf(truth.total()) }
  const askWith =
    (values: Readonly<Record<string, number | null>>): Ask =>
    async (route, words) => {
      const metrics = words.filter(([name]) => name === 'metric').map(([, metric]) => metric)
      if (route === 'overview')
        return { values: Object.fromEntries(metrics.map((name) => [name, values[name] ?? null])) }
      const by = words.find(([name]) => name === 'by')![1] as 'cdn'
      return { rows: [...truth.by(by)].map(([value, sums]) => ({ value, ...metricsOf(sums) })) }
    }
  const { agrees, lines } = await compareTruth(truth, askWith(right), HISTORY_TOLERANCE)
  assert.ok(agrees, JSON.stringify(lines.filter((line) => !line.agrees)))
  const wrongs: readonly (readonly [string, number])[] = [
    ['views', right.views! + 1],
    ['startup_p95_ms', right.startup_p95_ms! * 1.03],
    ['playing_time_hours', right.playing_time_hours! + 1],
  ]
  for (const [metric, value] of wrongs) {
    const { lines: found } = await compareTruth(truth, askWith({ ...right, [metric]: value }), HISTORY_TOLERANCE)
    assert.deepEqual(
      found.filter((line) => !line.agrees).map((line) => line.metric),
      [metric],
    )
  }
})
