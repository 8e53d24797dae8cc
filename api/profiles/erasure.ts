/**
 * An erasure, from the request to its end.
 *
 * States: *asked* (the profile's key is retired: whatever comes from now on is sealed with another) → *in the log*
 * (ProfileErased is durable; the caller has its 202) → *passed* (every table has dropped the profile's rows) → *done*
 * (the retired keys are destroyed: every copy of the log, backups included, holds only what can't be opened).
 * The API owns the first two, the consumers the others. Asked for again, each step is done again without harm; a crash
 * between retiring and appending leaves a key retired and not destroyed until the request is repeated.
 */
import type { EventLog } from '../../log/log.ts'
import { partitionOf } from '../../log/partition.ts'
import { type Erasure, eraseProfile } from '../../producers/erase.ts'
import { PRODUCER_LIMITS } from '../../producers/limits.ts'
import type { Arrival } from '../../producers/stamp.ts'
import type { EventCodec } from '../../schemas/index.ts'
import type { KeyVault } from '../../stores/vault.ts'
import type { Positions } from '../context.ts'

const TOPIC = 'playback-events'

export interface ErasurePorts {
  readonly log: EventLog
  readonly codec: EventCodec
  readonly mint: () => string
  readonly vault: Pick<KeyVault, 'retire' | 'retired'>
  readonly sleep: (ms: number) => Promise<unknown>
}

export interface ErasureBegun {
  readonly eventId: string
  /** Retired and to be destroyed. */
  readonly keys: number
  readonly place: { readonly topic: string; readonly partition: number; readonly position: bigint }
}

export async function beginErasure(ports: ErasurePorts, arrival: Arrival, erasure: Erasure): Promise<ErasureBegun> {
  // First, and until no sealer of any process remembers the key: what comes after the event must not be lost with what
  // comes before it.
  const keys = await ports.vault.retire(erasure.profileId)
  if (keys.length > 0) await ports.sleep(PRODUCER_LIMITS.livingKeyMs)
  const { record, meta } = eraseProfile(ports, arrival, erasure)
  const [placed] = await ports.log.append([record])
  if (placed === undefined) throw new Error('the log answered no place for a record')
  return { eventId: meta.eventId, keys: keys.length, place: { topic: TOPIC, ...placed } }
}

export interface ErasureState {
  readonly profileId: string
  readonly state: 'pending' | 'done'
  /** The progress table has dropped what came before the erasure. */
  readonly progressPassed: boolean
  readonly keysToDestroy: number
}

/** `position` is that of the erasure; without it, everything that is in the profile's partition by now has to be passed. */
export async function erasureState(
  ports: Pick<ErasurePorts, 'log' | 'vault'> & { readonly positions: Positions },
  profileId: string,
  position: string | undefined,
): Promise<ErasureState> {
  const header = position ?? (await lastOf(ports, profileId))
  const passed = header === undefined || (await ports.positions.wait(header, 'progress')) === 'passed'
  // After the wait: a key that is retired meanwhile counts.
  const retired = await ports.vault.retired(profileId)
  const done = passed && retired.length === 0
  return { profileId, state: done ? 'done' : 'pending', progressPassed: passed, keysToDestroy: retired.length }
}

async function lastOf(
  { log, positions }: { readonly log: EventLog; readonly positions: Positions },
  profileId: string,
): Promise<string | undefined> {
  const bounds = await log.bounds(TOPIC)
  const own = bounds[partitionOf(profileId, Math.max(1, bounds.length))]
  if (own === undefined || own.end <= own.start) return undefined
  return positions.header([{ topic: TOPIC, partition: own.partition, position: own.end - 1n }])
}
