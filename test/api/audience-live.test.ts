/** The live numbers from the embedded log to a client's socket. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Value } from '@sinclair/typebox/value'
import type { AudienceFrame } from '../../api/audience/frames.ts'
import { AUDIENCE_LIMITS } from '../../api/audience/limits.ts'
import { LiveFrame } from '../../api/audience/live.ts'
import { boundTo } from '../../log/bound.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { LogUnavailable } from '../../log/errors.ts'
import type { EventLog } from '../../log/log.ts'
import { createCodec, type NewEvent } from '../../schemas/index.ts'
import { type AudienceServer, DATA, eventually, PUBLISHABLE, startAudience } from './audience-server.ts'
import { event, type Said, written } from './audience-support.ts'

const TOPIC = 'playback-events'
const codec = await createCodec()

async function newLog(t: TestContext, topic = true): Promise<EventLog> {
  const dir = mkdtempSync(join(tmpdir(), 'playhead-audience-'))
  const log = await openEmbeddedLog({ dir })
  if (topic) await log.ensureTopics([{ topic: TOPIC, partitions: 3 }])
  t.after(async () => {
    await log.close()
    rmSync(dir, { recursive: true, force: true })
  })
  return log
}

async function append(log: EventLog, events: readonly NewEvent[]): Promise<void> {
  await log.append(
    events.map((one) => ({
      topic: TOPIC,
      key: (one as { profileId: string }).profileId,
      value: codec.encode(one),
      timestampMs: one.meta.receivedAt,
    })),
  )
}

const beat = (profile: string, more: Partial<Said> = {}, state = 'playing'): NewEvent =>
  written(event('Heartbeat', { profile, atMs: Date.now(), ...more }, { state }))

const once = async ({ app }: AudienceServer): Promise<AudienceFrame> =>
  (await app.inject({ url: '/v1/live?once=true', headers: DATA })).json()

const until = (server: AudienceServer, what: string, is: (frame: AudienceFrame) => boolean) =>
  eventually(what, async () => {
    const frame = await once(server)
    return is(frame) ? frame : undefined
  })

test('what is appended is counted, from every partition, also what was there before', async (t) => {
  const log = await newLog(t)
  const before = Array.from({ length: 50 }, (_, n) => beat(`before ${n}`))
  await append(log, before)
  const server = await startAudience(t, { log })
  await until(server, 'those before', ({ concurrent }) => concurrent === 50)
  await append(log, [beat('new'), beat('before 7', {}, 'paused'), beat('before 8', {}, 'stalled')])
  const frame = await until(server, 'those after', ({ paused }) => paused === 1)
  assert.deepEqual([frame.concurrent, frame.playing, frame.stalled], [50, 49, 1])
  const { readThrough, lag, stale, undecodable } = frame.freshness
  const ends = (await log.bounds(TOPIC)).flatMap(({ partition, end }) =>
    end > 0n ? [[`${TOPIC}/${partition}`, `${end - 1n}`]] : [],
  )
  assert.deepEqual([readThrough, lag, stale, undecodable], [Object.fromEntries(ends), 0, false, 0])
  assert.deepEqual(server.failures, [])
})

test('of a long log only the last minutes are read, and old records are passed over', async (t) => {
  const log = await newLog(t)
  const oldMs = Date.now() - AUDIENCE_LIMITS.warmUpMs - 60_000
  const old = Array.from({ length: 6_000 }, (_, n) => beat('ann', { atMs: oldMs + n, session: `s${n}` }))
  await append(log, old)
  await append(log, [beat('ann', { atMs: Date.now() - 1_000 })])
  let read = 0
  const counting = {
    ...boundTo(log),
    read: async (request: Parameters<EventLog['read']>[0]) => {
      const answer = await log.read(request)
      read += answer.records.length
      return answer
    },
  }
  const server = await startAudience(t, { log: counting })
  await until(server, 'the one of now', ({ concurrent, freshness }) => concurrent === 1 && !freshness.stale)
  assert.equal(server.counters.views, 1)
  assert.ok(read <= 2 * AUDIENCE_LIMITS.readRecordsMax, `${read} records were read`)
})

test('a process that begins again shows what the first one shows', async (t) => {
  const log = await newLog(t)
  const beginMs = Math.floor(Date.now() / 1_000) * 1_000
  const atMs = beginMs + 5_000
  const states = ['starting', 'playing', 'stalled', 'paused', 'seeking', 'ended']
  const events = Array.from({ length: 400 }, (_, n) =>
    beat(`p${n % 90}`, { atMs: beginMs + n * 10, sequence: n }, states[(n + Math.floor(n / 90)) % 6]),
  )
  const framed = async (server: AudienceServer) => {
    await until(server, 'the whole log', ({ freshness }) => {
      const read = Object.values(freshness.readThrough).map((position) => Number(position) + 1)
      return read.reduce((sum, positions) => sum + positions, 0) === events.length
    })
    return server.counters.frame(atMs)
  }
  const first = await startAudience(t, { log })
  for (let i = 0; i < events.length; i += 40) await append(log, events.slice(i, i + 40))
  const was = await framed(first)
  assert.ok(was.concurrent > 10 && was.paused > 5 && was.starts.lastMinute > 5)
  assert.deepEqual(await framed(await startAudience(t, { log })), was)
})

test('a log that is away makes the numbers stale, and loses none', async (t) => {
  const log = await newLog(t)
  let away = true
  let nowMs = Date.now()
  const flaky = {
    ...boundTo(log),
    read: async (request: Parameters<EventLog['read']>[0]) => {
      if (away) throw new LogUnavailable('away')
      const answer = await log.read({ ...request, waitMs: 10 })
      // One that was under way when the log went is not answered either.
      if (away) throw new LogUnavailable('away')
      return answer
    },
  }
  const server = await startAudience(t, { log: flaky, nowMs: () => nowMs })
  await append(log, [beat('ann', { atMs: nowMs })])
  assert.equal((await once(server)).freshness.stale, true)
  away = false
  await until(server, 'ann', ({ concurrent, freshness }) => {
    nowMs += 100
    return concurrent === 1 && !freshness.stale
  })
  away = true
  await append(log, [beat('bob', { atMs: nowMs })])
  nowMs += AUDIENCE_LIMITS.staleAfterMs + 1_000
  const cut = await once(server)
  assert.deepEqual([cut.freshness.stale, cut.concurrent], [true, 1])
  away = false
  await until(server, 'bob', ({ concurrent }) => {
    nowMs += 100
    return concurrent === 2
  })
  assert.ok(server.failures.length <= 6, 'said once for each time it was away, not for each question')
})

test('a report from the next century does not make the others look gone', async (t) => {
  const log = await newLog(t)
  await append(log, [beat('ann'), beat('zed', { atMs: Date.UTC(2100, 0, 1) }), beat('bob')])
  const server = await startAudience(t, { log })
  await until(server, 'all of them', ({ concurrent }) => concurrent === 3)
  await append(log, [beat('cid')])
  const frame = await until(server, 'one more', ({ concurrent }) => concurrent === 4)
  assert.ok(Value.Check(LiveFrame, frame), 'as the document says')
})

test('a topic that is not there yet, and what is no event, do no harm', async (t) => {
  const log = await newLog(t, false)
  const server = await startAudience(t, { log })
  assert.equal((await once(server)).freshness.stale, true)
  await log.ensureTopics([{ topic: TOPIC, partitions: 1 }])
  await log.append([{ topic: TOPIC, key: 'x', value: Buffer.from('no event'), timestampMs: Date.now() }])
  await append(log, [beat('ann')])
  const { freshness } = await until(server, 'ann', ({ concurrent }) => concurrent === 1)
  assert.equal(freshness.undecodable, 1)
})

test('a stream tells a frame each second, the same to all, and ends when the server does', async (t) => {
  const log = await newLog(t)
  await append(log, [beat('ann')])
  const server = await startAudience(t, { log })
  await server.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = server.app.server.address() as { port: number }
  const open = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/live?key=${DATA['x-playhead-key']}`)
    assert.equal(answer.status, 200)
    assert.match(String(answer.headers.get('content-type')), /^text\/event-stream/)
    let text = ''
    const closed = (async () => {
      const decoder = new TextDecoder()
      for await (const chunk of answer.body!) text += decoder.decode(chunk as Uint8Array, { stream: true })
    })()
    const frames = () => [...text.matchAll(/^event: audience\ndata: (.*)\n$/gm)].map((m) => m[1]!)
    return { frames, closed, text: () => text }
  }
  const [one, two] = await Promise.all([open(), open()])
  await eventually('three frames', () => (one.frames().length >= 3 && two.frames().length >= 3 ? true : undefined))
  const times = one.frames().map((text) => Date.parse((JSON.parse(text) as AudienceFrame).at))
  for (const [i, atMs] of times.slice(1).entries()) assert.equal(atMs - times[i]!, 1_000)
  const common = one.frames().filter((text) => two.frames().includes(text))
  assert.ok(common.length >= 2, 'the same frames')
  assert.ok(one.frames().some((text) => (JSON.parse(text) as AudienceFrame).concurrent === 1))
  const began = performance.now()
  await Promise.all([server.app.close(), one.closed, two.closed])
  assert.ok(performance.now() - began < 2_000)
  assert.match(one.text(), /event: end\ndata: {"reason":"closing"}\n\n$/)
})

test('a client that does not read is cut, and costs the others nothing', async (t) => {
  const log = await newLog(t)
  const server = await startAudience(t, { log })
  await server.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = server.app.server.address() as { port: number }
  const socket = connect({ port, host: '127.0.0.1' })
  t.after(() => socket.destroy())
  socket.pause()
  socket.write(`GET /v1/live?key=${DATA['x-playhead-key']} HTTP/1.1\r\nhost: x\r\n\r\n`)
  // What the counters would say of much, a thousand times a second: the kernel's buffers are full soon.
  const { frames } = server
  const big = { ...frames.current(), text: JSON.stringify({ filler: 'x'.repeat(200_000) }) }
  const shows = new Set<(shown: typeof big) => void>()
  const listen = frames.listen.bind(frames)
  frames.listen = (listener) => {
    shows.add(listener)
    const leave = listen(listener)
    return () => {
      shows.delete(listener)
      leave()
    }
  }
  await eventually('the stream', () => (shows.size === 1 ? true : undefined))
  await eventually('the cut', () => {
    for (const show of shows) show(big)
    return shows.size === 0 ? true : undefined
  })
})

test('only data and admin keys see the numbers', async (t) => {
  const server = await startAudience(t, { log: await newLog(t) })
  const status = async (headers: Record<string, string>) =>
    (await server.app.inject({ url: '/v1/live?once=true', headers })).statusCode
  assert.deepEqual([await status({}), await status(PUBLISHABLE), await status(DATA)], [401, 403, 200])
})
