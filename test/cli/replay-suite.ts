/**
 * Rebuild, promote and roll back as an operator does, on a running engine with traffic: the same on every set of engines.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { readKeyFile } from '../../cli/keys.ts'
import { type Env, freePorts, playhead, type Running, start, tempFolder } from './playhead.ts'

interface Engine {
  readonly env: Env
  readonly run: Running
  readonly api: string
  readonly keys: { readonly admin: string; readonly publishable: string; readonly data: string }
}

interface Compared {
  readonly states?: { readonly moving: number }
  readonly tables: readonly { readonly equal: boolean }[]
}

interface Listed {
  readonly id: string
  readonly projection: string
  readonly state: string
}

/** Projections whose digest is compared: those that keep states, those that write rows, and one that does both. */
const REBUILT = ['progress', 'views', 'events', 'progress_rows', 'titles', 'title_rows', 'cdn_requests', 'incidents']

/** `rebuilt`: where each command takes seconds, those that stand for their kinds. */
export function replaySuite(where: string, engines: (t: TestContext) => Promise<Env>, rebuilt = REBUILT): void {
  test(`${where}: what is rebuilt under traffic, with a consumer that dies again and again, is what is read`, async (t) => {
    const engine = await up(t, await engines(t))
    const traffic = startTraffic(t, engine)
    await traffic.atLeast(300)
    const asked = await Promise.all(
      rebuilt.map(async (projection) => {
        const { code, out, err } = await ask(t, engine, 'rebuild', projection, '--name', 'test', '--detach', '--json')
        assert.equal(code, 0, err)
        return (JSON.parse(out) as { id: string }).id
      }),
    )
    for (let death = 0; death < 3; death++) {
      await killConsumers(t, engine)
      await traffic.atLeast(100)
    }
    for (const id of asked) await caughtUp(t, engine, id)
    // While events come in nothing is taken for a difference; when none do, all is compared, and the same.
    const during = await ask(t, engine, 'generations', 'compare', asked[0]!)
    assert.equal(during.code, 0, during.out + during.err)
    await traffic.stop()
    for (const id of asked) {
      const { code, out, err } = await ask(t, engine, 'generations', 'compare', id, '--json')
      assert.equal(code, 0, `${id}: ${out}${err}`)
      const { states, tables } = JSON.parse(out) as Compared
      assert.equal(states?.moving ?? 0, 0, id)
      assert.ok(
        tables.every(({ equal }) => equal),
        `${id}: ${out}`,
      )
    }
  })

  test(`${where}: promoted and rolled back while viewers read: no read fails, and none is older than what was written`, async (t) => {
    const engine = await up(t, await engines(t))
    const viewers = Array.from({ length: 4 }, (_, i) => viewer(t, engine, `viewer-${i}`))
    await Promise.all(viewers.map((one) => one.reads(5)))
    const { out } = await ask(t, engine, 'rebuild', 'progress', '--name', 'other', '--json')
    const { id } = JSON.parse(out) as { id: string }
    const first = (await list(t, engine)).find((one) => one.projection === 'progress' && one.state === 'read')!.id
    for (const [words, read] of [
      [['promote', id], id],
      [['rollback', 'progress'], first],
      [['rollback', 'progress'], id],
    ] as const) {
      const answer = await ask(t, engine, 'generations', ...words)
      assert.equal(answer.code, 0, answer.err)
      await engine.run.line((l) => l.includes('another generation is read') && l.includes(`"to":"${read}"`), read)
      await Promise.all(viewers.map((one) => one.reads(20)))
    }
    await Promise.all(viewers.map((one) => one.stop()))
  })
}

async function up(t: TestContext, engines: Env): Promise<Engine> {
  const data = join(tempFolder(t), 'data')
  const env = { ...freePorts(data), PLAYHEAD_LIMIT_CLASSES: 'progress=1000000,events=1000000', ...engines }
  const run = start(t, env, 'up')
  const urlOf = async (role: string) => {
    const line = await run.line((l) => l.includes(`"role":"${role}"`) && l.includes('"msg":"ready"'), role)
    return (JSON.parse(line) as { url: string }).url
  }
  const [clickhouse, api] = [await urlOf('analytics'), await urlOf('api')]
  await run.line((l) => l.includes('"msg":"up: '), 'the last word of the start')
  // Commands have to be told of a port that was free at the start.
  const known = { ...env, PLAYHEAD_ANALYTICS_PORT: new URL(clickhouse).port }
  return { env: known, run, api, keys: readKeyFile(join(data, 'keys.json')) }
}

function ask(t: TestContext, { env }: Engine, ...words: readonly string[]) {
  return playhead(t, env, ...words)
}

async function list(t: TestContext, engine: Engine): Promise<readonly Listed[]> {
  const { out, err } = await ask(t, engine, 'generations', '--json')
  assert.notEqual(out, '', err)
  return JSON.parse(out) as Listed[]
}

async function caughtUp(t: TestContext, engine: Engine, id: string): Promise<void> {
  const deadline = Date.now() + 120_000
  for (;;) {
    const { out } = await ask(t, engine, 'generations', '--json')
    const found = (JSON.parse(out) as { id: string; standing?: { lag: string | number } }[]).find(
      (one) => one.id === id,
    )
    if (found !== undefined && Number(found.standing?.lag ?? 5_000) < 1_000) return
    assert.ok(Date.now() < deadline, `${id} is ${found?.standing?.lag} behind`)
    await delay(100)
  }
}

async function killConsumers(t: TestContext, engine: Engine): Promise<void> {
  const { out } = await ask(t, engine, 'status', '--json')
  const { roles } = JSON.parse(out) as { roles: { role: string; pid: number }[] }
  const pid = roles.find(({ role }) => role === 'consumers')?.pid
  if (pid === undefined) return
  const ended = engine.run.lines().length
  process.kill(pid, 'SIGKILL')
  await engine.run.line(
    (l) => l.includes('consumers was ended by SIGKILL') && engine.run.lines().indexOf(l) >= 0,
    `consumers are missed after line ${ended}`,
  )
}

interface Traffic {
  /** Resolves when so many more events are acknowledged. */
  atLeast(events: number): Promise<void>
  stop(): Promise<void>
}

function startTraffic(t: TestContext, { api, keys }: Engine): Traffic {
  let acknowledged = 0
  let n = 0
  const stopping = new AbortController()
  t.after(() => stopping.abort())
  const post = async () => {
    const events = Array.from({ length: 20 }, () => eventOf(n++))
    try {
      const answer = await fetch(`${api}/v1/events`, {
        method: 'POST',
        headers: { 'x-playhead-key': keys.publishable, 'content-type': 'application/json' },
        body: JSON.stringify({ events }),
      })
      await answer.text()
      if (answer.status === 202) acknowledged += events.length
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
    }
  }
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await post()
      // Enough that there is always something new, and little enough that a busy machine keeps up.
      await delay(100)
    }
  })()
  return {
    atLeast: async (events) => {
      const deadline = Date.now() + 60_000
      for (const from = acknowledged; acknowledged - from < events; await delay(20)) assert.ok(Date.now() < deadline)
    },
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}

/** Forty sessions that start, show a frame, play with a stall now and then, and end. */
function eventOf(n: number): object {
  const [session, step] = [n % 40, Math.floor(n / 40)]
  const about = {
    profileId: `p${session % 7}`,
    sessionId: `s${session}-${Math.floor(step / 12)}`,
    titleId: `t${session % 5}`,
  }
  const sequence = step % 12
  const positionMs = sequence * 10_000
  const more = { ...about, sequence, positionMs }
  if (sequence === 0) return { type: 'PlaybackStarted', ...more }
  if (sequence === 1) return { type: 'FirstFrame', ...more }
  if (sequence === 11) return { type: 'PlaybackEnded', ...more, reason: 'finished', durationMs: 110_000 }
  if (sequence === 6) return { type: 'StallStarted', ...more }
  const played = [{ fromMs: positionMs - 10_000, toMs: positionMs }]
  return { type: 'Heartbeat', ...more, durationMs: 110_000, state: 'playing', played }
}

/** Writes a position and reads it back with the position header of the write, over and over. */
function viewer(t: TestContext, { api, keys }: Engine, profile: string) {
  const url = `${api}/v1/profiles/${profile}/progress/film`
  const headers = { authorization: `Bearer ${keys.admin}`, 'content-type': 'application/json' }
  const stopping = new AbortController()
  t.after(() => stopping.abort())
  let reads = 0
  let failed: unknown
  const once = async (positionMs: number) => {
    const body = JSON.stringify({ positionMs, durationMs: 100_000_000, clientTimestamp: Date.now() })
    const written = await fetch(url, { method: 'PUT', headers, body })
    assert.ok(written.status < 300, `${written.status}: ${await written.text()}`)
    const position = written.headers.get('playhead-position') ?? ''
    const read = await fetch(url, { headers: { ...headers, 'playhead-position': position } })
    const row = (await read.json()) as { positionMs?: number }
    assert.equal(read.status, 200, JSON.stringify(row))
    assert.equal(read.headers.get('playhead-position-passed'), 'true')
    assert.equal(row.positionMs, positionMs)
    reads++
  }
  const running = (async () => {
    // Two writes of one moment would be told apart by their ids.
    for (let n = 1; !stopping.signal.aborted; n++, await delay(5)) await once(n * 1_000)
  })().catch((error: unknown) => {
    failed = error
  })
  return {
    reads: async (more: number) => {
      for (const from = reads; reads - from < more && failed === undefined; ) await delay(10)
      if (failed !== undefined) throw failed
    },
    stop: async () => {
      stopping.abort()
      await running
      if (failed !== undefined) throw failed
    },
  }
}
