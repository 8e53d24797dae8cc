/** The rows of `playhead_commits` and the statements on them. What they are for is in commits.ts. */
import { types } from 'cassandra-driver'
import type { CommitKey, CommitRecord } from '../state.ts'
import { tableName } from './schema.ts'
import type { Row, Session } from './session.ts'

export interface Stamped {
  readonly record: CommitRecord
  readonly stamp: string
}

export interface CommitRows {
  readSerial(key: CommitKey): Promise<Stamped | undefined>
  /** Writes `next` where the revision is `seen` (undefined: where there is no row). True if it was applied. */
  send(key: CommitKey, seen: bigint | undefined, next: CommitRecord, stamp: string): Promise<boolean>
  list(generation: string): Promise<readonly (CommitKey & { readonly record: CommitRecord })[]>
}

const columns = [
  ...['term', 'revision', 'checkpoint', 'intent_from', 'intent_to', 'intent_parked', 'intent_audit', 'intent_blocks'],
  ...['read', 'folded', 'duplicates', 'parked', 'undecryptable', 'audit', 'stamp'],
]

export function commitRows(session: Session): CommitRows {
  const table = tableName(session, 'playhead_commits')
  const all = columns.join(', ')
  const isKey = 'generation = ? AND topic = ? AND partition = ?'
  const select = `SELECT ${all} FROM ${table} WHERE ${isKey}`
  // Over the whole table, which has a row for each partition of each generation: hundreds.
  const selectAll = `SELECT topic, partition, ${all} FROM ${table} WHERE generation = ? ALLOW FILTERING`
  const places = columns.map(() => '?').join(', ')
  const insert = `INSERT INTO ${table} (${all}, generation, topic, partition) VALUES (${places}, ?, ?, ?) IF NOT EXISTS`
  const sets = columns.map((name) => `${name} = ?`).join(', ')
  const update = `UPDATE ${table} SET ${sets} WHERE ${isKey} IF revision = ?`
  return {
    async readSerial(key) {
      const [row] = await session.readSerial(select, keyParams(key))
      return row && toRecord(row)
    },
    send(key, seen, next, stamp) {
      const values = [...toParams(next, stamp), ...keyParams(key)]
      return seen === undefined ? session.swap(insert, values) : session.swap(update, [...values, seen])
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
