/**
 * A second tenant for the tests of the delivery runtime: it keeps a state for each profile and means signed rows by it,
 * so that both halves of the protocol (inserts and upserts) are under test. Order does not matter to it.
 */
import type { Keyed, Landing, Projection } from '../../projections/projection.ts'

export interface Tally {
  readonly profileId: string
  readonly events: number
  readonly positionsMs: bigint
}

export const TALLY_LANDING: Landing = {
  name: 'landing_tally',
  target: 'tally',
  columns: ['topic', 'partition', 'row_key', 'version', 'sign', 'events', 'positions_ms'],
}

/** A heartbeat at exactly this position can't be folded: the poison of the tests. */
export const POISON_MS = 666_666

const keyed: Keyed<Tally> = {
  shape: {
    name: 'tally',
    comment: 'Events and positions per profile (tests)',
    partition: [{ name: 'profile_id', type: 'text' }],
    clustering: [],
    columns: [
      { name: 'events', type: 'int' },
      { name: 'positions_ms', type: 'long' },
    ],
  },
  key: (event) => ('profileId' in event && typeof event.profileId === 'string' ? [event.profileId] : undefined),
  erasers: ['ProfileErased'],
  erases: (event) => (event.type === 'ProfileErased' ? [event.profileId] : undefined),
  fold(state, event) {
    const { profileId = '', positionMs = 0 } = event as { profileId?: string; positionMs?: number | null }
    if (positionMs === POISON_MS) throw new RangeError('this heartbeat is poison')
    return {
      profileId,
      events: (state?.events ?? 0) + 1,
      positionsMs: (state?.positionsMs ?? 0n) + BigInt(positionMs ?? 0),
    }
  },
  rows: ({ profileId, events, positionsMs }) => [
    { landing: TALLY_LANDING, rowKey: profileId, cells: [events, positionsMs] },
  ],
  toColumns: ({ events, positionsMs }) => [events, positionsMs],
  fromColumns: ([events, positionsMs], [profileId]) => ({
    profileId: profileId as string,
    events: events as number,
    positionsMs: positionsMs as bigint,
  }),
}

export const TALLY: Projection = {
  name: 'tally',
  foldVersion: 1,
  topics: ['playback-events'],
  batchMs: 20,
  landings: [TALLY_LANDING],
  keyed: keyed as Keyed<unknown>,
}
