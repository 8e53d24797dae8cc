import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { CLI_LIMITS } from '../../cli/limits.ts'
import { isHeld, lockDataFolder, startOf } from '../../cli/lock.ts'

const LOCK = new URL('../../cli/lock.ts', import.meta.url).href

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'playhead-lock-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** Takes the lock in a process of its own and answers its first word. */
async function locker(dir: string) {
  const script = `
    import { lockDataFolder } from ${JSON.stringify(LOCK)}
    const locked = await lockDataFolder(${JSON.stringify(dir)}, Date.now)
    console.log(locked.ok ? 'locked' : 'refused ' + locked.holder.pid)
    if (locked.ok) setInterval(() => undefined, 1000)`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const word = await new Promise<string>((resolve) => child.stdout.once('data', (data) => resolve(String(data).trim())))
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  return { word, pid: child.pid, kill }
}

test('a second start is told who holds the folder; a holder that was killed holds nothing', async (t) => {
  const dir = folder(t)
  const first = await locker(dir)
  assert.equal(first.word, 'locked')
  const second = await lockDataFolder(dir, Date.now)
  assert.ok(!second.ok)
  assert.equal(second.holder.pid, first.pid)
  await first.kill()
  const third = await lockDataFolder(dir, Date.now)
  assert.ok(third.ok)
  await third.release()
})

test('of several starts at once, exactly one gets the folder', async (t) => {
  const dir = folder(t)
  const starts = await Promise.all([locker(dir), locker(dir), locker(dir)])
  assert.deepEqual(starts.map((s) => s.word.split(' ')[0]).sort(), ['locked', 'refused', 'refused'])
  await Promise.all(starts.map((s) => s.kill()))
})

test('a released folder can be had again', async (t) => {
  const dir = folder(t)
  for (let i = 0; i < 3; i++) {
    const locked = await lockDataFolder(dir, Date.now)
    assert.ok(locked.ok)
    await locked.release()
  }
})

test('a process that has the holder’s id but another start is another process', () => {
  const self = { pid: process.pid, host: hostname(), beatAtMs: 0 }
  assert.equal(isHeld({ ...self, startedAt: startOf(process.pid) ?? '' }, 0), true)
  assert.equal(isHeld({ ...self, startedAt: 'another' }, 0), false)
  assert.equal(startOf(2 ** 22 + 1), undefined)
})

test('a holder on another host holds as long as it beats', () => {
  const holder = { pid: 1, startedAt: 'x', host: 'another-host', beatAtMs: 1_000_000 }
  assert.equal(isHeld(holder, holder.beatAtMs + CLI_LIMITS.lockLeaseMs - 1), true)
  assert.equal(isHeld(holder, holder.beatAtMs + CLI_LIMITS.lockLeaseMs), false)
})
