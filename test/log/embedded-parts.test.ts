/** What the contract cannot bring about: lost wake-ups, failing heartbeats, drains beyond patience, a stuck disk. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, mock, test } from 'node:test'
import { partitionName } from '../../log/assignment.ts'
import { Appender } from '../../log/embedded/appender.ts'
import { acquire, type Environment, release } from '../../log/embedded/environment.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { EMBEDDED_LIMITS } from '../../log/embedded/limits.ts'
import type { Topics } from '../../log/embedded/topics.ts'
import { Wake } from '../../log/embedded/wake.ts'
import { LogFull, LogUnavailable } from '../../log/errors.ts'
import { LOG_LIMITS } from '../../log/limits.ts'
import { record, until } from './contract-support.ts'
import { Trace } from './trace.ts'

async function inFolder(play: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'playhead-log-'))
  try {
    await play(dir)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** An environment that the test can break, shared with the logs that are opened on the folder meanwhile. */
async function withEnvironment(play: (environment: Environment, dir: string) => Promise<void>): Promise<void> {
  await inFolder(async (dir) => {
    const environment = await acquire(dir, () => undefined)
    try {
      await play(environment, dir)
    } finally {
      await release(environment)
    }
  })
}

describe('the bell between processes', () => {
  test('a waiter hears a ring, also one between its look and its wait', () =>
    inFolder(async (dir) => {
      const wake = new Wake(join(dir, 'wake'), assert.fail)
      const rings = wake.listen()
      wake.ring()
      await wake.after(rings, 60_000)
      const waits = wake.after(wake.listen(), 60_000)
      wake.ring()
      await waits
      wake.close()
    }))

  test('a waiter looks by itself now and then, in case a ring was lost', () =>
    inFolder(async (dir) => {
      const wake = new Wake(join(dir, 'wake'), assert.fail)
      const begun = performance.now()
      await wake.after(wake.listen(), 60_000)
      assert.ok(performance.now() - begun >= EMBEDDED_LIMITS.wakePollMs - 5)
      wake.close()
    }))

  test('where nothing can be watched it says so, and waiters look often', () =>
    inFolder(async (dir) => {
      const warnings: string[] = []
      const wake = new Wake(join(dir, 'wake'), (message) => warnings.push(message))
      await unlink(join(dir, 'wake'))
      const rings = wake.listen()
      assert.equal(warnings.length, 1)
      const begun = performance.now()
      await wake.after(rings, 60_000)
      assert.ok(performance.now() - begun < EMBEDDED_LIMITS.wakePollMs / 2)
      wake.close()
    }))
})

describe('the embedded log in trouble', () => {
  test('an append that stays unanswered is ambiguous after appendTimeoutMs, and says so', async () => {
    const stuck = { writeFast: () => new Promise(() => undefined) } as unknown as Environment
    const topics = { get: () => ({ id: 1, partitions: 1 }) } as unknown as Topics
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      const appender = new Appender(stuck, topics)
      const [first, second] = [appender.append([record('t', 'k')]), appender.append([record('t', 'k')])]
      const both = Promise.allSettled([first, second])
      mock.timers.tick(LOG_LIMITS.appendTimeoutMs)
      for (const outcome of await both) {
        assert.ok(outcome.status === 'rejected' && outcome.reason instanceof LogUnavailable)
        assert.match(outcome.reason.message, /may or may not/)
      }
    } finally {
      mock.timers.reset()
    }
  })

  test('a member whose heartbeats cannot be stored owns nothing once its lease has run out, and recovers', () =>
    withEnvironment(async (environment, dir) => {
      let aheadMs = 0
      const warnings: string[] = []
      const warn = (message: string) => warnings.push(message)
      const log = await openEmbeddedLog({ dir, clock: () => Date.now() + aheadMs, warn })
      await log.ensureTopics([{ topic: 'events', partitions: 2 }])
      const trace = new Trace()
      const member = await log.join('group', ['events'], trace.listener('one'))
      await until('it has all', 10_000, () => member.assigned().length === 2)
      const write = environment.writeGroups
      environment.writeGroups = () => {
        throw new LogFull('the disk is full')
      }
      await until('a heartbeat has failed', 10_000, () => warnings.length > 0)
      assert.equal(member.assigned().length, 2, 'its lease still holds')
      aheadMs = LOG_LIMITS.sessionTimeoutMs
      await until('it has lost all', 10_000, () => member.assigned().length === 0)
      assert.equal(trace.calls.filter((c) => c.what === 'lost').length, 2)
      environment.writeGroups = write
      await until('it has all again', 10_000, () => member.assigned().length === 2)
      await log.close()
    }))

  test('a drain beyond patience is handed over, and its member gets nothing back before it has ended', () =>
    withEnvironment(async (environment, dir) => {
      const warnings: string[] = []
      const log = await openEmbeddedLog({ dir, warn: (message) => warnings.push(message) })
      await log.ensureTopics([{ topic: 'events', partitions: 2 }])
      let end: () => void = () => undefined
      const stuck = new Promise<void>((resolve) => {
        end = resolve
      })
      const [slow, quick] = [new Trace(), new Trace()]
      const first = await log.join(
        'group',
        ['events'],
        slow.listener('slow', () => stuck),
      )
      await until('slow has all', 10_000, () => first.assigned().length === 2)
      const second = await log.join('group', ['events'], quick.listener('quick'))
      await until('slow is asked', 10_000, () => slow.calls.some((c) => c.what === 'revoked'))
      const askedAt = performance.now()
      await until('quick has its share', LOG_LIMITS.drainTimeoutMs + 10_000, () => second.assigned().length === 1)
      assert.ok(performance.now() - askedAt > LOG_LIMITS.drainTimeoutMs - 1_000)
      const [handedOver] = second.assigned().map(partitionName)
      assert.ok(warnings.some((w) => w.includes('drainTimeoutMs') && w.includes(handedOver!)))
      await second.leave()
      const { writeGroups } = environment
      let beats = 0
      environment.writeGroups = <T>(what: string, change: () => T) => {
        beats += 1
        return writeGroups.call(environment, what, change) as T
      }
      await until('slow could have claimed it', 10_000, () => beats >= 3)
      assert.equal(first.assigned().length, 1, 'its drain goes on')
      end()
      await until('slow has all again', 10_000, () => first.assigned().length === 2)
      slow.check()
      await log.close()
    }))
})
