/**
 * One state of the model and every state that may follow it.
 *
 * A request is normally sent, applied and answered in one action: what happens meanwhile is the same as the worker
 * being slow before or after it. Otherwise its answer is *lost*: the request stays in flight, to be applied at any
 * later time or never, and the sender sends it again. A *crash* needs no action of its own: it is a worker that never
 * acts again; its restart is a take-over, which may begin from any step.
 */
import { durableEnd, TAILS, type Tail } from './events.ts'
import { foldings } from './fold.ts'
import { isAwaited, type Rules, type Step, stepAt } from './protocol.ts'
import { settle } from './settle.ts'
import { ABSENT, apply, insertForeign, inWords, type Request, rowsStand, type Stores } from './stores.ts'
import { acknowledge, advance, begin, DOWN, type Outgoing, outgoing, putOffCheckpoint, type Worker } from './worker.ts'

export interface State extends Stores {
  readonly tail: Tail
  readonly workers: readonly Worker[]
  readonly inFlight: readonly Request[]
  /** The highest term whose take-over is complete: nobody's knowledge, only the model's. */
  readonly overtaken: number
  /** What may still happen in this world. */
  readonly takeOvers: number
  readonly lost: number
  readonly foreignBlocks: number
}

export interface Action {
  /** In words, for a counterexample. */
  readonly what: () => string
  /** Term of the worker that acted or sent; undefined when the world did it. */
  readonly term: number | undefined
  readonly next: State
}

export function initial(rules: Rules): State {
  return {
    commit: DOWN.record,
    owners: 0,
    blocks: 0,
    tables: Array.from({ length: rules.tables }, () => ({ rows: {}, tokens: [] })),
    states: [ABSENT, ABSENT],
    deadLetters: 0,
    tail: rules.pendingTail ? 'pending' : 'kept',
    workers: [DOWN, DOWN],
    inFlight: [],
    overtaken: 0,
    takeOvers: rules.takeOvers,
    lost: rules.lost,
    foreignBlocks: rules.foreignBlocks,
  }
}

export function actions(state: State, rules: Rules): readonly Action[] {
  const all: Action[] = []
  state.workers.forEach((worker, w) => {
    if (state.takeOvers > 0 && worker.step !== 0) all.push(takeOver(state, w, rules))
    const step = stepAt(worker.step, rules)
    if (step !== undefined) all.push(...new Turn(state, w, step, rules).actions())
  })
  state.inFlight.forEach((request, i) => {
    all.push(late(state, request, i, rules))
  })
  if (state.foreignBlocks > 0) {
    const next = { ...state, ...insertForeign(state, rules.window), foreignBlocks: state.foreignBlocks - 1 }
    all.push({ what: () => 'another partition inserts a block', term: undefined, next })
  }
  if (state.tail === 'pending') {
    for (const tail of TAILS.slice(1)) {
      all.push({ what: () => `the last event is now durable: ${tail}`, term: undefined, next: { ...state, tail } })
    }
  }
  return all.map((action) => ({ ...action, next: settle(action.next, rules) }))
}

function takeOver(state: State, w: number, rules: Rules): Action {
  const blind = rules.takeOver.includes('raise') && !rules.flaws.has('the term must not have moved before the raise')
  const worker = begin(state.workers[w]!, blind ? 0 : state.commit.term, rules)
  const was = state.workers[w]!.step < 0 ? 'starts' : 'crashes, or loses the partition, and starts again'
  const next = { ...withWorker(state, w, worker), takeOvers: state.takeOvers - 1 }
  return { what: () => `${nameOf(w)} ${was}`, term: undefined, next }
}

function late(state: State, request: Request, i: number, { flaws, window }: Rules): Action {
  const { stores, answer } = apply(state, request, flaws, window)
  const next = { ...state, ...stores, inFlight: state.inFlight.filter((_, at) => at !== i) }
  return { what: () => `late: ${inWords(request)} (${answer})`, term: request.term, next }
}

/** What one worker may do at the step it is at. */
class Turn {
  readonly #state: State
  readonly #w: number
  readonly #worker: Worker
  readonly #step: Step
  readonly #rules: Rules

  constructor(state: State, w: number, step: Step, rules: Rules) {
    this.#state = state
    this.#w = w
    this.#worker = state.workers[w]!
    this.#step = step
    this.#rules = rules
  }

  actions(): readonly Action[] {
    switch (this.#step) {
      case 'raise':
        return this.#raise()
      case 'peek at record':
        return [
          this.#acts('reads the commit record', advance({ ...this.#worker, record: this.#state.commit }, this.#rules)),
        ]
      case 'read record':
        return [this.#readRecord()]
      case 'fold':
        return this.#fold()
      case 'checkpoint':
        return this.#checkpoint()
      default:
        return this.#asks()
    }
  }

  #raise(): readonly Action[] {
    const { commit } = this.#state
    const { takeOver, flaws } = this.#rules
    const found = takeOver.includes('peek at record') ? this.#worker.record : commit
    const moved = flaws.has('the term must not have moved before the raise') && found.term !== this.#worker.term
    if (moved)
      return [this.#acts('finds that the term moved and begins again', begin(this.#worker, commit.term, this.#rules))]
    const all = [...this.#sends({ request: { kind: 'raise', term: found.term + 1, found }, member: 0 })]
    const { lostRaise } = this.#worker
    if (lostRaise !== undefined && commit.term === lostRaise + 1) {
      const { lostRaise: _, ...rest } = this.#worker
      const owner = advance({ ...rest, term: commit.term, record: { ...rest.record, term: commit.term } }, this.#rules)
      all.push(this.#acts(`reads term ${commit.term} and takes it for its own raise`, owner))
    }
    return all
  }

  #readRecord(): Action {
    const { commit } = this.#state
    if (commit.term !== this.#worker.term) return this.#acts('finds another term in the commit record and stops', DOWN)
    return this.#acts('reads the commit record', advance({ ...this.#worker, record: commit }, this.#rules))
  }

  #fold(): readonly Action[] {
    const { states, blocks, tail } = this.#state
    const { cache, readSince } = this.#worker
    const { flaws } = this.#rules
    const record = this.#worker.unwritten ?? this.#worker.record
    const read = [cache[0] ?? states[0], cache[1] ?? states[1]] as const
    return foldings({ record, states: read, blocks, tail, readSince, rules: this.#rules }).map((batch) => {
      const since = flaws.has('remembers duplicates in memory only') ? Math.min(readSince, batch.from) : readSince
      const parked = batch.parked === 0 ? '' : ', parking event 1'
      const how = batch.redo ? 'folds again' : 'folds'
      return this.#acts(
        `${how} [${batch.from}..${batch.to}]${parked}`,
        advance({ ...this.#worker, batch, readSince: since }, this.#rules),
      )
    })
  }

  /** The variant that joins it to the next intent, if there will be one. A swap that was sent is never replaced. */
  #checkpoint(): readonly Action[] {
    const { batch } = this.#worker
    const more = batch !== undefined && batch.to + 1 < durableEnd(this.#state.tail)
    if (!more || !this.#rules.flaws.has('the checkpoint may wait for the next intent')) return this.#asks()
    return [this.#acts('puts the checkpoint off', putOffCheckpoint(this.#worker, batch, this.#rules))]
  }

  #asks(): readonly Action[] {
    return outgoing(this.#worker, this.#step, this.#rules).flatMap((out) => this.#sends(out))
  }

  #sends(out: Outgoing): readonly Action[] {
    const { request } = out
    const { flaws } = this.#rules
    if (!isAwaited(this.#step, flaws)) {
      const next = this.#inFlight(request, acknowledge(this.#worker, out, this.#rules))
      return [this.#action('sends, and does not wait for,', request, next)]
    }
    if (request.kind === 'insert' && this.#worker.batch?.stalled === true) return this.#stalls(out)
    const all = [this.#does(out)]
    if (this.#state.lost > 0) all.push(this.#loses(request))
    return all
  }

  #does(out: Outgoing): Action {
    const { flaws, window } = this.#rules
    const { stores, answer } = apply(this.#state, out.request, flaws, window)
    const worker = answer === 'refused' ? this.#afterRefusal(out.request) : acknowledge(this.#worker, out, this.#rules)
    return this.#action(answer, out.request, withWorker({ ...this.#state, ...stores }, this.#w, worker))
  }

  /** Everything is forgotten; only a raise that came too late is tried again at once. */
  #afterRefusal(request: Request): Worker {
    return request.kind === 'raise' ? begin(this.#worker, this.#state.commit.term, this.#rules) : DOWN
  }

  #loses(request: Request): Action {
    const next = { ...this.#inFlight(request, this.#afterLoss(request)), lost: this.#state.lost - 1 }
    return this.#action('has no answer to', request, next)
  }

  #afterLoss(request: Request): Worker {
    const { flaws } = this.#rules
    if (request.kind === 'swap' && flaws.has('a lost swap means a new take-over'))
      return begin(this.#worker, 0, this.#rules)
    if (request.kind === 'raise' && flaws.has('a lost raise is read back by its term')) {
      return { ...this.#worker, lostRaise: request.found.term }
    }
    return this.#worker
  }

  /** An operator's repair, if this is the owner: it looks for the rows of the batch and inserts them if absent. */
  #stalls(out: Outgoing): readonly Action[] {
    const { request } = out
    const { batch, term } = this.#worker
    if (term < this.#state.commit.term) return []
    const table = request.kind === 'insert' ? this.#state.tables[request.table] : undefined
    if (table === undefined || batch === undefined) throw new Error('only an insert stalls')
    if (!this.#rules.flaws.has('repairs without looking') && rowsStand(table, batch.to)) {
      const worker = acknowledge(this.#worker, out, this.#rules)
      return [this.#acts(`is stalled; a repair finds the rows of version ${batch.to}`, worker)]
    }
    const { what, ...rest } = this.#does(out)
    return [{ ...rest, what: () => `stalled; a repair finds no rows of version ${batch.to}: ${what()}` }]
  }

  #inFlight(request: Request, worker: Worker): State {
    return { ...withWorker(this.#state, this.#w, worker), inFlight: [...this.#state.inFlight, request] }
  }

  #acts(what: string, worker: Worker): Action {
    const next = withWorker(this.#state, this.#w, worker)
    return { what: () => `${nameOf(this.#w)} ${what}`, term: this.#worker.term, next }
  }

  #action(how: string, request: Request, next: State): Action {
    return { what: () => `${nameOf(this.#w)} ${how}: ${inWords(request)}`, term: request.term, next }
  }
}

function withWorker(state: State, w: number, worker: Worker): State {
  return { ...state, workers: state.workers.map((other, i) => (i === w ? worker : other)) }
}

function nameOf(w: number): string {
  return 'AB'[w] ?? `worker ${w}`
}
