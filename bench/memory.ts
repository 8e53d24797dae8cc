/**
 * Memory of all embedded roles together, as built and run by `playhead up`: idle, and flat over a run of events (a million,
 * posted through the API). From /proc: resident memory for the idle engine; for flatness the processes' own memory, because
 * the log's mapped pages are the system's cache, grow with the log and are given back when somebody needs memory. Both
 * are told.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type BenchOptions, type Measured, median } from './bench.ts'

const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const BATCH = 500

export async function run({ quick }: BenchOptions): Promise<Measured[]> {
  const events = quick ? 2_000 : 1_000_000
  const dir = await mkdtemp(join(tmpdir(), 'playhead-memory-'))
  const ports = await Promise.all(Array.from({ length: 4 }, freePort))
  const [port, analyticsPort, consumersHealth, analyticsHealth] = ports.map(String) as [string, string, string, string]
  const child = spawn(process.execPath, [MAIN, 'up'], {
    env: {
      ...process.env,
      PLAYHEAD_DATA: join(dir, 'data'),
      PLAYHEAD_PORT: port,
      PLAYHEAD_ANALYTICS_PORT: analyticsPort,
      PLAYHEAD_CONSUMERS_HEALTH_PORT: consumersHealth,
      PLAYHEAD_ANALYTICS_HEALTH_PORT: analyticsHealth,
      PLAYHEAD_LOG_LEVEL: 'warn',
    },
    stdio: 'ignore',
  })
  try {
    const api = `http://127.0.0.1:${port}`
    await until(async () => (await fetch(`${api}/readyz`)).ok)
    await delay(quick ? 500 : 10_000)
    const idle = memoryOf(child)
    const key = (JSON.parse(readFileSync(join(dir, 'data', 'keys.json'), 'utf8')) as { publishable: string })
      .publishable
    // Until three tenths caches fill and code is compiled. After that memory goes up and down between two collections of
    // garbage, so the middle of several looks is compared with the middle of later ones.
    const tenth = Math.ceil(events / 10 / BATCH) * BATCH
    await post(api, key, 2 * tenth)
    const looks: Memory[] = []
    for (let n = 0; n < 8; n++) {
      await post(api, key, tenth)
      looks.push(memoryOf(child))
    }
    const [early, late] = [middle(looks.slice(0, 4)), middle(looks.slice(4))]
    return [
      { name: 'memory of all roles, idle', ours: idle.own + idle.mapped, unit: 'MB', bar: { atMost: 900, of: 'ours' } },
      {
        name: `memory over ${events.toLocaleString('en')} events, its last four tenths against the four before`,
        ours: late.own / early.own,
        unit: '×',
        bar: { atMost: 1.1, of: 'ours' },
        note: `${words(early)} → ${words(late)}`,
      },
    ]
  } finally {
    child.kill('SIGTERM')
    await new Promise((resolve) => child.once('exit', resolve))
    await rm(dir, { recursive: true, force: true })
  }
}

let sequence = 0
async function post(api: string, key: string, events: number): Promise<void> {
  for (let sent = 0; sent < events; ) {
    const batch = Array.from({ length: Math.min(BATCH, events - sent) }, () => {
      const n = sequence++
      const session = `s${n % 5_000}`
      return {
        type: 'Heartbeat',
        profileId: `p${n % 5_000}`,
        sessionId: session,
        titleId: 't',
        sequence: n,
        positionMs: n,
      }
    })
    const answer = await fetch(`${api}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ events: batch }),
    })
    await answer.text()
    if (answer.status === 202) sent += batch.length
    else if (answer.status === 429 || answer.status === 503) await delay(200)
    else throw new Error(`the API answered ${answer.status}`)
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    try {
      if (await holds()) return
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
    }
    await delay(100)
  }
  throw new Error('the engine did not become ready within 30 s')
}

interface Memory {
  /** Anonymous: heaps, stacks, ClickHouse's caches. */
  readonly own: number
  /** Pages of files: programs, and LMDB's maps, once for each process that touched them. */
  readonly mapped: number
}

function middle(looks: readonly Memory[]): Memory {
  return { own: median(looks.map(({ own }) => own)), mapped: median(looks.map(({ mapped }) => mapped)) }
}

function words({ own, mapped }: Memory): string {
  return `${own.toFixed(0)} MB + ${mapped.toFixed(0)} MB of mapped files`
}

/** The process and all below it, in megabytes. */
function memoryOf({ pid }: ChildProcess): Memory {
  const parents = new Map<number, number>()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const stat = readProc(`/proc/${entry}/stat`)
    const parent = stat?.slice(stat.lastIndexOf(')') + 4).split(' ')[0]
    if (parent !== undefined) parents.set(Number(entry), Number(parent))
  }
  const family = new Set([pid])
  for (let grown = true; grown; ) {
    const before = family.size
    for (const [process_, parent] of parents) if (family.has(parent)) family.add(process_)
    grown = family.size > before
  }
  const statuses = [...family].map((id) => readProc(`/proc/${id}/status`) ?? '')
  const sum = (field: string) => {
    const line = new RegExp(`${field}:\\s+(\\d+)`)
    return statuses.reduce((kb, status) => kb + Number(line.exec(status)?.[1] ?? 0), 0) / 1024
  }
  return { own: sum('RssAnon'), mapped: sum('RssFile') + sum('RssShmem') }
}

/** A process may be gone by now. */
function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
