/**
 * Commit records in Cassandra: lightweight transactions on one row each.
 *
 * A swap is applied only on the revision that its caller saw, so one that reaches Cassandra long after it was given up
 * finds another revision and changes nothing. Every swap also leaves a *stamp* of its own: when an answer was lost, the
 * stamp says whose write stands there. (The record alone does not: two consumers that take over write the same.)
 *
 * States of one swap: *sent* → applied, or refused → *read back*; → no answer → *read back*, again and again until
 * Cassandra answers: our stamp → swapped; the revision we saw → sent again with the same stamp; another → refused.
 * After `swapTimeoutMs` it is *unresolved* (StoreUnavailable); if the caller makes the same swap again it goes on from
 * reading back, so that its own write is never taken for somebody else's.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { StoreUnavailable } from '../errors.ts'
import type { CommitKey, CommitRecord, CommitStore, Swap } from '../state.ts'
import { checkRevision } from '../values.ts'
import { commitRows } from './commit-rows.ts'
import { CASSANDRA_LIMITS } from './limits.ts'
import type { Session } from './session.ts'

interface Attempt {
  /** The revision it is applied on; undefined: on no record. */
  readonly seen: bigint | undefined
  readonly next: CommitRecord
  readonly stamp: string
}

export function cassandraCommits(session: Session, swapTimeoutMs: number): CommitStore {
  const rows = commitRows(session)
  const unresolved = new Map<string, Attempt>()

  async function settle(key: CommitKey, text: string, attempt: Attempt, resumed: boolean): Promise<Swap> {
    const deadline = Date.now() + swapTimeoutMs
    let sent = resumed
    let pauseMs: number = CASSANDRA_LIMITS.swapPauseMinMs
    for (let sendFirst = !resumed; ; sendFirst = false) {
      try {
        if (!sendFirst) {
          const found = await rows.readSerial(key)
          if (found?.stamp === attempt.stamp) return { swapped: true }
          if (found?.record.revision !== attempt.seen) return { swapped: false, found: found?.record }
        }
        if (Date.now() > deadline) throw new StoreUnavailable(`a swap of ${text} was neither applied nor refused`)
        sent = true
        if (await rows.send(key, attempt.seen, attempt.next, attempt.stamp)) return { swapped: true }
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || !sent) throw error
        if (Date.now() + pauseMs > deadline) {
          keepUnresolved(text, attempt)
          throw error
        }
        await delay(pauseMs)
        pauseMs = Math.min(pauseMs * 2, CASSANDRA_LIMITS.swapPauseMaxMs)
      }
    }
  }

  function keepUnresolved(text: string, attempt: Attempt): void {
    const [oldest] = unresolved.keys()
    if (oldest !== undefined && unresolved.size >= CASSANDRA_LIMITS.unresolvedSwapsMax) unresolved.delete(oldest)
    unresolved.set(text, attempt)
  }

  return {
    async read(key) {
      return (await rows.readSerial(key))?.record
    },
    async swap(key, expected, next) {
      checkRevision(expected, next)
      const seen = expected?.revision
      const text = `${key.generation}/${key.topic}/${key.partition}`
      const before = unresolved.get(text)
      const resumed = before !== undefined && before.seen === seen && isDeepStrictEqual(before.next, next)
      unresolved.delete(text)
      return settle(key, text, resumed ? before : { seen, next, stamp: randomUUID() }, resumed)
    },
    list: (generation) => rows.list(generation),
  }
}
