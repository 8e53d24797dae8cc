/**
 * The protocol with one thing left out, swapped or done wrong; each must be found, by what it does to the tables: the
 * invariants named are the only ones watched, at rest, so that a mutation is not found by a mere difference in manner.
 *
 * And the other way: variants that look like a step left out and lose nothing. They say which parts of the protocol
 * are there for safety and which for order's sake.
 */
import type { Invariant } from './invariants.ts'
import { CYCLE, type Flaw, PROTOCOL, type Protocol, type Step, TAKE_OVER, type World } from './protocol.ts'
import { FORGOTTEN, HANGING, ONE_KEY, PENDING_TAIL, TWO_OWNERS, TWO_TABLES } from './worlds.ts'

export interface Mutation {
  /** What goes wrong; completes the sentence "finds a violation when …". */
  readonly when: string
  readonly protocol: Protocol
  readonly world: World
  readonly breaks: Invariant
}

export interface Variant {
  /** Completes the sentence "finds nothing when …". */
  readonly when: string
  readonly protocol: Protocol
  readonly world: World
}

const COUNTED: Invariant = 'each event is counted once or parked'
const ROWS: Invariant = 'the rows are those of the states'
const AUDIT: Invariant = 'the audit sums agree'
const TALLY: Invariant = 'read = folded + duplicates + parked'
const FORWARD: Invariant = 'the commit record only moves forward'
const ZOMBIE: Invariant = 'a zombie changes nothing'
const END: Invariant = 'somebody gets to the end'

/** A zombie that was paused before its insert needs no lost answer. */
const PAUSED: World = { ...TWO_OWNERS, lost: 0, foreignBlocks: 1 }

function without(step: Step): Protocol {
  const others = (steps: readonly Step[]) => steps.filter((s) => s !== step)
  return { ...PROTOCOL, takeOver: others(TAKE_OVER), cycle: others(CYCLE) }
}

function cycle(...steps: readonly Step[]): Protocol {
  return { ...PROTOCOL, cycle: ['fold', ...steps] }
}

function takeOver(...steps: readonly Step[]): Protocol {
  return { ...PROTOCOL, takeOver: steps }
}

function and(protocol: Protocol, ...flaws: readonly Flaw[]): Protocol {
  return { ...protocol, flaws: new Set([...protocol.flaws, ...flaws]) }
}

function flawed(when: string, flaw: Flaw, breaks: Invariant, world = TWO_OWNERS): Mutation {
  return { when, protocol: and(PROTOCOL, flaw), breaks, world }
}

const LEFT_OUT: readonly Mutation[] = [
  { when: 'a take-over does not raise the term', protocol: without('raise'), world: TWO_OWNERS, breaks: ROWS },
  { when: 'a take-over keeps its cache', protocol: without('empty cache'), world: ONE_KEY, breaks: COUNTED },
  { when: 'a take-over does not write owners', protocol: without('owners'), world: PAUSED, breaks: ROWS },
  {
    when: 'a take-over does not read the commit record',
    protocol: without('read record'),
    world: TWO_OWNERS,
    breaks: END,
  },
  {
    when: 'a take-over does not read the commit record and swaps compare the term only',
    protocol: and(without('read record'), 'compare the term only'),
    world: TWO_OWNERS,
    breaks: ROWS,
  },
  { when: 'there is no intent', protocol: without('intent'), world: TWO_OWNERS, breaks: ROWS },
  { when: 'parked events are not written', protocol: without('dead letters'), world: TWO_OWNERS, breaks: TALLY },
  { when: 'rows are not inserted', protocol: without('insert'), world: TWO_OWNERS, breaks: ROWS },
  { when: 'states are not upserted', protocol: without('upsert'), world: TWO_OWNERS, breaks: COUNTED },
  { when: 'the checkpoint is not set', protocol: without('checkpoint'), world: TWO_OWNERS, breaks: END },
]

const REORDERED: readonly Mutation[] = [
  {
    when: 'states are upserted before rows are inserted',
    protocol: cycle('intent', 'dead letters', 'upsert', 'insert', 'checkpoint'),
    world: TWO_OWNERS,
    breaks: ROWS,
  },
  {
    when: 'the checkpoint is set before states are upserted',
    protocol: cycle('intent', 'dead letters', 'insert', 'checkpoint', 'upsert'),
    world: TWO_OWNERS,
    breaks: COUNTED,
  },
  {
    when: 'the checkpoint is set before rows are inserted',
    protocol: cycle('intent', 'dead letters', 'checkpoint', 'insert', 'upsert'),
    world: TWO_OWNERS,
    breaks: COUNTED,
  },
  {
    when: 'the checkpoint is set before parked events are written',
    protocol: cycle('intent', 'insert', 'upsert', 'checkpoint', 'dead letters'),
    world: TWO_OWNERS,
    breaks: TALLY,
  },
  {
    when: 'parked events are written before the intent',
    protocol: cycle('dead letters', 'intent', 'insert', 'upsert', 'checkpoint'),
    world: TWO_OWNERS,
    breaks: TALLY,
  },
  {
    when: 'rows are inserted before the intent',
    protocol: cycle('insert', 'intent', 'dead letters', 'upsert', 'checkpoint'),
    world: TWO_OWNERS,
    breaks: ROWS,
  },
  {
    when: 'the intent is cleared and then the checkpoint set, in two writes',
    protocol: cycle('intent', 'dead letters', 'insert', 'upsert', 'clear intent', 'checkpoint'),
    world: TWO_OWNERS,
    breaks: TALLY,
  },
  {
    when: 'one table is inserted before the upsert and the other after it',
    protocol: cycle('intent', 'dead letters', 'insert first table', 'upsert', 'insert other tables', 'checkpoint'),
    world: TWO_TABLES,
    breaks: ROWS,
  },
  {
    when: 'a take-over reads the commit record, raises the term, and swaps compare the term only',
    protocol: and(takeOver('peek at record', ...TAKE_OVER), 'compare the term only'),
    world: { ...TWO_OWNERS, lost: 0 },
    breaks: ROWS,
  },
]

const DONE_WRONG: readonly Mutation[] = [
  flawed('swaps compare nothing', 'compare nothing', TALLY),
  flawed('a swap compares the term only', 'compare the term only', TALLY),
  flawed('an owner’s late swap puts the record back', 'compare the term only', FORWARD),
  flawed('a lost raise is read back by its term', 'a lost raise is read back by its term', ROWS),
  flawed('a redo ignores the bounds of the intent', 'a redo ignores the bounds', ROWS),
  flawed('a redo ignores what the intent parked', 'a redo ignores the parked', TALLY),
  flawed('a redo computes the audit again', 'a redo computes the audit again', AUDIT),
  flawed('a worker reads beyond the durable end', 'reads beyond the durable end', COUNTED, PENDING_TAIL),
  flawed('duplicates are remembered in memory only', 'remembers duplicates in memory only', COUNTED, PENDING_TAIL),
  flawed('states are read from a replica that is behind', 'reads stale states', COUNTED),
  flawed('the event at the version of a state is folded again', 'folds at the version of the row', COUNTED),
  flawed('a version is that of the last event, not `to`', 'the version is the last event', ROWS, FORGOTTEN),
  flawed('an insert ignores the guard', 'insert ignores the guard', ROWS, PAUSED),
  flawed('a zombie inserts past the guard', 'insert ignores the guard', ZOMBIE, PAUSED),
  flawed('inserts have no token', 'no token', ROWS),
  flawed('a token has no bounds', 'token without bounds', ROWS),
  flawed('nothing stalls when a token may be forgotten', 'never stalls', ROWS, FORGOTTEN),
  flawed('only a redo stalls, and a first insert is repeated for ever', 'only a redo stalls', ROWS, FORGOTTEN),
  flawed('a repair inserts without looking for the rows', 'repairs without looking', ROWS, FORGOTTEN),
  flawed('owners are written and not awaited', 'owners are not awaited', ROWS, PAUSED),
  flawed('inserts are sent and not awaited', 'inserts are not awaited', ROWS),
  flawed('upserts are sent and not awaited', 'upserts are not awaited', COUNTED),
  flawed('an older version overwrites a state', 'upsert ignores the version', COUNTED),
  { when: 'a take-over hangs while the token window moves on', protocol: PROTOCOL, world: HANGING, breaks: ROWS },
]

export const MUTATIONS: readonly Mutation[] = [...LEFT_OUT, ...REORDERED, ...DONE_WRONG]

export const VARIANTS: readonly Variant[] = [
  {
    when: 'the checkpoint is one write with the next intent',
    protocol: and(PROTOCOL, 'the checkpoint may wait for the next intent'),
    world: TWO_OWNERS,
  },
  {
    when: 'a take-over reads the commit record, then raises, and a swap compares the revision',
    protocol: takeOver('peek at record', ...TAKE_OVER),
    world: TWO_OWNERS,
  },
  {
    when: 'swaps compare the term only, a raise touches nothing else, and a lost swap means a new take-over',
    protocol: and(
      PROTOCOL,
      'compare the term only',
      'raise touches the term only',
      'a lost swap means a new take-over',
    ),
    world: { ...TWO_OWNERS, foreignBlocks: 1 },
  },
  {
    when: 'an insert looks at owners when it begins, and ends after owners was written',
    protocol: and(PROTOCOL, 'a young insert passes the guard'),
    world: { ...TWO_OWNERS, foreignBlocks: 1 },
  },
  {
    when: 'a take-over hangs, if owners was written before the term was raised',
    protocol: and(
      takeOver('owners', 'raise', 'empty cache', 'read record'),
      'the term must not have moved before the raise',
    ),
    world: HANGING,
  },
]
