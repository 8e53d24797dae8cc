/**
 * What every next state goes through before it is looked at.
 *
 * Ageing is part of the model: what it takes for granted about time. Until a later take-over is complete, the inserts of
 * a term arrive before the token window has moved past them, and its owner notices in time that the window has moved (a
 * request lives for seconds, the window is thousands of blocks long). Once overtaken, an insert may arrive at any age.
 *
 * Pruning only saves states: a request that can never change anything again is left out, and a zombie whose next
 * request to be answered is a swap, which will be refused, is down already.
 */
import type { State } from './actions.ts'
import { has } from './events.ts'
import { type Rules, stepAt } from './protocol.ts'
import type { Request } from './stores.ts'
import { stopped, type Worker } from './worker.ts'

export function settle(given: State, rules: Rules): State {
  const state = withOvertaken(given, rules)
  const { pruned } = rules
  const inFlight = state.inFlight.filter(
    (request) => !isTooOld(request, state, rules) && !(pruned && isSpent(request, state, rules)),
  )
  const workers = state.workers.map((worker) =>
    pruned && isDoomed(worker, state, rules) ? stopped(worker, rules) : aged(worker, state, rules),
  )
  const unchanged =
    inFlight.length === state.inFlight.length && workers.every((worker, w) => worker === state.workers[w])
  return unchanged ? state : { ...state, inFlight, workers }
}

/** The highest term whose take-over is complete. */
function withOvertaken(state: State, { takeOver, takeOversMayHang }: Rules): State {
  let overtaken = takeOversMayHang ? state.commit.term : state.overtaken
  for (const { step, term } of state.workers) if (step >= takeOver.length && term > overtaken) overtaken = term
  return overtaken === state.overtaken ? state : { ...state, overtaken }
}

function isTooOld(request: Request, { overtaken, blocks }: State, { window }: Rules): boolean {
  return request.kind === 'insert' && request.term >= overtaken && blocks - request.blocks >= window
}

function aged(worker: Worker, { overtaken, blocks }: State, { window, flaws }: Rules): Worker {
  const { batch, term } = worker
  if (batch === undefined || batch.stalled || term < overtaken || flaws.has('never stalls')) return worker
  if (flaws.has('only a redo stalls') && !batch.redo) return worker
  return blocks - batch.blocks >= window ? { ...worker, batch: { ...batch, stalled: true } } : worker
}

function isSpent(request: Request, state: State, { flaws, window }: Rules): boolean {
  const { commit, owners, states, deadLetters, blocks } = state
  switch (request.kind) {
    case 'raise':
    case 'swap':
      if (flaws.has('compare nothing')) return false
      return request.found.term < commit.term || (!comparesLess(flaws) && request.found.revision !== commit.revision)
    case 'owners':
      return request.term <= owners
    case 'dead letter':
      return has(deadLetters, request.position)
    case 'insert':
      if (flaws.has('a young insert passes the guard') && blocks - request.blocks < window) return false
      return request.term < owners && !flaws.has('insert ignores the guard')
    case 'upsert': {
      const { version, count } = states[request.key]
      const loses = request.row.version < version || (request.row.version === version && request.row.count <= count)
      return loses && !flaws.has('upsert ignores the version')
    }
  }
}

/** With these a request may come to fit the commit record again. */
function comparesLess(flaws: Rules['flaws']): boolean {
  return flaws.has('compare the term only') || flaws.has('raise touches the term only')
}

function isDoomed(worker: Worker, { commit }: State, rules: Rules): boolean {
  if (worker.step < rules.takeOver.length || worker.term >= commit.term || rules.flaws.has('compare nothing'))
    return false
  const step = stepAt(worker.step, rules)
  if (step === 'intent' || step === 'checkpoint' || step === 'clear intent') return true
  const record = worker.unwritten ?? worker.record
  return step === 'fold' && record.intent === undefined && stepAt(worker.step + 1, rules) === 'intent'
}
