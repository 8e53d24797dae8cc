/** A state as columns, and back. The observations are one blob (bytes.ts); beside them stands what a person can read. */
import type { StateCell, StateShape } from '../projection.ts'
import { type Counters, NO_COUNTERS } from './counters.ts'
import { factsFromText, factsToText } from './facts.ts'
import type { ViewsParameters } from './limits.ts'
import { stateOf } from './metrics.ts'
import { AT } from './numbers.ts'
import { View } from './state.ts'
import { whoOf } from './who.ts'

export const SHAPE: StateShape = {
  name: 'views',
  comment: 'Every view with all that was observed of it; the tables views and view_slices are made of this',
  partition: [{ name: 'profile_id', type: 'text' }],
  clustering: [
    { name: 'session_id', type: 'text' },
    { name: 'title_id', type: 'text' },
  ],
  columns: [
    { name: 'started_at', type: 'timestamp' },
    { name: 'last_at', type: 'timestamp', comment: 'of the rows that stand' },
    { name: 'received_at', type: 'timestamp', comment: 'when the last report of it was received' },
    { name: 'state', type: 'text' },
    { name: 'reports', type: 'int', comment: 'observations in the blob' },
    { name: 'truncated', type: 'boolean', comment: 'there were more than are kept' },
    { name: 'facts', type: 'text', comment: '[[said at,{fact:value}],...] of each the earliest' },
    {
      name: 'counters',
      type: 'text',
      comment: '[minute,[largest before it],[largest in it]] of what players count up',
    },
    { name: 'observations', type: 'blob', comment: 'delta-coded, by time' },
  ],
}

export function toColumns(view: View): StateCell[] {
  const { count, bytes } = view.observations()
  const cut = view.timeline.cut()
  return [
    cut.startedAt,
    cut.numbers[AT.last_at]!,
    view.receivedMs,
    stateOf(cut),
    count,
    view.truncated,
    factsToText(view.facts),
    countersToText(view.counters),
    bytes,
  ]
}

export function fromColumns(cells: readonly StateCell[], key: readonly StateCell[], parameters: ViewsParameters): View {
  const [profileId, sessionId, titleId] = key as readonly string[]
  const who = whoOf(profileId!, sessionId!, titleId!)
  const parts = {
    facts: factsFromText(cells[6] as string),
    counters: countersFromText(cells[7] as string),
    receivedMs: cells[2] as number,
    truncated: cells[5] as boolean,
  }
  // A copy: a store may use its buffer again before this one is looked at.
  return View.stored(who, parameters, parts, new Uint8Array(cells[8] as Uint8Array))
}

function countersToText({ minute, before, within }: Counters): string {
  return JSON.stringify([minute, before, within])
}

function countersFromText(text: string): Counters {
  const [minute, before, within] = JSON.parse(text) as [number, number[], number[]]
  return before.length === NO_COUNTERS.before.length ? { minute, before, within } : NO_COUNTERS
}
