/** Who posts events in a simulated run: heartbeats of a few profiles, some posted twice, some garbage, some poison; now and then a profile is erased. */
import type { NewRecord } from '../../log/log.ts'
import type { EventCodec, EventOf } from '../../schemas/index.ts'
import { erased, heartbeat } from '../consumers/events.ts'
import { POISON_MS } from '../consumers/tally.ts'
import type { SimWorld } from './world.ts'

export interface Audience {
  /** The next few records to post; none when the evening is over. */
  next(): readonly NewRecord[]
  acknowledged(record: NewRecord): void
  acknowledgedValues(): string[]
  done(): boolean
}

const POSTS = 60
const PROFILES = 6

export function audience(world: SimWorld, codec: EventCodec): Audience {
  const { chance } = world
  const acknowledged = new Set<string>()
  const earlier: NewRecord[] = []
  let posts = 0
  let posted = 0

  function record(): NewRecord {
    const again = chance.happens(0.1) ? chance.of(earlier.length > 0 ? earlier : [undefined]) : undefined
    if (again !== undefined) return again
    const key = `profile-${chance.below(PROFILES)}`
    const made: NewRecord = { topic: 'playback-events', key, value: value(key), timestampMs: world.nowMs }
    earlier.push(made)
    return made
  }

  function value(profileId: string): Buffer {
    if (chance.happens(0.03)) return Buffer.from(Array.from({ length: chance.between(0, 20) }, () => chance.below(256)))
    if (chance.happens(0.02)) return codec.encode(erased(profileId, uuid(chance), world.nowMs))
    const positionMs = chance.happens(0.03) ? POISON_MS : chance.below(600_000)
    const event: EventOf<'Heartbeat'> = heartbeat({ profileId, positionMs, atMs: world.nowMs, eventId: uuid(chance) })
    return codec.encode(event)
  }

  return {
    next() {
      if (posts >= POSTS) return []
      posts++
      const records = Array.from({ length: chance.between(1, 8) }, record)
      posted += records.length
      return records
    },
    acknowledged(made) {
      acknowledged.add(Buffer.from(made.value).toString('hex'))
      posted--
    },
    acknowledgedValues: () => [...acknowledged],
    done: () => posts >= POSTS && posted === 0,
  }
}

function uuid(chance: { below(n: number): number }): string {
  const hex = Array.from({ length: 32 }, () => chance.below(16).toString(16)).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
}
