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
import { types } from 'cassandra-driver'
import { StoreUnavailable } from '../errors.ts'
import type { CommitKey, CommitRecord, CommitStore, Swap } from '../state.ts'
import { checkRevision } from '../values.ts'
import { CASSANDRA_LIMITS } from './limits.ts'
import { tableName } from './schema.ts'
import type { Row, Session } from './session.ts'

interface Attempt {
  /** The revision it is applied on; undefined: on no record. */
  readonly seen: bigint | undefined
  readonly next: CommitRecord
  readonly stamp: string
}

interface Stamped {
  readonly record: CommitRecord
  readonly stamp: string
}

const columns = [
  ...['term', 'revision', 'checkpoint', 'intent_from', 'intent_to', 'intent_parked', 'intent_audit', 'intent_blocks'],
  ...['read', 'folded', 'duplicates', 'parked', 'undecryptable', 'audit', 'stamp'],
]

export function cassandraCommits(session: Session, swapTimeoutMs: number): CommitStore {
  const table = tableName(session, 'playhead_commits')
  const isKey = 'generation = ? AND topic = ? AND partition = ?'
  const select = `SELECT ${columns.join(', ')} FROM ${table} WHERE ${isKey}`
  const selectAll = `SELECT topic, partition, ${columns.join(', ')} FROM ${table} WHERE generation = ? ALLOW FILTERING`
  const places = columns.map(() => '?').join(', ')
  const insert = `INSERT INTO ${table} (${columns.join(', ')}, generation, topic, partition) VALUES (${places}, ?, ?, ?) IF NOT EXISTS`
  const sets = columns.map((name) => `${name} = ?`).join(', ')
  const update = `UPDATE ${table} SET ${sets} WHERE ${isKey} IF revision = ?`
  const unresolved = new Map<string, Attempt>()

  async function readBack(key: CommitKey): Promise<Stamped | undefined> {
    const [row] = await session.readSerial(select, keyParams(key))
    return row && toRecord(row)
  }

  function send(key: CommitKey, { seen, next, stamp }: Attempt): Promise<boolean> {
    const values = [...toParams(next, stamp), ...keyParams(key)]
    return seen === undefined ? session.swap(insert, values) : session.swap(update, [...values, seen])
  }

  async function settle(key: CommitKey, text: string, attempt: Attempt, resumed: boolean): Promise<Swap> {
    const deadline = Date.now() + swapTimeoutMs
    let sent = resumed
    let pauseMs: number = CASSANDRA_LIMITS.swapPauseMinMs
    for (let sendFirst = !resumed; ; sendFirst = false) {
      try {
        if (!sendFirst) {
          const found = await readBack(key)
          if (found?.stamp === attempt.stamp) return { swapped: true }
          if (found?.record.revision !== attempt.seen) return { swapped: false, found: found?.record }
        }
        if (Date.now() > deadline) throw new StoreUnavailable(`a swap of ${text} was neither applied nor refused`)
        sent = true
        if (await send(key, attempt)) return { swapped: true }
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
      return (await readBack(key))?.record
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
    async list(generation) {
      const rows = await session.read(selectAll, [generation])
      return rows.map((row) => {
        const key = { generation, topic: row.get('topic') as string, partition: row.get('partition') as number }
        return { ...key, record: toRecord(row).record }
      })
    },
  }
}

function keyParams({ generation, topic, partition }: CommitKey): unknown[] {
  return [generation, topic, partition]
}

function toParams({ term, revision, checkpoint, intent, tally, audit }: CommitRecord, stamp: string): unknown[] {
  const begun = intent
    ? [intent.from, intent.to, [...intent.parked], intent.audit, intent.blocks]
    : [null, null, null, null, null]
  const { read, folded, duplicates, parked, undecryptable } = tally
  return [
    ...[term, revision, checkpoint, ...begun, read, folded, duplicates, parked, undecryptable, audit],
    types.Uuid.fromString(stamp),
  ]
}

function toRecord(row: Row): Stamped {
  const long = (name: string) => row.get(name) as bigint
  const record: CommitRecord = {
    term: long('term'),
    revision: long('revision'),
    checkpoint: long('checkpoint'),
    tally: {
      read: long('read'),
      folded: long('folded'),
      duplicates: long('duplicates'),
      parked: long('parked'),
      undecryptable: long('undecryptable'),
    },
    audit: long('audit'),
  }
  const stamp = String(row.get('stamp'))
  if (row.get('intent_from') === null) return { record, stamp }
  const intent = {
    from: long('intent_from'),
    to: long('intent_to'),
    parked: (row.get('intent_parked') as bigint[] | null) ?? [],
    audit: long('intent_audit'),
    blocks: long('intent_blocks'),
  }
  return { record: { ...record, intent }, stamp }
}
