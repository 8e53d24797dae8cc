/** Whose a record is: its session and title as it says, its profile as a token says, or one that nobody is known by. */
import { createHash } from 'node:crypto'
import { deriveEventId } from '../ids.ts'
import { textOf } from './fields.ts'
import { CMCD_LIMITS } from './limits.ts'
import type { Reading } from './reading.ts'

export function sessionOfRecord({ values }: Reading): string | undefined {
  return textOf(values, 'sid', CMCD_LIMITS.sessionCharsMax) ?? undefined
}

export function titleOfRecord({ values }: Reading): string | undefined {
  return textOf(values, 'cid', CMCD_LIMITS.titleCharsMax) ?? undefined
}

/** A title nobody named: its session counts all the same. */
export const UNKNOWN_TITLE = 'unknown'

/** One for each session: without a token nobody is known by anything else, and nobody is to be. */
export function anonymousProfile(appId: string, environment: string, sessionId: string): string {
  const hash = createHash('sha256').update(JSON.stringify([appId, environment, sessionId]))
  return `anon-${hash.digest('hex').slice(0, 24)}`
}

/** What tells the reports of one writer apart. */
export interface Origin {
  readonly appId: string
  readonly environment: string
  readonly sessionId: string
  /** Which of the player's targets, or which source: `sn` counts for each. */
  readonly target: string
}

/**
 * The same record sent twice is one event. One that says neither when nor the how-manieth it is can't be told from the
 * next that says the same: that one gets an id of its own.
 */
export function recordId({ values, raw }: Reading, origin: Origin): string | undefined {
  if (!values.has('sn') && !values.has('ts')) return undefined
  const { appId, environment, sessionId, target } = origin
  return deriveEventId('cmcd', JSON.stringify([appId, environment, sessionId, target]), raw)
}
