/**
 * Bugs planted to see that the checks find them: faults seen in the field, steps of the protocol left out, folds that break
 * their rules. Those of engines are switches of the simulated servers; the others wrap a port or a fold from outside.
 */
import type { Keyed, Projection } from '../../projections/projection.ts'
import type { Planted } from './engine.ts'
import {
  believeBuilds,
  clockedVersions,
  drainsNothing,
  erasuresMissBuilds,
  forgetsWindow,
  insertsLater,
  lettersLost,
  sharesTables,
  splitsRetries,
  startsWhereReadIs,
  upsertsHalf,
} from './wraps.ts'

export interface Bug {
  readonly what: string
  readonly planted: Planted
}

const consumers = (ports: NonNullable<Planted['ports']>): Planted => ({ ports })

export const PLANTED: Readonly<Record<string, Bug>> = {
  'sequence-rollback': {
    what: 'a producer whose sequence rolls back stores one batch twice and another never',
    planted: { log: { sequenceRollback: true } },
  },
  'acknowledged-not-stored': {
    what: 'a record is acknowledged and not stored',
    planted: { log: { acknowledgedNotStored: true } },
  },
  'off-by-one-seek': { what: 'a read begins one position late', planted: { log: { offByOneSeek: true } } },
  'skip-under-slow-batch': {
    what: 'records are skipped under a slow batch',
    planted: { log: { skipUnderSlowBatch: true } },
  },
  'reads-beyond-durable': {
    what: 'readers of the log see what is not durable yet',
    planted: { log: { readsBeyondDurable: true } },
  },
  'swap-ignores-term': {
    what: 'a swap of the commit record ignores who is the owner',
    planted: { state: { swapIgnoresTerm: true } },
  },
  'swap-ignores-revision': {
    what: 'a swap compares the term only',
    planted: { state: { swapIgnoresRevision: true } },
  },
  'swap-assumed': {
    what: 'a swap whose answer is lost is taken for done',
    planted: { state: { swapAssumed: true } },
  },
  'upsert-ignores-version': { what: 'an upsert ignores versions', planted: { state: { upsertIgnoresVersion: true } } },
  'upsert-not-awaited': {
    what: 'an upsert is acknowledged before it is written',
    planted: { state: { upsertNotAwaited: true } },
  },
  'upsert-half': {
    what: 'an upsert of several rows that fails half-way is taken for done',
    planted: consumers(upsertsHalf),
  },
  'version-from-clock': { what: "a state's version is the time", planted: consumers(clockedVersions) },
  'insert-ignores-guard': {
    what: 'an insert ignores the guard and its token',
    planted: { analytics: { ignoresGuard: true, ignoresToken: true } },
  },
  'insert-ignores-token': { what: 'an insert ignores its token', planted: { analytics: { ignoresToken: true } } },
  'token-before-rows': {
    what: 'a deduplication mark is written before its rows are in',
    planted: { analytics: { tokenBeforeRows: true } },
  },
  'checkpoint-before-rows': {
    what: 'the checkpoint moves before the rows are in',
    planted: consumers(insertsLater),
  },
  'retry-split-otherwise': {
    what: 'the retry of an insert is split into other blocks than the first try',
    planted: consumers(splitsRetries),
  },
  'window-not-read-back': {
    what: 'the window of duplicates is not read back after a take-over',
    planted: consumers(forgetsWindow),
  },
  'letters-lost': { what: 'what is parked never becomes a dead letter', planted: consumers(lettersLost) },
  'drain-not-awaited': {
    what: 'a rebalance does not await the drain: a partition is handed on while its owner still works',
    planted: consumers(drainsNothing),
  },
  'erasure-misses-builds': {
    what: 'an erasure misses the generations that are built beside',
    planted: consumers(erasuresMissBuilds),
  },
  'build-starts-where-read-is': {
    what: 'a build begins at the checkpoint of the generation that is read',
    planted: consumers(startsWhereReadIs),
  },
  'build-shares-tables': {
    what: 'a build writes into the tables of the generation that is read',
    planted: consumers(sharesTables),
  },
  'promoted-before-passed': {
    what: 'readers go over to a generation that has not passed what the one before has',
    planted: { readers: believeBuilds, promotesAtOnce: true },
  },
  'dropped-and-left': { what: 'tables of a dropped generation are left', planted: { state: { dropsNothing: true } } },
  'last-arrival-wins': {
    what: 'a fold lets the last arrival win',
    planted: { fold: (projection) => (projection.name === 'progress' ? byArrival(projection) : projection) },
  },
  'fold-not-pure': {
    what: 'a fold counts in a place of its own, not in the state',
    planted: { fold: (projection) => (projection.name === 'tally' ? countsBeside(projection) : projection) },
  },
}

/** What was known before is forgotten: the row is what its newest arrival says. */
function byArrival(projection: Projection): Projection {
  const keyed = projection.keyed as Keyed<unknown>
  return { ...projection, keyed: { ...keyed, fold: (_state, event) => keyed.fold(undefined, event) } }
}

/** A count for as long as a generation runs in a process: what another owner folded is not in it. */
function countsBeside(projection: Projection): Projection {
  const keyed = projection.keyed as Keyed<{ readonly profileId: string; readonly events: number }>
  const counts = new Map<string, number>()
  const counting: Keyed<unknown> = {
    ...(keyed as Keyed<unknown>),
    fold: (state, event) => {
      const next = keyed.fold(state as never, event)
      const events = (counts.get(next.profileId) ?? 0) + 1
      counts.set(next.profileId, events)
      return { ...next, events }
    },
  }
  return { ...projection, keyed: counting }
}
