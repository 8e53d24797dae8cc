/** Several processes on one log: deaths, pauses and wake-ups. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import type { EventLog } from '../../log/log.ts'
import { type Child, playground } from './children.ts'
import { readAll, record, texts, until, within } from './contract-support.ts'
import { Trace } from './trace.ts'

const PATIENCE_MS = 20_000

async function withLog(dir: string, play: (log: EventLog) => Promise<void>, clock?: () => number): Promise<void> {
  const log = await openEmbeddedLog(clock === undefined ? { dir } : { dir, clock })
  try {
    await play(log)
  } finally {
    await log.close()
  }
}

const durable = (child: Child) => Math.max(0, ...child.said.map((s) => (s.say === 'durable' ? s.count : 0)))
const told = (child: Child, what: 'assigned' | 'revoked' | 'lost') =>
  child.said.flatMap((s) => (s.say === what ? s.partitions : [])).sort()

describe('processes that share an embedded log', () => {
  test('a process killed in mid-append leaves all that was acknowledged, nothing halved, and no gap', () =>
    playground(({ dir, start }) =>
      withLog(dir, async (log) => {
        await log.ensureTopics([{ topic: 'events', partitions: 1 }])
        const survivor = await start('append', 'events', 'survivor')
        for (let round = 0; round < 3; round++) {
          const victim = await start('append', 'events', `victim-${round}`)
          await until('the victim is at work', PATIENCE_MS, () => durable(victim) >= 300 + 50 * round)
          await victim.kill()
          const acknowledged = durable(victim)
          const before = durable(survivor)
          await until('the survivor goes on', PATIENCE_MS, () => durable(survivor) > before)
          const all = await readAll(log, 'events')
          for (const [i, r] of all.entries()) assert.equal(r.position, BigInt(i))
          const own = all.filter((r) => r.key === `victim-${round}`).map((r) => r.value.toString())
          assert.ok(own.length >= acknowledged, `${own.length} stored, ${acknowledged} acknowledged`)
          assert.equal(own.length % 3, 0, 'an append is stored whole or not at all')
          assert.deepEqual(
            own,
            own.map((_, n) => `victim-${round}:${n}`),
          )
        }
      }),
    ))

  test('an append of one process wakes the waiting read of another', (t) =>
    playground(({ dir, start }) =>
      withLog(dir, async (log) => {
        await log.ensureTopics([{ topic: 'events', partitions: 1 }])
        const tail = await start('tail', 'events', 'tail')
        const tookMs: number[] = []
        for (let i = 0; i < 60; i++) {
          const begunMs = performance.timeOrigin + performance.now()
          await log.append([record('events', 'k', `${i}`)])
          const had = () => tail.said.find((s) => s.say === 'had' && s.value === `${i}`)
          await until('the other process has it', PATIENCE_MS, () => had() !== undefined)
          const answer = had()
          if (answer?.say === 'had') tookMs.push(answer.atMs - begunMs)
        }
        tookMs.sort((a, b) => a - b)
        t.diagnostic(
          `append → read in another process: p50 ${tookMs[30]!.toFixed(2)} ms, p95 ${tookMs[57]!.toFixed(2)} ms`,
        )
        // Far below the poll that is there for lost wake-ups (1 s), however busy the machine is.
        assert.ok(tookMs[30]! < 250, `p50 ${tookMs[30]} ms`)
      }),
    ))

  test('what another process has appended is seen at once, also by a process that has just looked', () =>
    playground(({ dir, startAndWait }) =>
      withLog(dir, async (log) => {
        await log.ensureTopics([{ topic: 'events', partitions: 1 }])
        assert.deepEqual(await readAll(log, 'events'), [])
        // Nothing else of this process runs meanwhile: what it saw a moment ago is all it has, unless it looks again.
        startAndWait('once', 'events', 'other')
        assert.deepEqual(texts(await readAll(log, 'events')), ['other'])
      }),
    ))

  test("a killed member's partitions go over, long before its lease runs out", () =>
    playground(({ dir, start }) =>
      withLog(dir, async (log) => {
        await log.ensureTopics([{ topic: 'events', partitions: 4 }])
        const child = await start('member', 'events', 'group')
        await until('the child has all', PATIENCE_MS, () => told(child, 'assigned').length === 4)
        const trace = new Trace()
        const mine = await log.join('group', ['events'], trace.listener('mine'))
        await until('they share', PATIENCE_MS, () => mine.assigned().length === 2)
        await child.kill()
        const killedAt = performance.now()
        await until('all are mine', PATIENCE_MS, () => mine.assigned().length === 4)
        assert.ok(performance.now() - killedAt < 8_000, 'its process id said so, not its lease')
        trace.check()
      }),
    ))

  test('a member that is paused beyond its lease finds out when it wakes, and is told lost', () => {
    let aheadMs = 0
    const clock = () => Date.now() + aheadMs
    return playground(({ dir, start }) =>
      withLog(
        dir,
        async (log) => {
          await log.ensureTopics([{ topic: 'events', partitions: 2 }])
          const child = await start('member', 'events', 'group')
          await until('the child has all', PATIENCE_MS, () => told(child, 'assigned').length === 2)
          child.process.kill('SIGSTOP')
          // To us its lease has run out; it sleeps and can't object.
          aheadMs = 60_000
          const mine = await log.join('group', ['events'], new Trace().listener('mine'))
          await until('all are mine', PATIENCE_MS, () => mine.assigned().length === 2)
          aheadMs = 0
          assert.deepEqual(told(child, 'lost'), [])
          child.process.kill('SIGCONT')
          await until('the child is told', PATIENCE_MS, () => told(child, 'lost').length === 2)
          assert.deepEqual(told(child, 'revoked'), [])
          await until(
            'it takes part again',
            PATIENCE_MS,
            () => mine.assigned().length === 1 && told(child, 'assigned').length === 3,
          )
        },
        clock,
      ),
    )
  })

  test('a member in another process hands over through a drain when it leaves', () =>
    playground(({ dir, start }) =>
      withLog(dir, async (log) => {
        await log.ensureTopics([{ topic: 'events', partitions: 3 }])
        const child = await start('member', 'events', 'group')
        await until('the child has all', PATIENCE_MS, () => told(child, 'assigned').length === 3)
        const mine = await log.join('group', ['events'], new Trace().listener('mine'))
        child.process.send('leave')
        await until('all are mine', PATIENCE_MS, () => mine.assigned().length === 3)
        await until('it has left', PATIENCE_MS, () => child.said.some((s) => s.say === 'left'))
        assert.equal(told(child, 'revoked').length, told(child, 'assigned').length)
        assert.deepEqual(told(child, 'lost'), [])
      }),
    ))

  test('a log that grows in one process is read in another', () =>
    playground(({ dir, start }) =>
      withLog(dir, async (log) => {
        await log.ensureTopics([{ topic: 'events', partitions: 1 }])
        const tail = await start('tail', 'events', 'tail')
        // Far beyond the map that both began with.
        for (let i = 0; i < 40; i++) await log.append([record('events', 'k', `${i}-${'x'.repeat(900_000)}`)])
        const had = () => tail.said.filter((s) => s.say === 'had').length
        await within(
          'the other process has all',
          PATIENCE_MS,
          until('40 records', PATIENCE_MS, () => had() === 40),
        )
      }),
    ))
})
