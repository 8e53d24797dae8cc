/**
 * The keyspace, the tables in it, and the specs they were made from.
 *
 * A spec is decided by a conditional write to `playhead_tables` before the table is touched, so that two processes
 * with two specs can't both go on. Who made the spec's entry makes the table; others give it a while, since two nodes
 * that make one table at once may disagree on it, and make it themselves if it does not come.
 */
import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { StoreRefused, StoreUnavailable } from '../errors.ts'
import { addedColumns, specToText } from '../spec.ts'
import type { TableSpec } from '../state.ts'
import { createTable, definition, quote, shownColumns } from './cql.ts'
import { isUnprepared } from './errors.ts'
import { CASSANDRA_LIMITS } from './limits.ts'
import type { Session } from './session.ts'

export type Replication = Readonly<Record<string, string | number>>

export function tableName(session: Session, name: string): string {
  return `${quote(session.keyspace)}.${quote(name)}`
}

/** The keyspace and the stores' own tables. */
export async function prepareKeyspace(session: Session, replication: Replication | undefined): Promise<void> {
  const { keyspace } = session
  const found = await session.read('SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?', [
    keyspace,
  ])
  if (found.length === 0) {
    const options = Object.entries(replication ?? defaultReplication(session))
    const map = options.map(([name, value]) => `'${name}': '${value}'`).join(', ')
    await define(session, `CREATE KEYSPACE IF NOT EXISTS ${quote(keyspace)} WITH replication = {${map}}`)
  }
  await ownTable(session, 'playhead_tables', 'name text PRIMARY KEY, spec text', 'What each table was made from')
  await ownTable(session, 'playhead_commits', commitColumns, 'How far each generation has gone in each partition')
  await ownTable(session, 'erasure_profiles', profileColumns, 'The living key of each profile, and its retired ones')
  await ownTable(session, 'erasure_keys', keyColumns, 'What personal fields are sealed with; no secret: destroyed')
}

const profileColumns = 'profile_id text PRIMARY KEY, key_id text, retired set<text>'
const keyColumns = 'key_id text PRIMARY KEY, profile_id text, secret blob'

const commitColumns = `generation text, topic text, partition int, term bigint, revision bigint, checkpoint bigint,
  intent_from bigint, intent_to bigint, intent_parked frozen<list<bigint>>, intent_audit varint, intent_blocks bigint,
  read bigint, folded bigint, duplicates bigint, parked bigint, undecryptable bigint, audit varint, stamp uuid,
  PRIMARY KEY ((generation, topic, partition))`

/** Makes or widens the table as the spec asks. */
export async function prepareTable(session: Session, spec: TableSpec): Promise<void> {
  const made = await agreeOnSpec(session, spec)
  const deadline = Date.now() + (made ? 0 : CASSANDRA_LIMITS.schemaWaitMs)
  for (;;) {
    const columns = await columnsOf(session, spec.name)
    const missing = shownColumns(spec).filter(({ name }) => !columns.has(name))
    if (columns.size > 0 && missing.length === 0) return
    if (Date.now() >= deadline) {
      const table = tableName(session, spec.name)
      const added = missing.map(definition).join(', ')
      await define(
        session,
        columns.size === 0 ? createTable(table, spec) : `ALTER TABLE ${table} ADD IF NOT EXISTS ${added}`,
      )
      return
    }
    await delay(CASSANDRA_LIMITS.schemaPollMs)
  }
}

export async function dropTable(session: Session, name: string): Promise<void> {
  await define(session, `DROP TABLE IF EXISTS ${tableName(session, name)}`)
  await session.swap(`DELETE FROM ${tableName(session, 'playhead_tables')} WHERE name = ? IF EXISTS`, [name])
}

/** The session for one table's statements: it refuses them, once the table is dropped, with words that say so. */
export function onTable(session: Session, name: string): Session {
  async function guarded<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      if (!isUnprepared(error) || (await columnsOf(session, name)).size > 0) throw error
      throw new StoreRefused(`table ${name} was dropped`, { cause: error })
    }
  }
  return {
    ...session,
    read: (query, params) => guarded(() => session.read(query, params)),
    readPage: (query, params, from, rows) => guarded(() => session.readPage(query, params, from, rows)),
    write: (statements) => guarded(() => session.write(statements)),
  }
}

/** True if it was us who changed the stored spec. */
async function agreeOnSpec(session: Session, spec: TableSpec): Promise<boolean> {
  const specs = tableName(session, 'playhead_tables')
  const text = specToText(spec)
  for (let round = 0; round < CASSANDRA_LIMITS.schemaRoundsMax; round++) {
    const [stored] = await session.readSerial(`SELECT spec FROM ${specs} WHERE name = ?`, [spec.name])
    if (!stored) {
      const insert = `INSERT INTO ${specs} (name, spec) VALUES (?, ?) IF NOT EXISTS`
      if (await session.swap(insert, [spec.name, text])) return true
    } else {
      const known = stored.get('spec') as string
      if (addedColumns(known, spec).length === 0) return false
      const update = `UPDATE ${specs} SET spec = ? WHERE name = ? IF spec = ?`
      if (await session.swap(update, [text, spec.name, known])) return true
    }
  }
  throw new StoreUnavailable(
    `the spec of table ${spec.name} changed under us ${CASSANDRA_LIMITS.schemaRoundsMax} times`,
  )
}

async function columnsOf(session: Session, table: string): Promise<ReadonlySet<string>> {
  const query = 'SELECT column_name FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ?'
  return new Set((await session.read(query, [session.keyspace, table])).map((row) => row.get('column_name') as string))
}

/** A fixed id: two processes that start at once on two nodes make the same table. These are never dropped. */
async function ownTable(session: Session, name: string, columns: string, comment: string): Promise<void> {
  if ((await columnsOf(session, name)).size > 0) return
  const hex = createHash('sha256').update(`${session.keyspace}.${name}`).digest('hex')
  const id = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
  const table = tableName(session, name)
  await define(session, `CREATE TABLE IF NOT EXISTS ${table} (${columns}) WITH ID = ${id} AND comment = '${comment}'`)
}

function defaultReplication(session: Session): Replication {
  const counts: Record<string, number> = {}
  for (const { dataCenter } of session.nodes()) counts[dataCenter] = (counts[dataCenter] ?? 0) + 1
  const most = CASSANDRA_LIMITS.replicasMax
  const factors = Object.entries(counts).map(([name, nodes]) => [name, Math.min(nodes, most)] as const)
  return { class: 'NetworkTopologyStrategy', ...Object.fromEntries(factors) }
}

async function define(session: Session, query: string): Promise<void> {
  try {
    await session.define(query)
  } catch (error) {
    if (!(error instanceof StoreRefused)) throw error
    throw new StoreRefused(`${error.message}. An administrator may run it instead: ${query}`, { cause: error.cause })
  }
}
