/**
 * How far a deduplication token can be trusted. ClickHouse remembers the tokens of so many blocks; how many went in since a
 * batch was begun is counted before every repeat of its inserts. A token that may be forgotten is not relied on: the
 * partition stalls, and a repair looks for the rows themselves, table by table.
 */
import type { Landing } from '../projections/projection.ts'
import type { AnalyticsStore } from '../stores/analytics.ts'
import { STORE_LIMITS } from '../stores/limits.ts'
import { type CommitKey, type Intent, ownerName } from '../stores/state.ts'
import { Stalled } from './errors.ts'
import { CONSUMER_LIMITS } from './limits.ts'
import type { LandingBody } from './rows.ts'

export interface TokenPorts {
  readonly analytics: AnalyticsStore
  readonly database: string
  readonly nowMs: () => number
  /** Repeats a call until the store answers. */
  until<T>(what: string, attempt: () => Promise<T>): Promise<T>
}

/** What to do with a batch whose token may be forgotten: stop, or (an operator's repair) look for its rows. */
export type OnForgottenToken = 'stall' | 'look-for-rows'

export class TokenWindow {
  readonly #key: CommitKey
  readonly #landings: readonly Landing[]
  readonly #ports: TokenPorts
  #seen = { blocks: 0n, atMs: Number.NEGATIVE_INFINITY }

  constructor(key: CommitKey, landings: readonly Landing[], ports: TokenPorts) {
    this.#key = key
    this.#landings = landings
    this.#ports = ports
  }

  /** For an intent: as last counted, and not long ago. Too small a number only makes the window look shorter. */
  async blocks(): Promise<bigint> {
    const nowMs = this.#ports.nowMs()
    if (nowMs - this.#seen.atMs >= CONSUMER_LIMITS.blocksRefreshMs) {
      this.#seen = { blocks: await this.#count(), atMs: nowMs }
    }
    return this.#seen.blocks
  }

  async forgotten(intent: Intent): Promise<boolean> {
    const window = BigInt(STORE_LIMITS.tokenWindowBlocks) - CONSUMER_LIMITS.tokenMarginBlocks
    return (await this.#count()) - intent.blocks >= window
  }

  /** What a redo inserts: all of it while the token is surely remembered, else (in a repair) what does not stand. */
  async missing(
    bodies: readonly LandingBody[],
    intent: Intent,
    onForgotten: OnForgottenToken,
  ): Promise<readonly LandingBody[]> {
    if (bodies.length === 0 || !(await this.forgotten(intent))) return bodies
    if (onForgotten === 'stall') throw this.stall(intent)
    const { analytics, database, until } = this.#ports
    const missing: LandingBody[] = []
    for (const body of bodies) {
      const target = `${database}.${body.landing.target}`
      if (body.standing === 0) throw this.#undecidable(target, intent)
      const { rows } = await until('audit', () => analytics.audit(target, this.#key, intent.from, intent.to))
      if (rows === 0n) missing.push(body)
    }
    return missing
  }

  stall({ from, to }: Intent): Stalled {
    return new Stalled(
      'TOKEN_FORGOTTEN',
      `${ownerName(this.#key)}: the batch ${from}-${to} was begun so many blocks ago that its deduplication token may be ` +
        'forgotten; its rows are not inserted again blindly',
      'run `playhead repair`: it looks for the rows of this batch and inserts them only if they are not there',
    )
  }

  #undecidable(target: string, { from, to }: Intent): Stalled {
    return new Stalled(
      'TOKEN_FORGOTTEN',
      `${ownerName(this.#key)}: the batch ${from}-${to} only takes rows of ${target} back, so they can't be looked for`,
      'rebuild the projection into a new generation',
    )
  }

  /** Blocks of all targets together: the sum moves at least as far as each of them does. */
  async #count(): Promise<bigint> {
    const { analytics, database, until } = this.#ports
    let sum = 0n
    for (const { target } of this.#landings) {
      sum += await until('blocks', () => analytics.blocks(`${database}.${target}`))
    }
    return sum
  }
}
