/**
 * Step 3 of the protocol: a batch, from the states before it. The fold counts events per key. Both keys' states are
 * read in one step; as upserts of two keys go in any order, that meets every mixture of old and new that reading one
 * after the other could.
 */
import { durableEnd, EVENTS, FLAKY, has, isDuplicate, type Key, keyOf, type Tail } from './events.ts'
import type { Flaw, Rules } from './protocol.ts'
import { ABSENT, type Change, type CommitRecord, hashOf, type Intent, type Row } from './stores.ts'

export interface Batch extends Intent {
  readonly changes: readonly Change[]
  readonly redo: boolean
  /** The token of its rows may be forgotten: they are inserted by a repair or not at all. */
  readonly stalled: boolean
}

export interface FoldInput {
  /** The commit record as the worker knows it. */
  readonly record: CommitRecord
  readonly states: readonly [Row, Row]
  readonly blocks: number
  readonly tail: Tail
  readonly readSince: number
  readonly rules: Rules
}

/** Every batch that may come next: each end, and each fate of the flaky event, that no intent fixes. */
export function foldings(input: FoldInput): readonly Batch[] {
  const { record, tail, states } = input
  const { flaws } = input.rules
  const { intent, checkpoint } = record
  const from = intent?.from ?? checkpoint
  const end = flaws.has('reads beyond the durable end') ? EVENTS : durableEnd(tail)
  const free = intent === undefined || flaws.has('a redo ignores the bounds')
  const ends = free ? Array.from({ length: end - from }, (_, i) => from + i) : [intent.to]
  const reads = flaws.has('reads stale states') ? [states, [ABSENT, ABSENT] as const] : [states]
  return ends.flatMap((to) =>
    parkings(from, to, intent, flaws).flatMap((parked) => reads.map((read) => fold(input, from, to, parked, read))),
  )
}

function parkings(from: number, to: number, intent: Intent | undefined, flaws: ReadonlySet<Flaw>): readonly number[] {
  if (intent !== undefined && !flaws.has('a redo ignores the parked')) return [intent.parked]
  return from <= FLAKY && FLAKY <= to ? [0, 1 << FLAKY] : [0]
}

function fold(input: FoldInput, from: number, to: number, parked: number, before: readonly [Row, Row]): Batch {
  const { record, blocks, tail, readSince } = input
  const { flaws, keys } = input.rules
  const knowsCopies = !flaws.has('remembers duplicates in memory only') || Math.min(readSince, from) === 0
  const after: [Row, Row] = [before[0], before[1]]
  for (let position = from; position <= to; position++) {
    const key = keyOf(position, tail, keys)
    const { version } = before[key]
    const folded = position < version || (position === version && !flaws.has('folds at the version of the row'))
    if (folded || has(parked, position) || (isDuplicate(position, tail) && knowsCopies)) continue
    after[key] = { version: flaws.has('the version is the last event') ? position : to, count: after[key].count + 1 }
  }
  const changes = ([0, 1] as const)
    .filter((key) => after[key] !== before[key])
    .map((key) => ({ key, old: before[key], next: after[key] }))
  const { intent } = record
  const known = intent !== undefined && !flaws.has('a redo computes the audit again')
  const audit = known ? intent.audit : changes.reduce((sum, change) => sum + gain(change), record.audit)
  return {
    from,
    to,
    parked,
    changes,
    audit,
    blocks: intent?.blocks ?? blocks,
    redo: intent !== undefined,
    stalled: false,
  }
}

function gain({ key, old, next }: { key: Key; old: Row; next: Row }): number {
  return hashOf(key, next.version) - hashOf(key, old.version)
}
