/**
 * When an incident opens and when it is over: a pure state machine over minutes, for one rule and one value.
 *
 * States: *ok* → *pending* (breaches, not yet for long enough) → *open* → *resolving* (fine, not yet for long enough)
 * → ok. A run of breaches or of fine minutes is unbroken: a minute that says nothing (*unknown*) or that lies between
 * the two thresholds ends it. So what is not known never opens an incident and never resolves one, but for one thing:
 * an open incident of which nothing is heard for hours is over.
 *
 * Nothing is remembered between calls. The state at a minute follows from whether an incident is open (the log knows)
 * and from as many minutes before as the longest run needs: whoever takes over, or starts again, decides alike.
 */
import { INCIDENT_LIMITS } from './limits.ts'
import { judge, type Rule, type Verdict } from './rule.ts'

const MINUTE_MS = 60_000

export interface Sample {
  readonly minuteMs: number
  /** Undefined: too little to say anything. */
  readonly observed: number | undefined
}

/** `atMs`: the end of the minute that decided. */
export type Transition =
  | { readonly kind: 'open'; readonly sinceMs: number; readonly atMs: number; readonly observed: number }
  | {
      readonly kind: 'resolve'
      readonly atMs: number
      readonly observed: number | null
      readonly reason: ResolveReason
    }

export type ResolveReason = 'recovered' | 'no data'

/** What the log says of this rule and value. */
export interface Standing {
  readonly open: boolean
  /** When it last opened or resolved; minutes that ended by then are decided. */
  readonly changedMs: number
}

type State = 'ok' | 'pending' | 'open' | 'resolving'

/** `pending` and `resolving` become the next state when their run is long enough. */
const NEXT: Readonly<Record<State, Readonly<Record<Verdict, State>>>> = {
  ok: { breach: 'pending', between: 'ok', fine: 'ok', unknown: 'ok' },
  pending: { breach: 'pending', between: 'ok', fine: 'ok', unknown: 'ok' },
  open: { breach: 'open', between: 'open', fine: 'resolving', unknown: 'open' },
  resolving: { breach: 'open', between: 'open', fine: 'resolving', unknown: 'open' },
}

/** How many minutes before the first undecided one have to be known. */
export function contextMinutes(rule: Rule, open: boolean): number {
  return open ? Math.max(rule.resolveMinutes, INCIDENT_LIMITS.silentMinutes) : rule.forMinutes
}

/**
 * What happens in the minutes after `decidedMs` (the start of the last minute that was decided). `samples` are in order
 * and without gaps; those up to `decidedMs` are there for the runs that reach into them.
 */
export function evaluate(
  rule: Rule,
  standing: Standing,
  decidedMs: number,
  samples: readonly Sample[],
): readonly Transition[] {
  const machine = new Machine(rule, standing.open)
  const transitions: Transition[] = []
  for (const sample of samples) {
    if (sample.minuteMs + MINUTE_MS <= standing.changedMs) continue
    machine.step(sample)
    if (sample.minuteMs <= decidedMs) continue
    const transition = machine.promote(sample)
    if (transition !== undefined) transitions.push(transition)
  }
  return transitions
}

class Machine {
  readonly #rule: Rule
  #state: State
  #run = 0
  #runSinceMs = 0
  #silent = 0

  constructor(rule: Rule, open: boolean) {
    this.#rule = rule
    this.#state = open ? 'open' : 'ok'
  }

  step({ minuteMs, observed }: Sample): void {
    const verdict = judge(this.#rule, observed)
    const next = NEXT[this.#state][verdict]
    if (next !== this.#state) {
      this.#run = 0
      this.#runSinceMs = minuteMs
    }
    this.#run++
    this.#silent = verdict === 'unknown' ? this.#silent + 1 : 0
    this.#state = next
  }

  promote({ minuteMs, observed }: Sample): Transition | undefined {
    const atMs = minuteMs + MINUTE_MS
    const { forMinutes, resolveMinutes } = this.#rule
    if (this.#state === 'pending' && this.#run >= forMinutes) {
      const sinceMs = this.#runSinceMs
      this.#become('open')
      return { kind: 'open', sinceMs, atMs, observed: observed as number }
    }
    if (this.#state === 'resolving' && this.#run >= resolveMinutes) {
      this.#become('ok')
      return { kind: 'resolve', atMs, observed: observed as number, reason: 'recovered' }
    }
    if (this.#state === 'open' && this.#silent >= INCIDENT_LIMITS.silentMinutes) {
      this.#become('ok')
      return { kind: 'resolve', atMs, observed: null, reason: 'no data' }
    }
    return undefined
  }

  #become(state: State): void {
    this.#state = state
    this.#run = 0
    this.#silent = 0
  }
}
