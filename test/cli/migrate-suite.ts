/** An engine that is taken elsewhere while a writer posts all the while: the parts of its tests, on any engines. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { readKeyFile } from '../../cli/keys.ts'
import { type Ended, type Env, freePorts, playhead, type Running, start, tempFolder } from './playhead.ts'

const WAIT_MS = 120_000

export interface Engine {
  /** With the ports that it got: for commands, and as the settings that it is started with again. */
  readonly env: Env
  readonly run: Running
  readonly api: string
  readonly clickhouse: string
  readonly keys: ReturnType<typeof readKeyFile>
}

/** Everything on one machine, or on the engines of `more`. */
export async function startEngine(t: TestContext, more: Env = {}): Promise<Engine> {
  const data = join(tempFolder(t), 'data')
  const env = { ...freePorts(data), PLAYHEAD_LIMIT_CLASSES: 'progress=1000000,events=1000000', ...more }
  const run = start(t, env, 'up')
  const [clickhouse, api] = [await urlOf(run, 'analytics'), await urlOf(run, 'api')]
  await run.line((l) => l.includes('"msg":"up: '), 'the last word of the start')
  const known = { ...env, PLAYHEAD_ANALYTICS_PORT: new URL(clickhouse).port }
  return { env: known, run, api, clickhouse, keys: readKeyFile(join(data, 'keys.json')) }
}

export async function urlOf(run: Running, role: string): Promise<string> {
  const line = await run.line((l) => l.includes(`"role":"${role}"`) && l.includes('"msg":"ready"'), role)
  return (JSON.parse(line) as { url: string }).url
}

/** Settings of an engine elsewhere that keeps the ClickHouse of the first, with all the same in a folder of its own. */
export function settingsBeside(
  t: TestContext,
  engine: Engine,
  more: Env,
): { readonly file: string; readonly env: Env } {
  const folder = tempFolder(t)
  const clickhouse = new URL(engine.clickhouse)
  clickhouse.username = 'admin'
  clickhouse.password = engine.keys.admin
  const env = {
    ...freePorts(join(folder, 'data')),
    PLAYHEAD_LIMIT_CLASSES: 'progress=1000000,events=1000000',
    PLAYHEAD_ANALYTICS: `${clickhouse.href}playhead`,
    ...more,
  }
  const file = join(folder, 'new.env')
  writeFileSync(
    file,
    Object.entries(env)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  )
  return { file, env }
}

export interface Writer {
  /** By id: which events were acknowledged. */
  readonly acknowledged: ReadonlySet<string>
  /** The longest time between two acknowledgements. */
  longestGapMs(): number
  atLeast(events: number): Promise<void>
  stop(): Promise<void>
}

/** Posts to the first API that takes it, as a client does that knows of both; a batch until it is acknowledged. */
export function startWriter(t: TestContext, { keys }: Engine, apis: readonly (() => string | undefined)[]): Writer {
  const acknowledged = new Set<string>()
  const stopping = new AbortController()
  t.after(() => stopping.abort())
  let gapMs = 0
  let lastAtMs = Date.now()
  const post = async (api: string, ids: readonly string[]) => {
    const events = ids.map((eventId, i) => ({
      ...{ type: 'Heartbeat', eventId, profileId: `p${i % 5}`, sessionId: `s${i % 5}`, titleId: 't' },
      ...{ sequence: acknowledged.size + i, positionMs: 1_000, state: 'playing' },
    }))
    try {
      const answer = await fetch(`${api}/v1/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${keys.publishable}`, 'content-type': 'application/json' },
        body: JSON.stringify({ events }),
      })
      const text = await answer.text()
      if (answer.status === 202) return true
      assert.equal(answer.status, 503, text)
      assert.ok(Number(answer.headers.get('retry-after')) > 0, 'when to come again')
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
    }
    return false
  }
  let failed: unknown
  const running = (async () => {
    let at = 0
    while (!stopping.signal.aborted) {
      const ids = Array.from({ length: 10 }, () => crypto.randomUUID())
      while (!stopping.signal.aborted) {
        const api = apis[at % apis.length]!()
        if (api !== undefined && (await post(api, ids))) break
        at += 1
        await delay(50)
      }
      if (stopping.signal.aborted) return
      gapMs = Math.max(gapMs, Date.now() - lastAtMs)
      lastAtMs = Date.now()
      for (const id of ids) acknowledged.add(id)
      await delay(40)
    }
  })().catch((error: unknown) => {
    failed = error
  })
  return {
    acknowledged,
    longestGapMs: () => gapMs,
    atLeast: async (events) => {
      const deadline = Date.now() + WAIT_MS
      for (const from = acknowledged.size; acknowledged.size - from < events; await delay(20)) {
        if (failed !== undefined) throw failed
        assert.ok(Date.now() < deadline, `${acknowledged.size - from} of ${events} acknowledged`)
      }
    },
    stop: async () => {
      stopping.abort()
      await running
      if (failed !== undefined) throw failed
    },
  }
}

/** Calls `playhead migrate` and kills it at the line that fits. */
export async function migrateUntil(t: TestContext, env: Env, file: string, fits: RegExp): Promise<void> {
  const run = start(t, env, 'migrate', '--to', file)
  await run.line((l) => fits.test(l), String(fits))
  run.child.kill('SIGKILL')
  await run.ended
}

/** As an operator does: again, where a slow machine would have paused writes for too long. */
export async function migrate(t: TestContext, env: Env, file: string): Promise<Ended> {
  for (const deadline = Date.now() + WAIT_MS; ; ) {
    const ended = await playhead(t, env, 'migrate', '--to', file)
    const late = ended.code === 1 && /call it again/i.test(ended.out)
    if (!late || Date.now() > deadline) return ended
  }
}

/** Every acknowledged event stands in the table `events` under its plain name, and counts once. */
export async function allOnce(engine: Engine, { acknowledged }: Writer): Promise<void> {
  const ask = async (sql: string): Promise<string> => {
    const headers = { authorization: `Bearer ${engine.keys.data}` }
    const answer = await fetch(engine.clickhouse, { method: 'POST', body: sql, headers })
    return await answer.text()
  }
  // Those until now: others may come in meanwhile.
  const wanted = [...acknowledged]
  const deadline = Date.now() + WAIT_MS
  for (;;) {
    const rows = await ask(`SELECT toString(event_id), count() FROM playhead.events
      WHERE type = 'Heartbeat' AND fate = 'folded' GROUP BY event_id FORMAT TSV`)
    const times = new Map(
      rows
        .trim()
        .split('\n')
        .map((line) => line.split('\t') as [string, string]),
    )
    const missing = wanted.filter((id) => !times.has(id))
    const twice = [...times].filter(([, n]) => n !== '1')
    if (missing.length === 0 && twice.length === 0) return
    assert.ok(
      Date.now() < deadline,
      `${missing.length} are missing, ${twice.length} more than once: ${rows.slice(0, 300)}`,
    )
    await delay(200)
  }
}

export function pausedMs(out: string): number {
  const [, said] = /Writes were paused for ([\d.]+) s/.exec(out) ?? []
  assert.ok(said !== undefined, out)
  return Number(said) * 1_000
}

export function phaseIn(data: string): string {
  return (JSON.parse(readFileSync(join(data, 'migration.json'), 'utf8')) as { phase: string }).phase
}
