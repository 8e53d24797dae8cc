/**
 * Breadth first through every state that the rules allow, so that a counterexample is as short as can be. States are
 * remembered by their encoding; a trace is found again by walking the parents and repeating the actions.
 */
import { actions, initial, type State } from './actions.ts'
import { encode } from './encode.ts'
import { INVARIANTS, type Invariant, isAtRest, type Violation, wrongBetween, wrongIn } from './invariants.ts'
import type { Rules } from './protocol.ts'

/** More than this is a mistake in a world's bounds, and would fill the memory. */
const STATES_MAX = 4_000_000

export interface Counterexample extends Violation {
  /** One line for each action, from the start. */
  readonly trace: readonly string[]
}

export interface Exploration {
  readonly states: number
  /** States in which everything is done. */
  readonly atRest: number
  readonly counterexample?: Counterexample
}

export interface Watch {
  readonly invariants: readonly Invariant[]
  /** Whether the tables are judged wherever there is no intent, or only when everything is done. */
  readonly betweenBatches: boolean
}

const EVERYTHING: Watch = { invariants: INVARIANTS, betweenBatches: true }

export function explore(rules: Rules, { invariants, betweenBatches }: Watch = EVERYTHING): Exploration {
  const watched = new Set(invariants)
  const search = new Search(rules)
  let atRest = 0
  const found = (violation: Violation, at: number, last: readonly string[] = []): Exploration => ({
    states: search.size,
    atRest,
    counterexample: { ...violation, trace: [...search.traceTo(at), ...last] },
  })
  for (const [state, at] of search) {
    const rest = isAtRest(state)
    if (rest) atRest++
    const judged = rest || (betweenBatches && state.commit.intent === undefined)
    const wrong = judged ? wrongIn(state, rules, watched) : undefined
    if (wrong !== undefined) return found(wrong, at)
    const next = actions(state, rules)
    if (next.length === 0 && !rest && watched.has('somebody gets to the end'))
      return found(stuck('nothing can happen'), at)
    for (const action of next) {
      const move = wrongBetween(state, action, rules, watched)
      if (move !== undefined) return found(move, at, [action.what()])
      search.add(action.next, at)
    }
  }
  return atRest === 0 ? found(stuck('nobody ever does'), 0) : { states: search.size, atRest }
}

function stuck(what: string): Violation {
  return { invariant: 'somebody gets to the end', what }
}

/** States in the order they were found, each with its number. */
class Search {
  readonly #rules: Rules
  readonly #numbers = new Map<string, number>()
  readonly #parents: number[] = []
  #frontier: [State, number][] = []

  constructor(rules: Rules) {
    this.#rules = rules
    this.add(initial(rules), -1)
  }

  get size(): number {
    return this.#numbers.size
  }

  add(state: State, parent: number): void {
    const key = encode(state)
    if (this.#numbers.has(key)) return
    const number = this.size
    if (number >= STATES_MAX) throw new RangeError(`more than ${STATES_MAX} states: make the world smaller`)
    this.#numbers.set(key, number)
    this.#parents.push(parent)
    this.#frontier.push([state, number])
  }

  *[Symbol.iterator](): Generator<readonly [State, number]> {
    while (this.#frontier.length > 0) {
      const level = this.#frontier
      this.#frontier = []
      yield* level
    }
  }

  traceTo(number: number): readonly string[] {
    const path: number[] = []
    for (let at = number; at > 0; at = this.#parents[at]!) path.unshift(at)
    const trace: string[] = []
    let state = initial(this.#rules)
    for (const wanted of path) {
      const action = actions(state, this.#rules).find(({ next }) => this.#numbers.get(encode(next)) === wanted)
      if (action === undefined) throw new Error('a trace that can not be repeated')
      trace.push(action.what())
      state = action.next
    }
    return trace
  }
}
