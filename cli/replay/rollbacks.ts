/**
 * The way back, asked through the API: nobody stays to watch, so this process does. Each is *followed* (resumed, folding
 * what it missed) → promoted and over; or given up: it was paused or dropped meanwhile, the time is up, the process
 * ends. Given up it has changed nothing that is read, and may be asked for again.
 */
import { realWorld } from '../../consumers/retry.ts'
import { type Asking, promote, readBefore, standingFor } from './acts.ts'
import { REPLAY_LIMITS } from './limits.ts'
import type { ReplayPorts } from './open.ts'

export interface RollbackLogger {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export class Rollbacks {
  readonly #replay: ReplayPorts
  readonly #logger: RollbackLogger
  readonly #nowMs: () => number
  readonly #closing = new AbortController()
  /** By projection. */
  readonly #followed = new Map<string, Promise<void>>()

  constructor(replay: ReplayPorts, logger: RollbackLogger, nowMs: () => number) {
    this.#replay = replay
    this.#logger = logger
    this.#nowMs = nowMs
  }

  async begin(projection: string, who: Asking): Promise<{ readonly id: string; readonly before: string }> {
    const { operator } = this.#replay
    const shown = await readBefore(this.#replay, projection)
    const { read } = await operator.plan(projection)
    if (!this.#followed.has(projection)) {
      await operator.act(shown, 'resume', who)
      const following = this.#follow(shown.id, who).finally(() => this.#followed.delete(projection))
      this.#followed.set(projection, following)
    }
    return { id: shown.id, before: read.id }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#followed.values())
  }

  async #follow(id: string, who: Asking): Promise<void> {
    const { signal } = this.#closing
    const untilMs = this.#nowMs() + REPLAY_LIMITS.rollbackMs
    while (!signal.aborted && this.#nowMs() < untilMs) {
      try {
        const ended = await this.#look(id, who)
        if (ended !== undefined) return this.#logger.info({ generation: id, ended }, 'the way back is over')
      } catch (error) {
        this.#logger.warn({ err: error, generation: id }, 'the way back: tried again')
      }
      await realWorld.sleep(REPLAY_LIMITS.lookEveryMs, signal)
    }
    this.#logger.warn({ generation: id }, 'the way back was given up: ask for it again')
  }

  /** Undefined: it goes on. */
  async #look(id: string, who: Asking): Promise<string | undefined> {
    const shown = await this.#replay.operator.find(id)
    if (shown.state === 'read') return 'it is read'
    if (shown.state === 'paused' || shown.state === 'dropped') return `it was ${shown.state}`
    if (shown.state !== 'building') return undefined
    const standing = await standingFor(this.#replay, shown)
    if (standing === undefined || standing.lag > REPLAY_LIMITS.rollbackLagMax) return undefined
    await promote(this.#replay, shown, who)
    return 'it is promoted'
  }
}
