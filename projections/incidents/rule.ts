/**
 * A rule, as it is in force: what is watched, what is too much (or too little), and for how long. Rules are data; how
 * they are read and checked is in rules.ts, how they are judged in evaluate.ts.
 */
export interface Rule {
  /** Names its incidents in the log: lower case, digits and dashes. */
  readonly name: string
  readonly severity: RuleSeverity
  readonly metric: string
  readonly definition: string
  /** `dim:value`; several of one dimension are any of them, several dimensions are all of them; `!dim:value` excludes. */
  readonly filter: readonly string[]
  /** A dimension: an incident of its own for each of its largest values. */
  readonly by: string | null
  readonly direction: 'above' | 'below'
  /** In the metric's unit; with `before`, a ratio. */
  readonly threshold: number
  /** What counts as well again: the threshold, or a stricter value, so that a value on the edge does not flap. */
  readonly resolveThreshold: number
  /** Compares with the same window so many minutes before, instead of with a number. */
  readonly beforeMinutes: number | null
  /** Each minute is judged by this many minutes up to it. */
  readonly windowMinutes: number
  readonly forMinutes: number
  readonly resolveMinutes: number
  /** Fewer views (or whatever the metric is a share of) than this in the window say nothing. */
  readonly minViews: number
  readonly summary: string
}

export type RuleSeverity = 'info' | 'warning' | 'critical'

/** What a minute says. *unknown*: too little to say anything; it neither opens nor resolves. */
export type Verdict = 'breach' | 'between' | 'fine' | 'unknown'

export function judge(rule: Rule, observed: number | undefined): Verdict {
  if (observed === undefined || !Number.isFinite(observed)) return 'unknown'
  const sign = rule.direction === 'above' ? 1 : -1
  if (sign * (observed - rule.threshold) > 0) return 'breach'
  return sign * (observed - rule.resolveThreshold) > 0 ? 'between' : 'fine'
}
