/**
 * The stores of the model and what each request does to them. A request is applied in one step, whenever it arrives:
 * at once, late, or twice. Nothing here knows who sent it or whether the sender is still alive.
 */
import { EVENTS, has, KEYS, type Key } from './events.ts'
import type { Flaw } from './protocol.ts'

/** A row of the state table. Version −1: there is none. */
export interface Row {
  readonly version: number
  readonly count: number
}

export const ABSENT: Row = { version: -1, count: 0 }

/** A state's change in a batch: its old row goes out with sign −1, its new row comes in with sign +1. */
export interface Change {
  readonly key: Key
  readonly old: Row
  readonly next: Row
}

export interface Intent {
  readonly from: number
  readonly to: number
  /** A set of positions. */
  readonly parked: number
  /** The audit sum once this batch is done. */
  readonly audit: number
  /** Blocks in the landing tables' targets when the intent was set. */
  readonly blocks: number
}

export interface CommitRecord {
  /** Raised by each take-over: who owns the partition. */
  readonly term: number
  /** Raised by each swap: a swap that arrives late finds another one and changes nothing. */
  readonly revision: number
  readonly checkpoint: number
  readonly parked: number
  readonly audit: number
  readonly intent?: Intent
}

/** A table behind a landing table: which signed rows went in, and the tokens it still remembers, oldest first. */
export interface Table {
  /** Σ sign for each (key, version, count), by slot; zeros are left out. */
  readonly rows: Readonly<Record<number, number>>
  readonly tokens: readonly number[]
}

export interface Stores {
  readonly commit: CommitRecord
  readonly owners: number
  readonly blocks: number
  readonly tables: readonly Table[]
  readonly states: readonly [Row, Row]
  /** A set of positions: writing one twice changes nothing. */
  readonly deadLetters: number
}

export type Request =
  | { readonly kind: 'raise'; readonly term: number; readonly found: CommitRecord }
  | { readonly kind: 'owners'; readonly term: number }
  | { readonly kind: 'swap'; readonly term: number; readonly found: CommitRecord; readonly next: CommitRecord }
  | { readonly kind: 'dead letter'; readonly term: number; readonly position: number }
  | {
      readonly kind: 'insert'
      readonly term: number
      readonly table: number
      readonly token: number
      readonly changes: readonly Change[]
      readonly blocks: number
    }
  | { readonly kind: 'upsert'; readonly term: number; readonly key: Key; readonly row: Row }

export interface Applied {
  readonly stores: Stores
  readonly answer: 'done' | 'refused'
}

/** Stands for a block of another partition. */
export const FOREIGN_TOKEN = 14
export const NO_TOKEN = 15

const COUNTS = 6
const VERSIONS = EVENTS + 1

/** One number for (key, version, count), small enough for a short encoding. */
export function slotOf(key: Key, row: Row): number {
  if (row.count >= COUNTS) throw new RangeError(`a count of ${row.count} in a log of ${EVENTS}`)
  return (key * VERSIONS + row.version + 1) * COUNTS + row.count
}

export function keyAndRow(slot: number): { readonly key: Key; readonly row: Row } {
  const place = Math.floor(slot / COUNTS)
  const row = { version: (place % VERSIONS) - 1, count: slot % COUNTS }
  return { key: Math.floor(place / VERSIONS) as Key, row }
}

/** A hash of (key, version) that can't collide in sums this small: each pair has a digit of its own. */
export function hashOf(key: Key, version: number): number {
  return version < 0 ? 0 : 16 ** (EVENTS * key + version)
}

export function apply(stores: Stores, request: Request, flaws: ReadonlySet<Flaw>, window: number): Applied {
  switch (request.kind) {
    case 'raise':
      return raise(stores, request.found, flaws)
    case 'owners':
      if (request.term < stores.owners) return refused(stores)
      return done({ ...stores, owners: request.term })
    case 'swap':
      return swap(stores, request.found, request.next, flaws)
    case 'dead letter':
      return done({ ...stores, deadLetters: stores.deadLetters | (1 << request.position) })
    case 'insert':
      return insert(stores, request, flaws, window)
    case 'upsert':
      return done(upsert(stores, request.key, request.row, flaws))
  }
}

function raise(stores: Stores, found: CommitRecord, flaws: ReadonlySet<Flaw>): Applied {
  const { commit } = stores
  if (commit.term !== found.term) return refused(stores)
  if (flaws.has('raise touches the term only')) {
    return done({ ...stores, commit: { ...commit, term: commit.term + 1, revision: commit.revision + 1 } })
  }
  if (!flaws.has('compare the term only') && commit.revision !== found.revision) return refused(stores)
  return done({ ...stores, commit: { ...found, term: found.term + 1, revision: found.revision + 1 } })
}

function swap(stores: Stores, found: CommitRecord, next: CommitRecord, flaws: ReadonlySet<Flaw>): Applied {
  const { commit } = stores
  const matches =
    flaws.has('compare nothing') ||
    (flaws.has('compare the term only') ? commit.term === found.term : commit.revision === found.revision)
  if (matches) return done({ ...stores, commit: next })
  return isOurs(commit, next) ? done(stores) : refused(stores)
}

/**
 * Reading back after an answer was lost: an earlier copy of this swap got through. Stands for the stamp that the state
 * store gives each swap: (term, revision) alone could be another swap of ours, or a rival's raise.
 */
function isOurs(a: CommitRecord, b: CommitRecord): boolean {
  if (a.term !== b.term || a.revision !== b.revision || a.checkpoint !== b.checkpoint) return false
  return a.intent?.to === b.intent?.to && a.intent?.parked === b.intent?.parked
}

function insert(
  stores: Stores,
  { term, table, token, changes, blocks }: Extract<Request, { kind: 'insert' }>,
  flaws: ReadonlySet<Flaw>,
  window: number,
): Applied {
  const young = flaws.has('a young insert passes the guard') && stores.blocks - blocks < window
  if (term < stores.owners && !young && !flaws.has('insert ignores the guard')) return refused(stores)
  const into = stores.tables[table]!
  if (into.tokens.includes(token)) return done(stores)
  const rows: Record<number, number> = { ...into.rows }
  const add = (slot: number, sign: number) => {
    const net = (rows[slot] ?? 0) + sign
    if (net === 0) delete rows[slot]
    else rows[slot] = net
  }
  for (const { key, old, next } of changes) {
    if (old.version >= 0) add(slotOf(key, old), -1)
    add(slotOf(key, next), 1)
  }
  const tokens = [...into.tokens, token].filter((t) => t !== NO_TOKEN).slice(-window)
  const tables = stores.tables.map((t, i) => (i === table ? { rows, tokens } : t))
  return done({ ...stores, tables, blocks: stores.blocks + 1 })
}

/** Another partition's block goes into every table and pushes the oldest token out. */
export function insertForeign(stores: Stores, window: number): Stores {
  const tables = stores.tables.map(({ rows, tokens }) => ({ rows, tokens: [...tokens, FOREIGN_TOKEN].slice(-window) }))
  return { ...stores, tables, blocks: stores.blocks + tables.length }
}

function upsert(stores: Stores, key: Key, row: Row, flaws: ReadonlySet<Flaw>): Stores {
  const stands = stores.states[key]
  const wins = row.version > stands.version || (row.version === stands.version && row.count > stands.count)
  if (!wins && !flaws.has('upsert ignores the version')) return stores
  return { ...stores, states: key === 0 ? [row, stores.states[1]] : [stores.states[0], row] }
}

/** Whether a table has rows of the batch that ends at `to`: what a repair looks for. */
export function rowsStand(table: Table, to: number): boolean {
  return Object.keys(table.rows).some((slot) => keyAndRow(Number(slot)).row.version === to)
}

function done(stores: Stores): Applied {
  return { stores, answer: 'done' }
}

function refused(stores: Stores): Applied {
  return { stores, answer: 'refused' }
}

export function inWords(request: Request): string {
  switch (request.kind) {
    case 'raise':
      return `raise of the term from ${request.found.term} to ${request.found.term + 1}`
    case 'owners':
      return `owners := ${request.term}`
    case 'swap': {
      const { checkpoint, intent } = request.next
      return `commit record := {term ${request.next.term}, checkpoint ${checkpoint}${intent ? `, intent ${boundsOf(intent)}` : ''}}`
    }
    case 'dead letter':
      return `dead letter of event ${request.position}`
    case 'insert':
      return `insert into table ${request.table} under term ${request.term} of ${request.changes.map(changeInWords).join(', ')}`
    case 'upsert':
      return `upsert of ${KEYS[request.key]} := ${request.row.count} (version ${request.row.version})`
  }
}

function boundsOf({ from, to, parked }: Intent): string {
  const names = Array.from({ length: EVENTS }, (_, i) => i).filter((i) => has(parked, i))
  return `[${from}..${to}]${names.length > 0 ? ` parked ${names.join(', ')}` : ''}`
}

function changeInWords({ key, old, next }: Change): string {
  const gone = old.version < 0 ? '' : `−${KEYS[key]}=${old.count}@${old.version} `
  return `${gone}+${KEYS[key]}=${next.count}@${next.version}`
}
