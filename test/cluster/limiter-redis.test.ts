/** Limits that two API processes share through a real Redis, which is killed in between and comes back. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Registry } from 'prom-client'
import { Breakers } from '../../api/breaker.ts'
import { MemoryLimiter } from '../../api/limiter/memory.ts'
import { openRedisWindows } from '../../api/limiter/redis.ts'
import { SharedLimiter } from '../../api/limiter/shared.ts'
import type { Verdict } from '../../api/limiter/window.ts'

const PASSWORD = 'a-password-for-tests'
/** Of Debian's package of that name. */
const SERVER = 'redis-server'
const MISSING = spawnSync(SERVER, ['--version']).status !== 0
const NEEDS_REDIS = { skip: MISSING && `${SERVER} is not installed` }

interface RedisServer {
  readonly url: string
  start(): Promise<void>
  kill(): Promise<void>
}

async function redisServer(t: TestContext): Promise<RedisServer> {
  const dir = mkdtempSync(join(tmpdir(), 'playhead-redis-'))
  const port = await freePort()
  let child: ChildProcess | undefined
  const kill = async () => {
    const running = child
    child = undefined
    if (running === undefined || running.exitCode !== null) return
    const ended = once(running, 'exit')
    running.kill('SIGKILL')
    await ended
  }
  const start = async () => {
    const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--requirepass', PASSWORD]
    const started = spawn(SERVER, settings, { stdio: ['ignore', 'pipe', 'inherit'] })
    child = started
    for await (const chunk of started.stdout) {
      if (String(chunk).includes('Ready to accept connections')) break
    }
  }
  t.after(async () => {
    await kill()
    rmSync(dir, { recursive: true, force: true })
  })
  await start()
  return { url: `redis://:${PASSWORD}@127.0.0.1:${port}`, start, kill }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** As one API process has it; its breaker's clock is the test's. */
async function processOf(t: TestContext, url: string, windowMs?: number) {
  const clock = { ms: 1_800_000_000_000 }
  const nowMs = () => clock.ms
  const metrics = new Registry()
  const warnings: string[] = []
  const windows = await openRedisWindows({ url, ...(windowMs !== undefined && { windowMs }) })
  const limiter = new SharedLimiter({
    windows,
    own: new MemoryLimiter({ nowMs }),
    breakers: new Breakers(metrics),
    metrics,
    nowMs,
    warn: (message) => warnings.push(message),
  })
  t.after(() => limiter.close())
  const take = (subject: string, limit: number) => limiter.take('start', subject, limit)
  const isShared = () => warnings.length % 2 === 0
  await until('the connection', async () => {
    clock.ms += 30_000
    await take(`warm-up ${Math.random()}`, 1)
    return isShared() && (await metrics.metrics()).includes('circuit_breaker_state{service="limits"} 0')
  })
  return { clock, metrics, warnings, take, isShared }
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  assert.fail(`${what}: waited for in vain`)
}

test('two processes share one limit, whoever asks, and never let one more through', NEEDS_REDIS, async (t) => {
  const { url } = await redisServer(t)
  const [one, two] = [await processOf(t, url), await processOf(t, url)]
  const verdicts: Verdict[] = []
  for (let round = 0; round < 10; round++) {
    verdicts.push(...(await Promise.all([one, two].flatMap(({ take }) => [0, 1, 2, 3].map(() => take('smith', 60))))))
  }
  assert.equal(verdicts.length, 80)
  assert.equal(verdicts.filter(({ allowed }) => allowed).length, 60)
  const left = verdicts.filter(({ allowed }) => allowed).map(({ remaining }) => remaining)
  assert.deepEqual(
    left.toSorted((a, b) => a - b),
    Array.from({ length: 60 }, (_, i) => i),
  )
  for (const { allowed, retryAfterMs, resetMs } of verdicts) {
    if (!allowed) assert.ok(retryAfterMs > 0 && retryAfterMs <= 65_000 && resetMs >= retryAfterMs)
  }
  assert.ok((await one.take('jones', 60)).allowed)
  assert.deepEqual([one.warnings.length % 2, two.warnings.length % 2], [0, 0], 'nobody counted alone')
})

test('a place is free again when it was said to be', NEEDS_REDIS, async (t) => {
  const { url } = await redisServer(t)
  const { take } = await processOf(t, url, 1_200)
  assert.ok((await take('smith', 2)).allowed)
  assert.ok((await take('smith', 2)).allowed)
  const refused = await take('smith', 2)
  assert.equal(refused.allowed, false)
  assert.ok(refused.retryAfterMs > 900 && refused.retryAfterMs <= 1_300, `${refused.retryAfterMs} ms`)
  const startedMs = performance.now()
  await until('a free place', async () => (await take('smith', 2)).allowed)
  const waitedMs = performance.now() - startedMs
  assert.ok(waitedMs >= refused.retryAfterMs - 60, `free after ${waitedMs} ms, said ${refused.retryAfterMs}`)
})

test(
  'Redis is killed: each process counts for itself, at once; it is back: they share again',
  NEEDS_REDIS,
  async (t) => {
    const server = await redisServer(t)
    const [one, two] = [await processOf(t, server.url), await processOf(t, server.url)]
    const said = one.warnings.length
    assert.equal((await one.take('smith', 3)).remaining, 2)
    assert.equal((await two.take('smith', 3)).remaining, 1)
    await server.kill()
    for (const { take } of [one, two]) {
      const left: number[] = []
      for (let i = 0; i < 4; i++) {
        const startedMs = performance.now()
        left.push((await take('smith', 3)).remaining)
        assert.ok(performance.now() - startedMs < 500)
      }
      assert.deepEqual(left, [2, 1, 0, 0])
    }
    assert.equal(one.warnings.length, said + 1)
    assert.match(await one.metrics.metrics(), /playhead_limits_own_total \d/)
    await server.start()
    for (const { clock, take, isShared } of [one, two]) {
      await until('the way back', async () => {
        clock.ms += 30_000
        await take('nobody', 1)
        return isShared()
      })
    }
    assert.equal((await one.take('jones', 3)).remaining, 2)
    assert.equal((await two.take('jones', 3)).remaining, 1)
    assert.equal(one.warnings.length, said + 2)
  },
)
