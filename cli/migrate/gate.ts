/**
 * A log as writers have it: what is appended counts only if the log took appends until it was durable.
 *
 * A look at the log's own word (moves.ts) is good for a *lease*. An append is acknowledged if a look that is no older
 * than the lease, when the record is durable already, found the log open. So whoever seals a log and waits for longer than
 * the lease finds every acknowledged record below the log's end, also of a process that was stopped in between. A
 * look costs a read for each lease in which something is appended, and nothing while nothing is.
 *
 * What can fail: the look, as any read; the append is then refused (not begun) or ambiguous (begun), as the log's own.
 */
import { boundTo } from '../../log/bound.ts'
import { LogUnavailable } from '../../log/errors.ts'
import type { EventLog, NewRecord, Placed } from '../../log/log.ts'
import { MIGRATE_LIMITS } from './limits.ts'
import { type LogState, say, stateOf } from './moves.ts'

/** Both: a clock that is set goes wrong, and one that is steady may stand still while the machine sleeps. */
export interface GateClock {
  wallMs(): number
  steadyMs(): number
}

const CLOCK: GateClock = { wallMs: Date.now, steadyMs: () => performance.now() }

export function guarded(log: EventLog, clock: GateClock = CLOCK): EventLog {
  const gate = new Gate(log, clock)
  return { ...boundTo(log), append: (records) => gate.append(records) }
}

class Gate {
  readonly #log: EventLog
  readonly #clock: GateClock
  /** When the last look that found it open began. */
  #openAt: { readonly wallMs: number; readonly steadyMs: number } | undefined
  #looking: Promise<LogState> | undefined

  constructor(log: EventLog, clock: GateClock) {
    this.#log = log
    this.#clock = clock
  }

  append(records: readonly NewRecord[]): Promise<readonly Placed[]> {
    // Without a pause where it is known: appends of one turn are one commit.
    if (this.#isOpen()) return this.#append(records)
    return this.#mustBeOpen().then(() => this.#append(records))
  }

  async #append(records: readonly NewRecord[]): Promise<readonly Placed[]> {
    const placed = await this.#log.append(records)
    if (!this.#isOpen()) await this.#mustBeOpen()
    return placed
  }

  #isOpen(): boolean {
    if (this.#openAt === undefined) return false
    const { wallMs, steadyMs } = this.#openAt
    const ageMs = this.#clock.wallMs() - wallMs
    const { leaseMs } = MIGRATE_LIMITS
    return ageMs >= 0 && ageMs < leaseMs && this.#clock.steadyMs() - steadyMs < leaseMs
  }

  async #mustBeOpen(): Promise<void> {
    for (let look = 0; look < MIGRATE_LIMITS.looksMax; look++) {
      const state = await this.#look()
      if (this.#isOpen()) return
      if (state.is !== 'open') throw refusal(state)
    }
    throw new LogUnavailable('the log answers too slowly to say whether it takes appends')
  }

  #look(): Promise<LogState> {
    this.#looking ??= this.#ask().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #ask(): Promise<LogState> {
    const at = { wallMs: this.#clock.wallMs(), steadyMs: this.#clock.steadyMs() }
    const state = await stateOf(this.#log)
    if (state.is === 'open') this.#openAt = at
    if (state.is !== 'sealed' || this.#clock.wallMs() < state.untilMs) return state
    // Whoever sealed it has died, or is too late: the first of both to be in the log wins.
    return await say(this.#log, { kind: 'open', id: state.id, place: '', untilMs: 0 }, this.#clock.wallMs())
  }
}

/** As unavailable, whether it was begun or not: callers come again, and find it open or go where it lives now. */
function refusal(state: Exclude<LogState, { is: 'open' }>): Error {
  const words = {
    filling: `this log is not open yet: \`playhead migrate\` fills it from ${state.place}`,
    sealed: `writes are paused: \`playhead migrate\` takes this log to ${state.place}`,
    moved: `this log has moved to ${state.place}, and takes nothing any more: start Playhead with the settings of the new one`,
  }[state.is]
  return new LogUnavailable(words)
}
