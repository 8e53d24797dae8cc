/**
 * A third tenant for the tests of erasure: a state for each profile and title, so that a partition has several, rows
 * that must be taken back, and personal fields that it reads.
 */
import type { Keyed, Projection } from '../../projections/projection.ts'
import type { Personal } from '../../schemas/index.ts'
import { TALLY_LANDING } from './tally.ts'

export interface Diary {
  readonly profileId: string
  readonly titleId: string
  readonly events: number
  readonly positionsMs: bigint
  /** Of all its events, in order, apart by commas. */
  readonly devices: string
}

const keyed: Keyed<Diary> = {
  shape: {
    name: 'diary',
    comment: 'Events, positions and devices per profile and title (tests)',
    partition: [{ name: 'profile_id', type: 'text' }],
    clustering: [{ name: 'title_id', type: 'text' }],
    columns: [
      { name: 'events', type: 'int' },
      { name: 'positions_ms', type: 'long' },
      { name: 'devices', type: 'text' },
    ],
  },
  personal: true,
  key: (event) => (event.type === 'Heartbeat' ? [event.profileId, event.titleId] : undefined),
  erases: (event) => (event.type === 'ProfileErased' ? [event.profileId] : undefined),
  fold(state, event) {
    const { profileId, titleId, positionMs, personal } = event as {
      profileId: string
      titleId: string
      positionMs: number
      personal: Personal | null
    }
    if (personal?.sealed) throw new Error('sealed fields reached the fold')
    const devices = new Set((state?.devices ?? '').split(',').filter((device) => device !== ''))
    if (personal?.deviceId) devices.add(personal.deviceId)
    return {
      profileId,
      titleId,
      events: (state?.events ?? 0) + 1,
      positionsMs: (state?.positionsMs ?? 0n) + BigInt(positionMs),
      devices: [...devices].sort().join(),
    }
  },
  rows: ({ profileId, titleId, events, positionsMs }) => [
    { landing: TALLY_LANDING, rowKey: `${profileId}/${titleId}`, cells: [events, positionsMs] },
  ],
  toColumns: ({ events, positionsMs, devices }) => [events, positionsMs, devices],
  fromColumns: ([events, positionsMs, devices], [profileId, titleId]) => ({
    profileId: profileId as string,
    titleId: titleId as string,
    events: events as number,
    positionsMs: positionsMs as bigint,
    devices: devices as string,
  }),
}

/** Each version is a generation of its own: how a rebuild is made in a test. */
export function diary(foldVersion = 1): Projection {
  return {
    name: 'diary',
    foldVersion,
    topics: ['playback-events'],
    batchMs: 20,
    landings: [TALLY_LANDING],
    keyed: keyed as Keyed<unknown>,
  }
}
