/**
 * A state as a short string, the same for states that differ only in which worker is called A or in the order of
 * requests in flight: two states with one encoding have the same futures.
 */
import type { State } from './actions.ts'
import { TAILS } from './events.ts'
import type { Batch } from './fold.ts'
import type { Change, CommitRecord, Intent, Request, Row, Table } from './stores.ts'
import type { Worker } from './worker.ts'

/** Small numbers, −1 among them, become one character each. */
const ZERO = 40
const DIGIT = 64

const KINDS: readonly Request['kind'][] = ['raise', 'owners', 'swap', 'dead letter', 'insert', 'upsert']

let codes: number[] = []

export function encode(state: State): string {
  const workers = state.workers.map((worker) => once(worker, putWorker)).sort()
  const inFlight = state.inFlight.map((request) => once(request, putRequest)).sort()
  codes = []
  put(state.owners, state.overtaken, state.blocks, state.deadLetters, TAILS.indexOf(state.tail))
  put(state.takeOvers, state.lost, state.foreignBlocks)
  for (const row of state.states) putRow(row)
  const rest = String.fromCharCode(...codes)
  const tables = state.tables.map((table) => once(table, putTable))
  return [rest, once(state.commit, putRecord), ...tables, ...workers, ...inFlight].join('|')
}

/** Parts never change and most are shared with the state before: each is encoded once. */
const encoded = new WeakMap<object, string>()

function once<T extends object>(part: T, write: (part: T) => void): string {
  let text = encoded.get(part)
  if (text === undefined) {
    codes = []
    write(part)
    text = String.fromCharCode(...codes)
    encoded.set(part, text)
  }
  return text
}

function put(...numbers: readonly number[]): void {
  for (const n of numbers) codes.push(n + ZERO)
}

function putLarge(n: number): void {
  let rest = n + DIGIT ** 4
  for (let i = 0; i < 5; i++) {
    put(rest % DIGIT)
    rest = Math.floor(rest / DIGIT)
  }
}

function putRow(row: Row | undefined): void {
  if (row === undefined) put(-2)
  else put(row.version, row.count)
}

function putTable({ rows, tokens }: Table): void {
  // Keys that are small integers come in rising order, whenever they were added.
  for (const [slot, net] of Object.entries(rows)) put(Number(slot), net)
  put(-3, ...tokens, -3)
}

function putRecord({ term, revision, checkpoint, parked, audit, intent }: CommitRecord): void {
  put(term, revision, checkpoint, parked)
  putLarge(audit)
  if (intent === undefined) put(-2)
  else putIntent(intent)
}

function putIntent({ from, to, parked, audit, blocks }: Intent): void {
  put(from, to, parked, blocks)
  putLarge(audit)
}

function putChanges(changes: readonly Change[]): void {
  for (const { key, old, next } of changes) {
    put(key)
    putRow(old)
    putRow(next)
  }
  put(-3)
}

function putBatch(batch: Batch): void {
  putIntent(batch)
  putChanges(batch.changes)
  put(batch.redo ? 1 : 0, batch.stalled ? 1 : 0)
}

function putWorker(worker: Worker): void {
  put(worker.step, worker.term, worker.acknowledged, worker.readSince, worker.lostRaise ?? -2)
  for (const row of worker.cache) putRow(row)
  putRecord(worker.record)
  if (worker.batch === undefined) put(-2)
  else putBatch(worker.batch)
  if (worker.unwritten !== undefined) putRecord(worker.unwritten)
}

function putRequest(request: Request): void {
  put(KINDS.indexOf(request.kind), request.term)
  if (request.kind === 'raise' || request.kind === 'swap') putRecord(request.found)
  if (request.kind === 'swap') putRecord(request.next)
  if (request.kind === 'dead letter') put(request.position)
  if (request.kind === 'upsert') {
    put(request.key)
    putRow(request.row)
  }
  if (request.kind === 'insert') {
    put(request.table, request.token, request.blocks)
    putChanges(request.changes)
  }
}
