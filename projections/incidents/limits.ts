/** Every limit of the incidents and their rules, by name. */
export const INCIDENT_LIMITS = {
  rulesMax: 200,
  ruleNameCharsMax: 64,
  summaryCharsMax: 500,
  filtersMax: 10,
  /** A `by` makes an incident for each value: only of the values that carry the most. */
  valuesMax: 20,
  forMinutesMax: 120,
  resolveMinutesMax: 120,
  windowMinutesMax: 120,
  /** A week: the same window, a week before. */
  beforeMinutesMax: 10_080,
  /** An open incident of which nothing was heard for so long is over: its CDN, app version or audience is gone. */
  silentMinutes: 360,
  /** Text of a row: dimensions are few, and their values short. */
  textCharsMax: 4_096,
} as const
