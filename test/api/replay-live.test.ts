/** Replay through the API of a running engine: the past as it was read, generations under way, dead letters mended. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { readKeyFile } from '../../cli/keys.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { freePorts, start, tempFolder } from '../cli/playhead.ts'

type Json = Record<string, unknown>

interface Answer<T = Json> {
  readonly status: number
  readonly body: T
  readonly headers: Headers
}

interface Engine {
  readonly data: string
  ask<T = Json>(method: string, path: string, body?: object, headers?: Record<string, string>): Promise<Answer<T>>
  /** Positions of the records, as a read sends them back. */
  post(...events: readonly object[]): Promise<string>
}

interface Generation {
  readonly id: string
  readonly state: string
  readonly by: string | null
  readonly reason: string | null
  readonly progress: { readonly complete: boolean; readonly parked: number } | null
}

test('replay through the API of a running engine', async (t) => {
  const engine = await up(t)
  await t.test('progress as of a moment is what was read at that moment', () => progressAsOf(engine))
  await t.test('the story of a session as of a moment is the story that was told then', () => storyAsOf(engine))
  await t.test('rebuilt, compared, promoted, gone back, dropped; and read all the while', () => generations(engine))
  await t.test('what can not be done is refused, with the way out', () => refusals(engine))
  await t.test('a dead letter is shown, mended and sent again, and the table says so', () => deadLetters(engine))
})

async function up(t: TestContext): Promise<Engine> {
  const data = join(tempFolder(t), 'data')
  const run = start(t, freePorts(data), 'up')
  const line = await run.line((l) => l.includes('"role":"api"') && l.includes('"msg":"ready"'), 'the API')
  const { url } = JSON.parse(line) as { url: string }
  await run.line((l) => l.includes('"msg":"up: '), 'the last word of the start')
  const keys = readKeyFile(join(data, 'keys.json'))
  return {
    data,
    ask: async <T>(method: string, path: string, body?: object, headers: Record<string, string> = {}) => {
      const answer = await fetch(`${url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${keys.admin}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      return { status: answer.status, body: (await answer.json()) as T, headers: answer.headers }
    },
    post: async (...events) => {
      const answer = await fetch(`${url}/v1/events`, {
        method: 'POST',
        headers: { 'x-playhead-key': keys.publishable, 'content-type': 'application/json' },
        body: JSON.stringify({ events }),
      })
      assert.equal(answer.status, 202, await answer.text())
      return answer.headers.get('playhead-position') ?? ''
    },
  }
}

/** Looks until it is so; a test that waits for ever is ended by its runner. */
async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + 120_000; ; await delay(50)) {
    const found = await look()
    if (found !== undefined) return found
    assert.ok(Date.now() < deadline, `${what} never came`)
  }
}

/** The next millisecond of the clock that engine and test share: what is written from now on is later. */
async function nextMs(): Promise<number> {
  const nowMs = Date.now()
  while (Date.now() <= nowMs + 1) await delay(1)
  return nowMs
}

const beat = (sequence: number, more: object = {}) => ({
  type: 'Heartbeat',
  ...{ profileId: 'ann', sessionId: 's1', titleId: 't1', sequence, positionMs: sequence * 10_000 },
  ...{ durationMs: 100_000, state: 'playing', ...more },
})

async function progressAsOf({ ask, post }: Engine): Promise<void> {
  const path = '/v1/profiles/ann/progress/t1'
  const seen: { readonly moments: readonly string[]; readonly body: Json }[] = []
  for (let n = 1; n <= 4; n++) {
    const position = await post(beat(n), beat(n, { titleId: 'other', sessionId: 's2' }))
    const body = await until('the row of the report', async () => {
      const read = await ask('GET', path, undefined, { 'playhead-position': position })
      return read.headers.get('playhead-position-passed') === 'true' ? read.body : undefined
    })
    const atMs = await nextMs()
    // The second record of the two is the last position.
    seen.push({ moments: [`${atMs}`, new Date(atMs).toISOString(), `@${position.split('@')[1]}`], body })
  }
  assert.equal(seen.at(-1)?.body.positionMs, 40_000)
  for (const { moments, body } of seen.reverse()) {
    for (const moment of moments) {
      const then = await ask('GET', `${path}?asOf=${moment}`)
      const { asOf, ...row } = then.body
      assert.deepEqual(row, body, moment)
      assert.equal(asOf, moment.startsWith('@') ? moment : moments[1])
    }
  }
  const before = await ask('GET', `${path}?asOf=2020-01-01T00:00:00Z`)
  assert.deepEqual([before.status, before.body.code], [404, 'PROGRESS_NONE'])
  const future = await ask('GET', `${path}?asOf=@999999`)
  assert.deepEqual([future.status, future.body.field], [400, 'asOf'])
  const { body } = await ask<{ states: { state: Json }[]; steps: { event: Json }[] }>(
    'GET',
    `/v1/history/progress?profileId=ann&titleId=t1&steps=true&asOf=${seen[1]?.moments[0]}`,
  )
  assert.equal(body.states[0]?.state.position_ms, '30000')
  assert.deepEqual(
    body.steps.map(({ event }) => event.positionMs),
    [10_000, 20_000, 30_000],
  )
}

interface Story {
  readonly views: readonly { readonly state: string }[]
  readonly events: readonly object[]
  readonly freshness: { readonly lag: number }
}

async function storyAsOf({ ask, post }: Engine): Promise<void> {
  const about = { profileId: 'bob', sessionId: 'told', titleId: 't1' }
  const tell = async (events: number) =>
    await until(`a story of ${events} events`, async () => {
      const { status, body } = await ask<Story>('GET', '/v1/qoe/views/told')
      return status === 200 && body.events.length === events && body.freshness.lag === 0 ? body : undefined
    })
  await post(
    { type: 'PlaybackStarted', ...about, sequence: 0, positionMs: 0 },
    { type: 'FirstFrame', ...about, sequence: 1, positionMs: 0 },
  )
  const [first, firstMs] = [await tell(2), await nextMs()]
  await post(
    { type: 'StallStarted', ...about, sequence: 2, positionMs: 1_000 },
    { type: 'PlaybackEnded', ...about, sequence: 3, positionMs: 1_000, reason: 'quit' },
  )
  const [second, secondMs] = [await tell(4), await nextMs()]
  assert.notDeepEqual(first.views, second.views)
  for (const [story, atMs] of [
    [first, firstMs],
    [second, secondMs],
  ] as const) {
    const { body } = await ask<Story & { asOf: string }>('GET', `/v1/qoe/views/told?asOf=${atMs}`)
    const { asOf, freshness: _, ...then } = body
    const { freshness: __, ...told } = story
    assert.deepEqual(then, told)
    assert.equal(asOf, new Date(atMs).toISOString())
  }
  const before = await ask('GET', '/v1/qoe/views/told?asOf=2020-01-01T00:00:00Z')
  assert.deepEqual([before.status, before.body.code], [404, 'SESSION_UNKNOWN'])
}

async function generations({ ask }: Engine): Promise<void> {
  const stateOf = async (id: string) => (await ask<Generation>('GET', `/v1/generations/${id}`)).body
  const inState = (id: string, state: string) =>
    until(`${id} ${state}`, async () => ((await stateOf(id)).state === state ? true : undefined))
  const listed = await ask<{ generations: Generation[] }>('GET', '/v1/generations?projection=progress')
  const usual = listed.body.generations[0]!.id
  const asked = await ask<{ id: string }>('POST', '/v1/generations', {
    ...{ projection: 'progress', name: 'other', reason: 'to see', recordsPerSecond: 1_000 },
  })
  assert.equal(asked.status, 202)
  assert.equal(asked.headers.get('location'), `/v1/generations/${asked.body.id}`)
  const { id } = asked.body
  const built = await until('the build', async () => {
    const answer = await ask<Generation>('GET', `/v1/generations/${id}`)
    return answer.status === 200 && answer.body.progress?.complete === true ? answer.body : undefined
  })
  assert.deepEqual([built.state, built.by, built.reason], ['building', 'key admin', 'to see'])
  await ask('POST', `/v1/generations/${id}/pause`)
  await inState(id, 'paused')
  const early = await ask('POST', `/v1/generations/${id}/promotion`)
  assert.deepEqual([early.status, early.body.code], [409, 'NOT_NOW'])
  await ask('POST', `/v1/generations/${id}/resumption`)
  await inState(id, 'building')
  const compared = await ask('GET', `/v1/generations/${id}/comparison`)
  assert.deepEqual([compared.status, compared.body.first, compared.body.equal], [200, usual, true])
  const reading = reader(() => ask('GET', '/v1/profiles/ann/progress/t1'))
  const promoted = await ask('POST', `/v1/generations/${id}/promotion`, { reason: 'better' })
  assert.deepEqual([promoted.status, promoted.body], [202, { id, generation: `/v1/generations/${id}`, before: usual }])
  await inState(id, 'read')
  const dropped = await ask('DELETE', `/v1/generations/${id}`)
  assert.deepEqual([dropped.status, dropped.body.code], [409, 'NOT_NOW'])
  const back = await ask<{ id: string }>('POST', '/v1/projections/progress/rollback')
  assert.deepEqual([back.status, back.body.id], [202, usual])
  await inState(usual, 'read')
  assert.equal((await ask('DELETE', `/v1/generations/${id}?reason=seen`)).status, 202)
  await inState(id, 'dropped')
  assert.ok((await reading.stop()) > 0)
  const verified = await ask('GET', '/v1/projections/progress/verification?sample=100')
  assert.deepEqual([verified.status, verified.body.mismatches], [200, []])
}

/** Reads over and over: every answer is what the first one was. */
function reader(read: () => Promise<Answer>) {
  let reads = 0
  let over = false
  const reading = (async () => {
    const { status, body } = await read()
    assert.equal(status, 200)
    for (; !over; reads++) assert.deepEqual((await read()).body, body)
  })()
  // Told by `stop`; until then nobody waits for it.
  reading.catch(() => undefined)
  return {
    stop: async () => {
      over = true
      await reading
      return reads
    },
  }
}

async function refusals({ ask }: Engine): Promise<void> {
  for (const [method, path, status, words, body] of [
    ['POST', '/v1/generations', 404, /Did you mean progress\?/, { projection: 'progres' }],
    ['POST', '/v1/generations', 400, /It has .*minStallMs/, { projection: 'views', parameters: { minStalMs: 1 } }],
    ['GET', '/v1/generations/nothing_v1', 404, /There is no generation/],
    ['GET', '/v1/projections/nothing/verification', 404, /There is no projection/],
    ['POST', '/v1/projections/titles/rollback', 409, /no way back/],
    ['GET', '/v1/history/events?profileId=ann', 409, /keeps no states/],
    ['GET', '/v1/history/progress?sessionId=s1', 400, /is kept by profile_id, title_id/],
    ['GET', '/v1/dead-letters/views/playback-events%2F0@99', 404, /There is no letter/],
    ['GET', '/v1/dead-letters/views/nowhere', 400, /names no letter/],
    ['POST', '/v1/dead-letters/replay', 404, /There is no letter/, { letter: 'views:playback-events/0@99' }],
  ] as const) {
    const answer = await ask<{ detail: string }>(method, path, body)
    assert.equal(answer.status, status, `${path}: ${answer.body.detail}`)
    assert.match(answer.body.detail, words)
  }
}

interface Letters {
  readonly letters: readonly { readonly letter: string; readonly status: string; readonly cause: string }[]
  readonly groups: readonly { readonly cause: string; readonly letters: number }[]
}

async function deadLetters({ ask, data }: Engine): Promise<void> {
  const log = await openEmbeddedLog({ dir: join(data, 'log') })
  const place = { topic: 'playback-events', key: 'eve', timestampMs: Date.now() }
  const bad = { ...place, value: Buffer.from('no event of ours') }
  await log.append([bad, { ...place, value: Buffer.from('nor this') }])
  await log.close()
  const letters = await until('two dead letters', async () => {
    const { body } = await ask<Letters>('GET', '/v1/dead-letters?projection=progress&cause=frame')
    return body.letters.length === 2 ? body.letters.map(({ letter }) => letter) : undefined
  })
  const [first, second] = letters as [string, string]
  const grouped = await ask<Letters>('GET', '/v1/dead-letters?projection=progress&grouped=true')
  assert.deepEqual(
    grouped.body.groups.map(({ cause, letters: many }) => [cause, many]),
    [['frame', 2]],
  )
  const pathOf = (letter: string) => `/v1/dead-letters/progress/${encodeURIComponent(letter.split(':')[1] ?? '')}`
  const shown = await ask('GET', pathOf(first))
  assert.deepEqual([shown.body.event, shown.body.hex], [null, bad.value.toString('hex')])
  const event = beat(4, { profileId: 'eve', meta: undefined })
  const unfit = await ask('POST', '/v1/dead-letters/replay', { letter: first, event: { ...event, positionMs: 'far' } })
  assert.equal(unfit.status, 400)
  const nowMs = Date.now()
  const mended = { ...event, meta: metaAt(nowMs) }
  for (let time = 0; time < 2; time++) {
    const answer = await ask('POST', '/v1/dead-letters/replay', { letter: first, event: mended, reason: 'mended' })
    assert.deepEqual([answer.status, answer.body], [202, { letters: [first], left: [], more: false }])
  }
  const row = await until('the mended row', async () => {
    const answer = await ask('GET', '/v1/profiles/eve/progress/t1')
    return answer.status === 200 ? answer.body : undefined
  })
  assert.equal(row.positionMs, 40_000)
  const given = await ask('POST', '/v1/dead-letters/discard', {
    all: true,
    projection: 'progress',
    reason: 'a scanner',
  })
  assert.deepEqual(given.body, { letters: [second], left: [], more: false })
  const { body } = await ask<Letters>('GET', '/v1/dead-letters?projection=progress&all=true')
  assert.deepEqual(
    body.letters.map(({ letter, status }) => [letter, status]),
    [
      [first, 'replayed'],
      [second, 'discarded'],
    ],
  )
  const late = await ask('POST', '/v1/dead-letters/replay', { letter: second })
  assert.deepEqual([late.status, late.body.code], [409, 'NOT_NOW'])
}

function metaAt(nowMs: number): object {
  return {
    eventId: '01a1ff63-bbdb-727d-a7a5-84f4ce0794e1',
    ...{ occurredAt: nowMs, receivedAt: nowMs, source: 'test', appId: 'default', environment: 'production' },
    ...{ clock: 'unknown', sentAt: null },
  }
}
