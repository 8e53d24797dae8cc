/**
 * The worlds that are explored: how much may happen in each. Each is as small as it can be and still meet what it is
 * for; together they run in CI in well under a minute. README.md says what was explored beyond them.
 */
import type { World } from './protocol.ts'

/** One owner and one that takes over, in either order of crash or zombie; one answer is lost. */
export const TWO_OWNERS: World = {
  takeOvers: 2,
  lost: 1,
  foreignBlocks: 0,
  window: 2,
  tables: 1,
  keys: 2,
  pendingTail: false,
  takeOversMayHang: false,
  pruned: true,
}

/** Two take-overs after the first start (a crash in the middle of a recovery), and a token that may be forgotten. */
export const THREE_OWNERS: World = { ...TWO_OWNERS, takeOvers: 3, foreignBlocks: 1 }

/** Two requests arrive late, in any order. */
export const TWO_LOST: World = { ...TWO_OWNERS, lost: 2 }

/** Others fill the whole token window between an insert and its repetition. */
export const FORGOTTEN: World = { ...TWO_OWNERS, window: 1, foreignBlocks: 1 }

/** Every batch changes the same state, and three owners may change it in turn. */
export const ONE_KEY: World = { ...TWO_OWNERS, takeOvers: 3, lost: 0, keys: 1 }

/** The last event is torn off, replaced, or a second copy of the first. */
export const PENDING_TAIL: World = { ...TWO_OWNERS, pendingTail: true }

/** Rows go into two tables, one insert each. */
export const TWO_TABLES: World = { ...TWO_OWNERS, tables: 2, window: 3, foreignBlocks: 1 }

/** The token window may move past a batch while a take-over hangs between raising the term and writing `owners`. */
export const HANGING: World = { ...TWO_OWNERS, foreignBlocks: 1, takeOversMayHang: true }
