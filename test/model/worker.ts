/**
 * A worker: what it knows (all of it lost in a crash) and what it does next. Pure: it makes requests and moves on when
 * they are answered; actions.ts decides when each is applied.
 *
 * States: *down* (no step) → the steps of the take-over → the steps of the cycle, round and round. A refusal anywhere
 * means *down*, with everything forgotten. A worker that was overtaken and does not know is a *zombie*: it goes on.
 */

import { EVENTS, FLAKY, has, sizeOf } from './events.ts'
import type { Batch } from './fold.ts'
import { type Flaw, type Rules, type Step, stepAt } from './protocol.ts'
import { type CommitRecord, NO_TOKEN, type Request, type Row } from './stores.ts'

export interface Worker {
  /** Index into the take-over's steps and then the cycle's; −1 is down. */
  readonly step: number
  readonly term: number
  /** The commit record as it stands, as far as this term knows. */
  readonly record: CommitRecord
  readonly batch?: Batch
  /** Which tables, keys or dead letters of this step are acknowledged (a set). */
  readonly acknowledged: number
  /** States that this term wrote and saw acknowledged. */
  readonly cache: readonly [Row | undefined, Row | undefined]
  /** The rest is for flawed or varied protocols. The record that is true but not written yet. */
  readonly unwritten?: CommitRecord
  /** The first position that this process read. */
  readonly readSince: number
  /** The term that a raise without an answer started from. */
  readonly lostRaise?: number
}

const NO_RECORD: CommitRecord = { term: 0, revision: 0, checkpoint: 0, parked: 0, audit: 0 }

export const DOWN: Worker = {
  step: -1,
  term: 0,
  record: NO_RECORD,
  acknowledged: 0,
  cache: [undefined, undefined],
  readSince: EVENTS,
}

/** Not refused yet, but sure to be: it keeps what a take-over would not take from it. */
export function stopped({ cache }: Worker, { takeOver }: Rules): Worker {
  return takeOver.includes('empty cache') ? DOWN : { ...DOWN, cache }
}

export function begin({ cache }: Worker, term: number, rules: Rules): Worker {
  return pass({ ...DOWN, cache, step: 0, term, record: { ...NO_RECORD, term } }, rules)
}

/** The step is done. */
export function advance(worker: Worker, rules: Rules): Worker {
  return pass({ ...worker, step: worker.step + 1, acknowledged: 0 }, rules)
}

/** Goes past the steps that have nothing to ask of anybody. */
function pass(worker: Worker, rules: Rules): Worker {
  const step = stepAt(worker.step, rules)
  if (step === undefined) {
    const { batch, ...rest } = worker
    return pass({ ...rest, step: rules.takeOver.length, acknowledged: 0 }, rules)
  }
  if (step === 'empty cache') return advance({ ...worker, cache: DOWN.cache }, rules)
  if (step === 'intent' && worker.batch?.redo === true) return advance(worker, rules)
  if (isGathered(step) && remaining(worker, step, rules).length === 0) return advance(worker, rules)
  return worker
}

/** Steps of several requests, one for each table, key or parked event, in any order, all awaited. */
type Gathered = 'dead letters' | 'insert' | 'insert first table' | 'insert other tables' | 'upsert'

function isGathered(step: Step): step is Gathered {
  return step === 'dead letters' || step.startsWith('insert') || step === 'upsert'
}

/** What of this step is not acknowledged yet: positions, tables or keys. */
function remaining(worker: Worker, step: Gathered, rules: Rules): readonly number[] {
  return membersOf(worker, step, rules).filter((member) => !has(worker.acknowledged, member))
}

function membersOf({ batch }: Worker, step: Gathered, { tables }: Rules): readonly number[] {
  if (batch === undefined) return []
  if (step === 'dead letters') return has(batch.parked, FLAKY) ? [FLAKY] : []
  if (step === 'upsert') return batch.changes.map(({ key }) => key)
  if (batch.changes.length === 0) return []
  const all = Array.from({ length: tables }, (_, table) => table)
  if (step === 'insert first table') return all.slice(0, 1)
  return step === 'insert other tables' ? all.slice(1) : all
}

/** A request that a worker may send, and what it stands for in the step's `acknowledged`. */
export interface Outgoing {
  readonly request: Request
  readonly member: number
}

export function outgoing(worker: Worker, step: Step, rules: Rules): readonly Outgoing[] {
  const { term, record, batch } = worker
  if (step === 'owners') {
    const raised = rules.takeOver.indexOf('raise') <= worker.step
    return [{ request: { kind: 'owners', term: raised ? term : term + 1 }, member: 0 }]
  }
  if (batch === undefined) return []
  if (isGathered(step)) {
    return remaining(worker, step, rules).map((member) => ({
      request: requestFor(worker, batch, step, member, rules.flaws),
      member,
    }))
  }
  const next = recordFor(worker, batch, step)
  return next === undefined ? [] : [{ request: { kind: 'swap', term, found: record, next }, member: 0 }]
}

function recordFor(worker: Worker, batch: Batch, step: Step): CommitRecord | undefined {
  const { term, checkpoint, parked, audit } = worker.unwritten ?? worker.record
  const revision = worker.record.revision + 1
  const { from, to, blocks } = batch
  const intent = { from, to, parked: batch.parked, audit: batch.audit, blocks }
  if (step === 'intent') return { term, revision, checkpoint, parked, audit, intent }
  if (step === 'clear intent') return { term, revision, checkpoint, parked, audit }
  if (step === 'checkpoint') return recordAfter(worker.record, batch)
  return undefined
}

function recordAfter({ term, revision, parked }: CommitRecord, batch: Batch): CommitRecord {
  return {
    term,
    revision: revision + 1,
    checkpoint: batch.to + 1,
    parked: parked + sizeOf(batch.parked),
    audit: batch.audit,
  }
}

function requestFor(worker: Worker, batch: Batch, step: Gathered, member: number, flaws: ReadonlySet<Flaw>): Request {
  const { term } = worker
  const { changes, blocks } = batch
  if (step === 'dead letters') return { kind: 'dead letter', term, position: member }
  if (step !== 'upsert') return { kind: 'insert', term, table: member, token: tokenOf(batch, flaws), changes, blocks }
  const change = changes.find(({ key }) => key === member)
  if (change === undefined) throw new Error(`no change of key ${member}`)
  return { kind: 'upsert', term, key: change.key, row: change.next }
}

/** `generation/topic/partition/from-to`, as a number. */
function tokenOf({ from, to }: Batch, flaws: ReadonlySet<Flaw>): number {
  if (flaws.has('no token')) return NO_TOKEN
  return flaws.has('token without bounds') ? 0 : from * (EVENTS + 1) + to
}

/** What an acknowledged request teaches its sender. */
export function acknowledge(worker: Worker, { request, member }: Outgoing, rules: Rules): Worker {
  if (request.kind === 'owners') return advance(worker, rules)
  if (request.kind === 'raise') {
    const term = request.found.term + 1
    return advance({ ...worker, term, record: { ...worker.record, term } }, rules)
  }
  if (request.kind === 'swap') {
    const { unwritten, ...rest } = worker
    return advance({ ...rest, record: request.next }, rules)
  }
  const known = { ...worker, acknowledged: worker.acknowledged | (1 << member) }
  if (request.kind !== 'upsert') return pass(known, rules)
  const cache: Worker['cache'] = request.key === 0 ? [request.row, worker.cache[1]] : [worker.cache[0], request.row]
  return pass({ ...known, cache }, rules)
}

/** The variant in which the checkpoint is written together with the next batch's intent. */
export function putOffCheckpoint(worker: Worker, batch: Batch, rules: Rules): Worker {
  return advance({ ...worker, unwritten: recordAfter(worker.record, batch) }, rules)
}
