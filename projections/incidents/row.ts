/** An incident, as projections/incidents folds it. */
export interface IncidentRow {
  readonly incidentId: string
  /** Rule and value: one subject has at most one open incident. */
  readonly subject: string
  readonly rule: string
  readonly severity: string
  readonly summary: string
  readonly dimensions: Readonly<Record<string, string>>
  readonly observed: number | null
  readonly threshold: number | null
  /** First minute of the breach; the moment at which it had lasted long enough. */
  readonly sinceMs: number
  readonly openedMs: number
  readonly openedBy: string
  readonly resolved: Resolution | null
  readonly version: bigint
}

export interface Resolution {
  readonly atMs: number
  readonly eventId: string
  readonly observed: number | null
  readonly reason: string | null
  /** Who asked, if it was not the rule itself. */
  readonly by: string | null
}
