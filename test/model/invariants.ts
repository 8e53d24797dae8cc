/**
 * What must be true. *Always*: in every state, or between a state and the next. *At rest*: where the commit record
 * stands at the end of the log with no intent and its owner is not in the middle of a batch; zombies and late requests
 * may still be about, and must change nothing. *Between batches*: the same wherever there is no intent.
 */
import type { Action, State } from './actions.ts'
import { durableEnd, EVENTS, has, isDuplicate, KEYS, type Key, keyOf, sizeOf } from './events.ts'
import type { Rules } from './protocol.ts'
import { ABSENT, hashOf, keyAndRow, type Row, slotOf } from './stores.ts'

/** Undefined if it holds, else what is wrong, in words. */
type Check = (state: State, rules: Rules) => string | undefined
type MoveCheck = (before: State, action: Action, rules: Rules) => string | undefined

const eventsAreCountedOnce: Check = (state, { keys }) => {
  for (const key of [0, 1] as const) {
    const truth = positions(state).filter((p) => keyOf(p, state.tail, keys) === key && isToBeFolded(p, state)).length
    const { count } = state.states[key]
    if (count !== truth) return `key ${KEYS[key]} has ${truth} events to count and its state says ${count}`
  }
  return undefined
}

const rowsAreTheStates: Check = ({ tables, states }) => {
  for (const [t, { rows }] of tables.entries()) {
    for (const key of [0, 1] as const) {
      if (states[key].version < 0) continue
      const net = rows[slotOf(key, states[key])] ?? 0
      if (net !== 1) return `table ${t} has the row of ${shown(key, states[key])} ${net} times`
    }
    const standing = Object.entries(rows).map(([slot, net]) => ({ ...keyAndRow(Number(slot)), net }))
    const extra = standing.find(({ key, row }) => !same(row, states[key]))
    if (extra !== undefined) return `table ${t} has a row ${shown(extra.key, extra.row)} ${extra.net} times too often`
  }
  return undefined
}

const auditAgrees: Check = ({ tables, states, commit }) => {
  const ofStates = hashOf(0, states[0].version) + hashOf(1, states[1].version)
  if (commit.audit !== ofStates) return `the commit record's audit is ${commit.audit}, that of the states ${ofStates}`
  for (const { rows } of tables) {
    let ofRows = 0
    for (const [slot, net] of Object.entries(rows)) {
      const { key, row } = keyAndRow(Number(slot))
      ofRows += net * hashOf(key, row.version)
    }
    if (ofRows !== ofStates) return `the audit of the rows is ${ofRows}, that of the states ${ofStates}`
  }
  return undefined
}

/** read = folded + duplicates + parked. */
const conserves: Check = (state) => {
  const { commit, deadLetters } = state
  const below = sizeOf(deadLetters & ((1 << commit.checkpoint) - 1))
  if (sizeOf(deadLetters) !== below) return 'there is a dead letter of an event that is not done'
  if (commit.parked !== below) return `the tally says ${commit.parked} parked, and there are ${below} dead letters`
  const folded = state.states[0].count + state.states[1].count
  const copies = positions(state).filter((p) => isDuplicate(p, state.tail)).length
  if (folded + below + copies !== commit.checkpoint) {
    return `${commit.checkpoint} read, but ${folded} folded, ${copies} duplicates and ${below} parked`
  }
  return undefined
}

function onlyForward(before: State, { next }: Action): string | undefined {
  const [a, b] = [before.commit, next.commit]
  if (b.term < a.term) return `the term fell from ${a.term} to ${b.term}`
  return b.checkpoint < a.checkpoint ? `the checkpoint fell from ${a.checkpoint} to ${b.checkpoint}` : undefined
}

/** Once a take-over is complete, an older term changes nothing but what the intent in force says anyway. */
function zombieChangesNothing(before: State, { term, next }: Action, { takeOver }: Rules): string | undefined {
  const { commit } = before
  const owner = before.workers.find((worker) => worker.term === commit.term && worker.step >= takeOver.length)
  if (owner === undefined || term === undefined || term >= commit.term) return undefined
  if (next.commit !== commit) return 'it changed the commit record'
  if (next.blocks !== before.blocks) return 'it inserted rows'
  for (const key of [0, 1] as const) {
    const [was, is] = [before.states[key], next.states[key]]
    if (!same(was, is) && is.version !== commit.intent?.to) return `it wrote ${shown(key, is)}`
  }
  const written = next.deadLetters & ~before.deadLetters
  return (written & ~(commit.intent?.parked ?? 0)) === 0 ? undefined : 'it wrote a dead letter'
}

/** Checks of one state. */
const OF_STATE = {
  'each event is counted once or parked': eventsAreCountedOnce,
  'the rows are those of the states': rowsAreTheStates,
  'the audit sums agree': auditAgrees,
  'read = folded + duplicates + parked': conserves,
} satisfies Record<string, Check>

/** Checks of a state and the one that an action makes of it. */
const OF_MOVE = {
  'the commit record only moves forward': onlyForward,
  'a zombie changes nothing': zombieChangesNothing,
} satisfies Record<string, MoveCheck>

export type Invariant = keyof typeof OF_STATE | keyof typeof OF_MOVE | 'somebody gets to the end'

export const INVARIANTS = [
  ...Object.keys(OF_STATE),
  ...Object.keys(OF_MOVE),
  'somebody gets to the end',
] as readonly Invariant[]

export interface Violation {
  readonly invariant: Invariant
  readonly what: string
}

export function wrongIn(state: State, rules: Rules, watched: ReadonlySet<Invariant>): Violation | undefined {
  return firstWrong(OF_STATE, watched, (check) => check(state, rules))
}

export function wrongBetween(
  before: State,
  action: Action,
  rules: Rules,
  watched: ReadonlySet<Invariant>,
): Violation | undefined {
  return firstWrong(OF_MOVE, watched, (check) => check(before, action, rules))
}

function firstWrong<C, I extends Invariant>(
  checks: Readonly<Record<I, C>>,
  watched: ReadonlySet<Invariant>,
  run: (check: C) => string | undefined,
): Violation | undefined {
  for (const invariant of Object.keys(checks) as I[]) {
    const what = watched.has(invariant) ? run(checks[invariant]) : undefined
    if (what !== undefined) return { invariant, what }
  }
  return undefined
}

/** Whether everything is done, as far as anybody who is entitled to act can tell. */
export function isAtRest({ commit, tail, workers }: State): boolean {
  if (tail === 'pending' || commit.intent !== undefined || commit.checkpoint < durableEnd(tail)) return false
  return workers.every(({ step, term, batch }) => step < 0 || term !== commit.term || batch === undefined)
}

function positions({ commit }: State): readonly number[] {
  return Array.from({ length: EVENTS }, (_, i) => i).filter((i) => i < commit.checkpoint)
}

function isToBeFolded(position: number, { deadLetters, tail }: State): boolean {
  return !has(deadLetters, position) && !isDuplicate(position, tail)
}

function same(a: Row, b: Row): boolean {
  return a.version === b.version && a.count === b.count
}

function shown(key: Key, row: Row): string {
  return same(row, ABSENT) ? `${KEYS[key]} absent` : `${KEYS[key]}=${row.count}@${row.version}`
}
