/**
 * Who sends events in a simulated run: an unclear send is sent again until it is acknowledged, or refused for good. Now and
 * then a profile is erased: its key is retired, what it has under way is waited for, then the event goes in.
 */
import type { EventLog, NewRecord, Placed } from '../../log/log.ts'
import { eraseProfile } from '../../producers/erase.ts'
import { mintEventId } from '../../producers/ids.ts'
import { PRODUCER_LIMITS } from '../../producers/limits.ts'
import { createSealer } from '../../producers/personal.ts'
import type { KeyVault } from '../../stores/vault.ts'
import { untilItPasses } from './again.ts'
import { Audience, type Wish } from './audience.ts'
import { type Engine, randomBy } from './engine.ts'
import { simLog } from './log.ts'
import type { SimProcess } from './process.ts'
import { simVault } from './vault.ts'

/** Short, so that the players send again many times in one run. */
const APPEND_TIMEOUT_MS = 1_000
const RETRY_MS = 300

export class Players {
  /** Hex of what was acknowledged. */
  readonly acknowledged = new Set<string>()
  readonly #engine: Engine
  readonly #process: SimProcess
  readonly #log: EventLog
  readonly #vault: KeyVault
  readonly #audience: Audience
  readonly #told: (wish: Wish, place: Placed) => void
  /** Sends under way, by profile. */
  readonly #sending = new Map<string, Set<Promise<unknown>>>()
  readonly #erasing = new Set<string>()
  #posts: number
  #pending = 0

  constructor(engine: Engine, process: SimProcess, posts: number, told: (wish: Wish, place: Placed) => void) {
    this.#engine = engine
    this.#process = process
    this.#posts = posts
    this.#told = told
    this.#log = simLog(engine.log, process, { appendTimeoutMs: APPEND_TIMEOUT_MS })
    this.#vault = simVault(engine.vault, process)
    const { world, codec } = engine
    const random = randomBy(world)
    // A sealer must not trust a clock that jumps: that it forgets a retired key in time is part of an erasure.
    const sealer = createSealer({ vault: this.#vault, random, nowMs: () => world.nowMs })
    this.#audience = new Audience({ world, codec, sealer, nowMs: process.clock().nowMs })
  }

  done(): boolean {
    return this.#posts === 0 && this.#pending === 0
  }

  start(): void {
    const { world } = this.#engine
    if (this.#posts === 0) return
    this.#posts--
    this.#begun(world.chance.happens(0.03) ? this.#erase() : this.#post())
    world.after(world.chance.between(20, 800), () => this.start())
  }

  #begun(work: Promise<unknown>): void {
    this.#pending++
    const ended = () => this.#pending--
    work.then(ended, (error: unknown) => {
      ended()
      this.#engine.misread.push(`a player failed: ${error}`)
    })
  }

  async #post(): Promise<void> {
    const wishes: Wish[] = []
    for (let n = this.#engine.world.chance.between(1, 8); n > 0; n--) {
      const wish = await this.#again(() => this.#audience.wish())
      if (wish.profileId === undefined || !this.#erasing.has(wish.profileId)) wishes.push(wish)
    }
    if (wishes.length === 0) return
    const sending = this.#send(wishes.map(({ record }) => record)).then((placed) => {
      for (const [i, place] of placed.entries()) this.#told(wishes[i]!, place)
    })
    for (const { profileId } of wishes) if (profileId !== undefined) this.#under(profileId, sending)
    await sending
  }

  #under(profileId: string, sending: Promise<unknown>): void {
    const all = this.#sending.get(profileId) ?? new Set()
    this.#sending.set(profileId, all.add(sending))
    sending.finally(() => all.delete(sending)).catch(() => undefined)
  }

  async #erase(): Promise<void> {
    const { world, codec } = this.#engine
    const profileId = this.#audience.someProfile()
    if (this.#erasing.has(profileId)) return
    this.#erasing.add(profileId)
    await this.#again(() => this.#vault.retire(profileId))
    await this.#process.sleep(PRODUCER_LIMITS.livingKeyMs + 500)
    while ((this.#sending.get(profileId)?.size ?? 0) > 0) await Promise.all(this.#sending.get(profileId)!)
    const { nowMs } = this.#process.clock()
    const arrival = { source: 'simulator', appId: 'sim', environment: 'sim', receivedAtMs: nowMs() } as const
    const ports = { codec, mint: () => mintEventId(nowMs(), randomBy(world)) }
    await this.#send([eraseProfile(ports, arrival, { profileId, reason: null, by: 'sim' }).record])
    world.count('profiles erased')
    this.#erasing.delete(profileId)
  }

  async #send(records: readonly NewRecord[]): Promise<readonly Placed[]> {
    const placed = await this.#again(() => this.#log.append(records))
    for (const { value } of records) this.acknowledged.add(Buffer.from(value).toString('hex'))
    return placed
  }

  #again<T>(attempt: () => Promise<T>): Promise<T> {
    return untilItPasses(attempt, () => {
      this.#engine.world.count('calls of players made again')
      return this.#process.sleep(RETRY_MS)
    })
  }
}
