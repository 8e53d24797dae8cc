/**
 * The API role against a bare Fastify that parses and validates the same bodies and stores nothing, each in a process
 * of its own and loaded in turn by the same client; and how soon a heartbeat can be read where everything runs.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { alternate, type BenchOptions, type Measured } from './bench.ts'
import { type Loaded, load, requestBytes } from './http-load.ts'

const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const BARE = fileURLToPath(new URL('./bare-server.ts', import.meta.url))
const CONNECTIONS = 64
const BATCH = 50

interface Target {
  readonly port: number
  readonly admin: string
  readonly publishable: string
  stop(): Promise<void>
}

export async function run({ quick }: BenchOptions): Promise<Measured[]> {
  const [rounds, durationMs] = quick ? [1, 100] : [7, 1_500]
  const dir = await mkdtemp(join(tmpdir(), 'playhead-bench-api-'))
  try {
    const throughput = await withTarget('api', join(dir, 'api'), (ours) => throughputs(ours, rounds, durationMs))
    const latency = await withTarget('up', join(dir, 'up'), (ours) => readable(ours, quick ? 5 : 400))
    return [...throughput, ...latency]
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

async function throughputs(ours: Target, rounds: number, durationMs: number): Promise<Measured[]> {
  const bare = fork(BARE, { execArgv: ['--import', 'tsx'] })
  const [{ port }] = (await once(bare, 'message')) as [{ port: number }]
  try {
    const token = await playbackToken(ours)
    const admin = { Authorization: `Bearer ${ours.admin}` }
    await put(ours, admin)
    const run = (at: number, status: number, request: (n: number) => Buffer) =>
      load({ port: at, connections: CONNECTIONS, durationMs, status, request })
    const body = (n: number) =>
      JSON.stringify({
        positionMs: n,
        durationMs: 7_200_000,
        sequence: n,
        state: 'playing',
        clientTimestamp: Date.now(),
      })
    const bearer = { Authorization: `Bearer ${token}` }
    const heartbeats = await against(
      rounds,
      () => run(ours.port, 204, (n) => requestBytes('POST', '/v1/playback/heartbeat', bearer, body(n))),
      () => run(port, 204, (n) => requestBytes('POST', '/heartbeat', bearer, body(n))),
    )
    const key = { 'X-Playhead-Key': ours.publishable }
    const batches = await against(
      rounds,
      () => run(ours.port, 202, (n) => requestBytes('POST', '/v1/events', key, batchOf(n))),
      () => run(port, 202, (n) => requestBytes('POST', '/events', key, batchOf(n))),
    )
    const gets = await against(
      rounds,
      () => run(ours.port, 200, () => requestBytes('GET', '/v1/profiles/ann/progress/title-1', admin)),
      () => run(port, 200, () => requestBytes('GET', '/progress', admin)),
    )
    return [
      { name: 'heartbeats, one a request', ...heartbeats.rates, unit: 'req/s', bar: { atLeast: 0.8, of: 'ratio' } },
      {
        name: `events in batches of ${BATCH}, durable`,
        ...scaled(batches.rates, BATCH),
        unit: 'events/s',
        bar: { atLeast: 0.75, of: 'ratio' },
      },
      { name: 'GET progress', ...gets.rates, unit: 'req/s', bar: { atLeast: 0.6, of: 'ratio' } },
      {
        name: 'GET progress, p99 of 4 callers',
        ours: await calm(ours, admin, durationMs),
        unit: 'ms',
        bar: { atMost: 5, of: 'ours' },
      },
    ]
  } finally {
    bare.disconnect()
    await once(bare, 'exit')
  }
}

/** Latency is told of a server that is not at its limit: where 64 callers wait at once, most of it is their queue. */
async function calm({ port }: Target, headers: Readonly<Record<string, string>>, durationMs: number): Promise<number> {
  const request = () => requestBytes('GET', '/v1/profiles/ann/progress/title-1', headers)
  return (await load({ port, connections: 4, durationMs, status: 200, request })).p99Ms
}

async function against(rounds: number, ours: () => Promise<Loaded>, bare: () => Promise<Loaded>) {
  await ours()
  await bare()
  const rates = await alternate(
    rounds,
    async () => (await ours()).perSecond,
    async () => (await bare()).perSecond,
  )
  return { rates }
}

function scaled(rates: { ours: number; bare: number; ratio: number }, by: number) {
  return { ours: rates.ours * by, bare: rates.bare * by, ratio: rates.ratio }
}

/** A heartbeat is acknowledged; from then on, how long until the resume position says so? */
async function readable(ours: Target, times: number): Promise<Measured[]> {
  const token = await playbackToken(ours)
  const url = `http://127.0.0.1:${ours.port}/v1`
  const admin = { authorization: `Bearer ${ours.admin}` }
  const waits: number[] = []
  for (let n = 1; n <= times; n++) {
    const begun = performance.now()
    const sent = await fetch(`${url}/playback/heartbeat`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ positionMs: n * 1_000, sequence: n }),
    })
    if (sent.status !== 204) throw new Error(`a heartbeat was answered ${sent.status}: ${await sent.text()}`)
    for (;;) {
      const answer = await fetch(`${url}/profiles/bench/progress/title-1`, { headers: admin })
      const row = (await answer.json()) as { positionMs?: number }
      if (row.positionMs === n * 1_000) break
      if (performance.now() - begun > 10_000) throw new Error('a heartbeat was not readable within ten seconds')
    }
    waits.push(performance.now() - begun)
    await delay(5)
  }
  waits.sort((a, b) => a - b)
  const p99 = waits[Math.floor(waits.length * 0.99)] ?? 0
  const note = `median ${(waits[waits.length >> 1] ?? 0).toFixed(1)} ms`
  return [{ name: 'heartbeat → resume readable, p99', ours: p99, unit: 'ms', bar: { atMost: 50, of: 'ours' }, note }]
}

async function playbackToken({ port, admin }: Target): Promise<string> {
  const profile = await new Promise<string>((resolve, reject) => {
    const words = ['token', '--profile', 'bench', '--account', 'bench', '--plan', 'premium']
    const child = spawn(process.execPath, [MAIN, ...words], {
      env: { ...process.env, PLAYHEAD_DATA: dataOf.get(port) },
    })
    let out = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk
    })
    child.once('error', reject).once('close', () => resolve(out.trim().split('\n').at(-1) ?? ''))
  })
  const answer = await fetch(`http://127.0.0.1:${port}/v1/playback/start`, {
    method: 'POST',
    headers: { authorization: `Bearer ${profile}`, 'content-type': 'application/json' },
    body: JSON.stringify({ titleId: 'title-1', deviceId: 'bench' }),
  })
  const text = await answer.text()
  if (answer.status !== 201) throw new Error(`playback/start was answered ${answer.status}: ${text}`)
  if (admin === '') throw new Error('no admin key')
  return (JSON.parse(text) as { playbackToken: string }).playbackToken
}

async function put({ port }: Target, headers: Readonly<Record<string, string>>): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/profiles/ann/progress/title-1`, {
    method: 'PUT',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ positionMs: 61_000, durationMs: 7_200_000 }),
  })
  if (!answer.ok) throw new Error(`PUT progress was answered ${answer.status}: ${await answer.text()}`)
}

function batchOf(n: number): string {
  const events = Array.from({ length: BATCH }, (_, i) => ({
    type: 'Heartbeat',
    profileId: `p${(n * BATCH + i) % 5_000}`,
    sessionId: `s${(n * BATCH + i) % 5_000}`,
    titleId: 'title-1',
    sequence: n * BATCH + i,
    positionMs: n * 1_000 + i,
    state: 'playing',
    durationMs: 7_200_000,
  }))
  return JSON.stringify({ events })
}

const dataOf = new Map<number, string>()

async function withTarget<T>(role: 'api' | 'up', home: string, use: (target: Target) => Promise<T>): Promise<T> {
  const data = join(home, 'data')
  const child = spawn(process.execPath, [MAIN, role], {
    env: {
      ...process.env,
      PLAYHEAD_DATA: data,
      PLAYHEAD_PORT: '0',
      PLAYHEAD_ANALYTICS_PORT: '0',
      PLAYHEAD_CONSUMERS_HEALTH_PORT: '0',
      PLAYHEAD_ANALYTICS_HEALTH_PORT: '0',
      PLAYHEAD_LIMIT_CLASSES: 'events=100000000,start=100000000',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const port = await portOf(child)
    dataOf.set(port, data)
    const keys = JSON.parse(readFileSync(join(data, 'keys.json'), 'utf8')) as { admin: string; publishable: string }
    const stop = async () => {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
    return await use({ port, ...keys, stop })
  } finally {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
  }
}

/** The API says where it is; everything after it is read and let go, or the pipe would fill. */
function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      if (text.length < 1e6) text += chunk
      const line = text.split('\n').find((l) => l.includes('"role":"api"') && l.includes('"msg":"ready"'))
      if (line !== undefined) resolve((JSON.parse(line) as { port: number }).port)
    })
    child.once('exit', (code) => reject(new Error(`the engine ended with ${code} before it was ready`)))
  })
}
