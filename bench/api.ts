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
import { ensureKeyFile } from '../cli/keys.ts'
import { alternate, type BenchOptions, type Measured } from './bench.ts'
import { type Load, load, requestBytes } from './http-load.ts'

const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const BARE = fileURLToPath(new URL('./bare-server.ts', import.meta.url))
/** Many, because a durable answer waits for the disk: with few, the disk's latency is measured. */
const CONNECTIONS = 256
const BATCH = 50

export interface Target {
  readonly port: number
  /** Of ClickHouse, where everything runs. */
  readonly analyticsPort: number
  /** The folder. */
  readonly data: string
  readonly dataKey: string
  readonly admin: string
  readonly publishable: string
}

export async function run({ quick }: BenchOptions): Promise<Measured[]> {
  const [rounds, durationMs] = quick ? [1, 100] : [7, 1_500]
  const dir = await mkdtemp(join(tmpdir(), 'playhead-bench-api-'))
  const bare = await startBare()
  try {
    // Writes load the API alone, as on a cluster; what they wrote can be read only where everything runs.
    const written = await withTarget('api', join(dir, 'api'), (ours) => writes(ours, bare, rounds, durationMs))
    const read = await withTarget('up', join(dir, 'up'), (ours) => reads(ours, bare, rounds, durationMs))
    return [...written, ...read]
  } finally {
    await bare.stop()
    await rm(dir, { recursive: true, force: true })
  }
}

/** On Kafka and Cassandra where PLAYHEAD_LOG and PLAYHEAD_STORE say so; on their own, with nothing else to fold. */
export async function runFresh({ quick }: BenchOptions): Promise<Measured[]> {
  const dir = await mkdtemp(join(tmpdir(), 'playhead-bench-fresh-'))
  try {
    return await withTarget('up', dir, (ours) => readable(ours, quick ? 5 : 400))
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

interface Bare {
  readonly port: number
  stop(): Promise<void>
}

async function startBare(): Promise<Bare> {
  const child = fork(BARE, { execArgv: ['--import', 'tsx'] })
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  const stop = async () => {
    const exit = once(child, 'exit')
    child.disconnect()
    await exit
  }
  return { port, stop }
}

async function writes(ours: Target, bare: Bare, rounds: number, durationMs: number): Promise<Measured[]> {
  const token = await playbackToken(ours)
  const body = (n: number) =>
    JSON.stringify({ positionMs: n, durationMs: 7_200_000, sequence: n, state: 'playing', clientTimestamp: Date.now() })
  const bearer = { Authorization: `Bearer ${token}` }
  const post = { connections: CONNECTIONS, durationMs, status: 204 }
  const heartbeats = await against(
    rounds,
    { ...post, port: ours.port, request: (n) => requestBytes('POST', '/v1/playback/heartbeat', bearer, body(n)) },
    { ...post, port: bare.port, request: (n) => requestBytes('POST', '/heartbeat', bearer, body(n)) },
  )
  const key = { 'X-Playhead-Key': ours.publishable }
  const batch = { connections: CONNECTIONS, durationMs, status: 202 }
  const batches = await against(
    rounds,
    { ...batch, port: ours.port, request: (n) => requestBytes('POST', '/v1/events', key, batchOf(n)) },
    { ...batch, port: bare.port, request: (n) => requestBytes('POST', '/events', key, batchOf(n)) },
  )
  return [
    { name: 'heartbeats, one a request', ...heartbeats, unit: 'req/s', bar: { atLeast: 0.8, of: 'ratio' } },
    {
      name: `events in batches of ${BATCH}, durable`,
      ours: batches.ours * BATCH,
      bare: batches.bare * BATCH,
      ratio: batches.ratio,
      unit: 'events/s',
      bar: { atLeast: 0.75, of: 'ratio' },
    },
  ]
}

async function reads(ours: Target, bare: Bare, rounds: number, durationMs: number): Promise<Measured[]> {
  const token = { Authorization: `Bearer ${await profileToken(ours, 'ann')}` }
  await put(ours, token)
  const get = { connections: CONNECTIONS, durationMs, status: 200 }
  const path = '/v1/profiles/ann/progress/title-1'
  const gets = await against(
    rounds,
    { ...get, port: ours.port, request: () => requestBytes('GET', path, token) },
    { ...get, port: bare.port, request: () => requestBytes('GET', '/progress', token) },
  )
  return [
    { name: 'GET progress', ...gets, unit: 'req/s', bar: { atLeast: 0.6, of: 'ratio' } },
    {
      name: 'GET progress, p99 of 4 callers',
      ours: await calm(ours, path, token, durationMs),
      unit: 'ms',
      bar: { atMost: 5, of: 'ours' },
    },
  ]
}

/** Latency is told of a server that is not at its limit: where 64 callers wait at once, most of it is their queue. */
async function calm(
  { port }: Target,
  path: string,
  headers: Readonly<Record<string, string>>,
  durationMs: number,
): Promise<number> {
  const request = () => requestBytes('GET', path, headers)
  return (await load({ port, connections: 4, durationMs, status: 200, request })).p99Ms
}

/** One round of each beforehand, so that neither is measured while it is being compiled. */
async function against(rounds: number, ours: Load, bare: Load): ReturnType<typeof alternate> {
  await load(ours)
  await load(bare)
  const rate = async (of: Load) => (await load(of)).perSecond
  return alternate(
    rounds,
    () => rate(ours),
    () => rate(bare),
  )
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
  const cluster = process.env.PLAYHEAD_LOG !== undefined && process.env.PLAYHEAD_STORE !== undefined
  return [
    {
      name: `heartbeat → resume readable, p99, ${cluster ? 'on the cluster' : 'embedded'}`,
      ours: p99,
      unit: 'ms',
      bar: { atMost: cluster ? 150 : 50, of: 'ours' },
      note: `median ${(waits[waits.length >> 1] ?? 0).toFixed(1)} ms`,
    },
  ]
}

/** As the customer's own backend would make it. */
export function profileToken({ data }: Target, profile: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const words = ['token', '--profile', profile, '--account', 'bench', '--plan', 'premium']
    const child = spawn(process.execPath, [MAIN, ...words], {
      env: { ...process.env, PLAYHEAD_DATA: data },
    })
    let out = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk
    })
    child.once('error', reject).once('close', () => resolve(out.trim().split('\n').at(-1) ?? ''))
  })
}

async function playbackToken(ours: Target): Promise<string> {
  const profile = await profileToken(ours, 'bench')
  const { port } = ours
  const answer = await fetch(`http://127.0.0.1:${port}/v1/playback/start`, {
    method: 'POST',
    headers: { authorization: `Bearer ${profile}`, 'content-type': 'application/json' },
    body: JSON.stringify({ titleId: 'title-1', deviceId: 'bench' }),
  })
  const text = await answer.text()
  if (answer.status !== 201) throw new Error(`playback/start was answered ${answer.status}: ${text}`)
  return (JSON.parse(text) as { playbackToken: string }).playbackToken
}

export async function put({ port }: Pick<Target, 'port'>, headers: Readonly<Record<string, string>>): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/profiles/ann/progress/title-1`, {
    method: 'PUT',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ positionMs: 61_000, durationMs: 7_200_000 }),
  })
  if (!answer.ok) throw new Error(`PUT progress was answered ${answer.status}: ${await answer.text()}`)
  // Folded before it is read: from here on the row is there.
  const position = answer.headers.get('playhead-position') ?? ''
  const read = await fetch(answer.url, { headers: { ...headers, 'Playhead-Position': position } })
  if (!read.ok) throw new Error(`GET progress was answered ${read.status}: ${await read.text()}`)
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

export async function withTarget<T>(role: 'api' | 'up', home: string, use: (target: Target) => Promise<T>): Promise<T> {
  const data = join(home, 'data')
  ensureKeyFile(join(data, 'keys.json'), (bytes) => globalThis.crypto.getRandomValues(bytes))
  const child = spawn(process.execPath, [MAIN, role], {
    env: {
      ...process.env,
      PLAYHEAD_DATA: data,
      PLAYHEAD_PORT: '0',
      PLAYHEAD_ANALYTICS_PORT: '0',
      PLAYHEAD_CONSUMERS_HEALTH_PORT: '0',
      PLAYHEAD_ANALYTICS_HEALTH_PORT: '0',
      PLAYHEAD_LIMIT_CLASSES: 'events=1000000,start=1000000,browse=1000000',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const { port, analyticsPort } = await portsOf(child, role === 'up')
    const keys = JSON.parse(readFileSync(join(data, 'keys.json'), 'utf8')) as {
      admin: string
      publishable: string
      data: string
    }
    const { admin, publishable, data: dataKey } = keys
    return await use({ admin, publishable, dataKey, port, analyticsPort, data })
  } finally {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
  }
}

/** The roles say where they are; everything after it is read and let go, or the pipe would fill. */
function portsOf(child: ChildProcess, all: boolean): Promise<{ port: number; analyticsPort: number }> {
  return new Promise((resolve, reject) => {
    let text = ''
    const portOf = (role: string) => {
      const line = text.split('\n').find((l) => l.includes(`"role":"${role}"`) && l.includes('"msg":"ready"'))
      return line === undefined ? undefined : Number(new URL((JSON.parse(line) as { url: string }).url).port)
    }
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      if (text.length < 1e6) text += chunk
      const port = portOf('api')
      const analyticsPort = all ? portOf('analytics') : 0
      if (port !== undefined && analyticsPort !== undefined) resolve({ port, analyticsPort })
    })
    child.once('exit', (code) => reject(new Error(`the engine ended with ${code} before it was ready`)))
  })
}
