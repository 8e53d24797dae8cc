/**
 * What a simulated evening's events are: heartbeats, starts and ends of a few profiles, what they say of their progress,
 * titles that come and go; some sent hours late, some by a wrong clock, some twice, some garbage, some poison. All made by
 * the real producers.
 */
import type { NewRecord } from '../../log/log.ts'
import { mintEventId } from '../../producers/ids.ts'
import type { Sealer } from '../../producers/personal.ts'
import { heartbeat, playbackEnded, playbackStarted, type View } from '../../producers/playback.ts'
import { clearProgress, markWatched, reportProgress } from '../../producers/progress.ts'
import { toRecord } from '../../producers/record.ts'
import { type Arrival, type Claim, stampMeta } from '../../producers/stamp.ts'
import { registerTitle } from '../../producers/titles.ts'
import type { EventCodec, Personal } from '../../schemas/index.ts'
import { POISON_MS } from '../consumers/tally.ts'
import { randomBy } from './engine.ts'
import type { SimWorld } from './world.ts'

const PROFILES = 5
const TITLES = 4
const HOUR_MS = 3_600_000

/** A record to send, and whose it is. */
export interface Wish {
  readonly record: NewRecord
  readonly profileId: string | undefined
  /** Of what it is progress: a reader may look for it. */
  readonly progressOf?: { readonly profileId: string; readonly titleId: string }
}

export interface AudiencePorts {
  readonly world: SimWorld
  readonly codec: EventCodec
  readonly sealer: Sealer
  /** Of the server that the events come in at. */
  readonly nowMs: () => number
}

export class Audience {
  readonly #ports: AudiencePorts
  readonly #ids: { readonly codec: EventCodec; readonly mint: () => string }
  /** How wrong each profile's player's clock is. */
  readonly #skewsMs: readonly number[]
  readonly #earlier: Wish[] = []

  constructor(ports: AudiencePorts) {
    this.#ports = ports
    const { world, codec, nowMs } = ports
    const { chance } = world
    this.#ids = { codec, mint: () => mintEventId(nowMs(), randomBy(world)) }
    this.#skewsMs = Array.from({ length: PROFILES }, () => chance.of([0, 0, 40, -40_000, 3 * HOUR_MS]))
  }

  someProfile(): string {
    return `profile-${this.#ports.world.chance.below(PROFILES)}`
  }

  async wish(): Promise<Wish> {
    const { world } = this.#ports
    const { chance } = world
    if (chance.happens(0.1) && this.#earlier.length > 0) {
      world.count('events sent again on purpose')
      return chance.of(this.#earlier)
    }
    const wish = await this.#made(chance.below(100))
    this.#earlier.push(wish)
    return wish
  }

  async #made(what: number): Promise<Wish> {
    if (what < 3) return this.#garbage()
    if (what < 45) return this.#playback(what)
    if (what < 90) return await this.#progress(what)
    return this.#title(what)
  }

  #garbage(): Wish {
    const { world, nowMs } = this.#ports
    const { chance } = world
    const value = Buffer.from(Array.from({ length: chance.between(0, 20) }, () => chance.below(256)))
    world.count('records that are no event')
    const profileId = this.someProfile()
    return { profileId, record: { topic: 'playback-events', key: profileId, value, timestampMs: nowMs() } }
  }

  #playback(what: number): Wish {
    const { world, codec } = this.#ports
    const { chance } = world
    const { arrival, claim, profileId } = this.#said()
    const view: View = { profileId, sessionId: `${profileId}-${chance.below(2)}`, titleId: this.#someTitle() }
    const meta = stampMeta(arrival, claim, this.#ids.mint)
    const positionMs = this.#position()
    const facts = null
    if (what < 8) {
      const report = { positionMs, trigger: null, deviceType: null, player: 'sim', personal: null }
      return { profileId, record: toRecord(codec, playbackStarted(view, meta, report, facts)) }
    }
    if (what < 13) return { profileId, record: toRecord(codec, playbackEnded(view, meta, { positionMs }, facts)) }
    const state = chance.of(['playing', 'playing', 'paused', 'stalled'] as const)
    const report = { positionMs, state, durationMs: 600_000, stallMs: state === 'stalled' ? 800 : 0 }
    return { profileId, record: toRecord(codec, heartbeat(view, meta, report, facts)) }
  }

  async #progress(what: number): Promise<Wish> {
    const { sealer, world } = this.#ports
    const { chance } = world
    const { arrival, claim, profileId } = this.#said()
    const of = { profileId, titleId: this.#someTitle() }
    const [personal = null] = chance.happens(0.3) ? await sealer.seal([{ profileId, personal: device(profileId) }]) : []
    const whose = { ...of, personal, facts: null }
    if (what < 48) {
      return { profileId, progressOf: of, record: clearProgress(this.#ids, arrival, claim, { ...of, personal }).record }
    }
    if (what < 52) {
      const marked = { ...whose, watched: chance.happens(0.5) }
      return { profileId, progressOf: of, record: markWatched(this.#ids, arrival, claim, marked).record }
    }
    const report = { ...whose, positionMs: this.#position(), durationMs: 600_000, sessionId: null, played: [] }
    return { profileId, progressOf: of, record: reportProgress(this.#ids, arrival, claim, report).record }
  }

  #title(what: number): Wish {
    const { world, codec } = this.#ports
    const { chance } = world
    const { arrival, claim } = this.#said()
    const titleId = this.#someTitle()
    if (what < 92) {
      const meta = stampMeta(arrival, claim, this.#ids.mint)
      const event = { type: 'TitleWithdrawn', meta, titleId, reason: null, by: 'sim' } as const
      return { profileId: undefined, record: toRecord(codec, event) }
    }
    const place = { seriesId: `series-${chance.below(2)}`, season: 1, episode: chance.between(1, 3) }
    const fields = { titleId, kind: 'episode', name: `Title\t${chance.below(1000)}`, ...place }
    const made = registerTitle(this.#ids, arrival, claim, fields, 'sim')
    if (!made.ok) throw new Error('a title of the simulation does not fit its schema')
    return { profileId: undefined, record: made.record }
  }

  /** Who says it, and when: by the player's own clock, now or hours ago. */
  #said(): { readonly arrival: Arrival; readonly claim: Claim; readonly profileId: string } {
    const { world, nowMs } = this.#ports
    const { chance } = world
    const profile = chance.below(PROFILES)
    const receivedAtMs = nowMs()
    const skewMs = this.#skewsMs[profile]!
    if (skewMs !== 0) world.count('events by a wrong clock')
    const sentAtMs = receivedAtMs + skewMs
    const lateMs = chance.happens(0.15) ? chance.below(5 * HOUR_MS) : chance.below(5_000)
    if (lateMs > HOUR_MS) world.count('events an hour late or more')
    const arrival = { source: 'simulator', appId: 'sim', environment: 'sim', receivedAtMs, sentAtMs } as const
    return { profileId: `profile-${profile}`, arrival, claim: { occurredAtMs: sentAtMs - lateMs } }
  }

  #position(): number {
    const { world } = this.#ports
    if (world.chance.happens(0.97)) return world.chance.below(600_000)
    world.count('events that a fold refuses')
    return POISON_MS
  }

  #someTitle(): string {
    return `title-${this.#ports.world.chance.below(TITLES)}`
  }
}

function device(profileId: string): Personal {
  const nothing = { accountId: null, userAgent: null, address: null, custom: {}, sealed: null }
  return { ...nothing, deviceId: `tv of ${profileId}` }
}
