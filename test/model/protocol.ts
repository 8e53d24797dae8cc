/**
 * The delivery protocol as data: the steps in their order, and the flaws that a mutation may give it. The runtime's
 * take-over and delivery (consumers/delivery.ts) follow these names.
 */

export const TAKE_OVER = ['raise', 'empty cache', 'owners', 'read record'] as const
export const CYCLE = ['fold', 'intent', 'dead letters', 'insert', 'upsert', 'checkpoint'] as const

/** Steps that the protocol does not have; mutations put them in. */
type WrongStep = 'peek at record' | 'insert first table' | 'insert other tables' | 'clear intent'

export type Step = (typeof TAKE_OVER)[number] | (typeof CYCLE)[number] | WrongStep

export type Flaw =
  // the commit record
  | 'compare nothing'
  | 'compare the term only'
  | 'raise touches the term only'
  | 'a lost swap means a new take-over'
  | 'a lost raise is read back by its term'
  | 'the term must not have moved before the raise'
  | 'the checkpoint may wait for the next intent'
  // the intent
  | 'a redo ignores the bounds'
  | 'a redo ignores the parked'
  | 'a redo computes the audit again'
  // reading and folding
  | 'reads beyond the durable end'
  | 'remembers duplicates in memory only'
  | 'reads stale states'
  | 'folds at the version of the row'
  | 'the version is the last event'
  // the analytics store
  | 'insert ignores the guard'
  | 'a young insert passes the guard'
  | 'no token'
  | 'token without bounds'
  | 'never stalls'
  | 'only a redo stalls'
  | 'repairs without looking'
  // waiting, and versions
  | 'owners are not awaited'
  | 'inserts are not awaited'
  | 'upserts are not awaited'
  | 'upsert ignores the version'

export interface Protocol {
  readonly takeOver: readonly Step[]
  readonly cycle: readonly Step[]
  readonly flaws: ReadonlySet<Flaw>
}

export const PROTOCOL: Protocol = { takeOver: TAKE_OVER, cycle: CYCLE, flaws: new Set() }

export function stepAt(index: number, { takeOver, cycle }: Protocol): Step | undefined {
  return takeOver[index] ?? cycle[index - takeOver.length]
}

/** Steps whose request is sent and not waited for. */
export function isAwaited(step: Step, flaws: ReadonlySet<Flaw>): boolean {
  if (step === 'owners') return !flaws.has('owners are not awaited')
  if (step === 'insert') return !flaws.has('inserts are not awaited')
  return step !== 'upsert' || !flaws.has('upserts are not awaited')
}

/** How much may happen in one world: explored exhaustively within these bounds. */
export interface World {
  /** The first start, restarts after a crash and rebalances, of both workers together. */
  readonly takeOvers: number
  /** Requests whose answer is lost: applied later, at any time, or never; the sender sends them again. */
  readonly lost: number
  /** Blocks of other partitions. */
  readonly foreignBlocks: number
  /** How many blocks a table remembers the tokens of. */
  readonly window: number
  readonly tables: number
  readonly keys: 1 | 2
  /** Whether the last event is not durable at first. */
  readonly pendingTail: boolean
  /** Whether the window may move past a batch while a take-over is between its first and its last step. */
  readonly takeOversMayHang: boolean
  /** Whether states that can't lead to anything new are left out (settle.ts); never changes what is found. */
  readonly pruned: boolean
}

/** What a run of the model is made with. */
export interface Rules extends Protocol, World {}
