/**
 * Projection `erasures`, fold version 1: which profiles were erased, and when; one row each. The runtime finds in it the
 * keys that are still to be destroyed (consumers/erasures.ts); people find in it what was asked and by whom.
 */
import type { PlayheadEvent } from '../../schemas/index.ts'
import type { Keyed, Projection } from '../projection.ts'

export interface ErasureRow {
  readonly profileId: string
  /** Of the newest erasure, as its writer's clock said. */
  readonly erasedAtMs: number
  readonly eventId: string
  readonly by: string | null
  readonly reason: string | null
}

const keyed: Keyed<ErasureRow> = {
  shape: {
    name: 'erasures',
    comment: 'Profiles that were erased; the id is a pseudonym',
    partition: [{ name: 'profile_id', type: 'text', comment: 'whose data went' }],
    clustering: [],
    columns: [
      { name: 'erased_at', type: 'timestamp', comment: 'of the newest erasure' },
      { name: 'event_id', type: 'text', comment: 'of the newest erasure' },
      { name: 'erased_by', type: 'text', comment: 'name of the key or person that asked' },
      { name: 'reason', type: 'text' },
    ],
  },
  key: (event) => (event.type === 'ProfileErased' ? [event.profileId] : undefined),
  fold: (state, event) => newest(state, rowOf(event)),
  rows: () => [],
  toColumns: ({ erasedAtMs, eventId, by, reason }) => [erasedAtMs, eventId, by, reason],
  fromColumns: ([erasedAtMs, eventId, by, reason], [profileId]) => ({
    profileId: profileId as string,
    erasedAtMs: erasedAtMs as number,
    eventId: eventId as string,
    by: by as string | null,
    reason: reason as string | null,
  }),
}

function rowOf(event: PlayheadEvent): ErasureRow {
  if (event.type !== 'ProfileErased') throw new TypeError(`${event.type} erases nothing`)
  const { meta, profileId, by, reason } = event
  return { profileId, erasedAtMs: meta.occurredAt, eventId: meta.eventId, by, reason }
}

/** By (occurredAt, eventId), so that order does not matter. */
function newest(state: ErasureRow | undefined, row: ErasureRow): ErasureRow {
  if (state === undefined || state.erasedAtMs < row.erasedAtMs) return row
  return state.erasedAtMs === row.erasedAtMs && state.eventId < row.eventId ? row : state
}

export function erasuresV1(): Projection {
  const { name } = keyed.shape
  return {
    name,
    foldVersion: 1,
    topics: ['playback-events'],
    reads: ['ProfileErased'],
    batchMs: 1_000,
    landings: [],
    keyed: keyed as Keyed<unknown>,
  }
}
