/** Whole processes killed by SIGKILL at every failpoint and at random times, stopped and woken, on real engines. */
import { test } from 'node:test'
import { FAILPOINTS } from '../../consumers/failpoints.ts'
import { death, end, type Play } from './play.ts'

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** No tenant of these tests has two landing tables, and nobody erases two partitions at once (erasure-suite.ts does). */
const REACHED = FAILPOINTS.filter((name) => name !== 'rows.half-inserted' && name !== 'states.half-erased')

export interface KillOptions {
  /**
   * Engines in shared memory: a process that is stopped (not killed) inside a write transaction keeps its lock until it
   * goes on, so there the zombie is stopped while it rests; it wakes up believing what it believed all the same.
   */
  readonly stopAtRest: boolean
  readonly sessionTimeoutMs: number
}

export function killSuite(play: () => Play, { stopAtRest, sessionTimeoutMs }: KillOptions): void {
  for (const dieAt of REACHED) {
    test(`a process killed at ${dieAt} loses nothing and doubles nothing`, async () => {
      await play().post(60)
      if (dieAt === 'redo.begun') await death(await play().start({ dieAt: 'intent.set' }), 'intent.set')
      await death(await play().start({ dieAt }), dieAt)
      const heir = await play().start()
      await play().assertExactlyOnce()
      await end(heir, 'SIGTERM')
    })
  }

  test('processes killed at random times lose nothing and double nothing', async () => {
    for (let round = 0; round < 6; round++) {
      const child = await play().start()
      const posting = Promise.all([play().post(80), play().post(80)])
      await pause(Math.random() * 400)
      await end(child, 'SIGKILL')
      await posting
    }
    const heir = await play().start()
    await play().assertExactlyOnce()
    await end(heir, 'SIGTERM')
  })

  test('a member that joins in mid-stream and one that leaves lose nothing and double nothing', async () => {
    const first = await play().start()
    await play().post(200)
    const second = await play().start()
    await play().post(200)
    await end(first, 'SIGTERM')
    await play().post(200)
    await play().assertExactlyOnce()
    await end(second, 'SIGTERM')
  })

  test('slow between every two steps, with no fault armed: nothing is lost or doubled', async () => {
    const slow = await play().start({ slowMs: 150 })
    for (let i = 0; i < 5; i++) await play().post(100)
    await play().assertExactlyOnce()
    await end(slow, 'SIGTERM')
  })

  test('a zombie, stopped past its session and woken after another took over, changes nothing', async () => {
    const zombie = await play().start()
    await play().post(100)
    if (stopAtRest) await play().assertExactlyOnce()
    zombie.kill('SIGSTOP')
    await play().post(100)
    const heir = await play().start()
    await pause(sessionTimeoutMs + 2_000)
    await play().post(100)
    await play().assertExactlyOnce()
    zombie.kill('SIGCONT')
    await play().post(100)
    await play().assertExactlyOnce()
    await end(zombie, 'SIGTERM')
    await play().assertExactlyOnce()
    await end(heir, 'SIGTERM')
  })
}
