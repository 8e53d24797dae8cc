/** What the page reads of the API's answers. /openapi.json says the whole. */

export interface Recently {
  readonly lastSecond: number
  readonly lastMinute: number
}

export interface LiveValue {
  readonly value: string
  readonly concurrent: number
  readonly stalled: number
  readonly starts: number
  readonly failures: number
}

export interface LiveFrame {
  readonly at: string
  readonly concurrent: number
  readonly starting: number
  readonly playing: number
  readonly seeking: number
  readonly stalled: number
  readonly failed: number
  readonly unknown: number
  readonly paused: number
  readonly starts: Recently
  readonly failures: Recently
  readonly by: Readonly<Record<'country' | 'region' | 'title' | 'cdn', readonly LiveValue[]>>
  readonly freshness: { readonly stale: boolean; readonly lag: number }
}

export interface Sample {
  readonly views: number
  readonly startups: number
  readonly reports?: number
  readonly lostReports?: number
}

export interface Freshness {
  readonly lag: number | null
  readonly asOf: string
}

export type Numbers = Readonly<Record<string, number | null | undefined>>

export interface Overview {
  readonly values: Numbers
  readonly sample: Sample
  readonly freshness: Freshness
}

export interface SeriesPoint {
  readonly at: string
  readonly sample: Sample
  readonly [metric: string]: unknown
}

export interface Timeseries {
  readonly grain: 'minute' | 'hour' | 'day'
  readonly points: readonly SeriesPoint[]
}

export interface BreakdownRow {
  readonly value: string
  readonly name?: string | null
  readonly sample: Sample
  readonly [metric: string]: unknown
}

export interface Breakdown {
  readonly rows: readonly BreakdownRow[]
  readonly more: boolean
}

export interface Distribution {
  readonly bins: readonly { readonly fromMs: number; readonly toMs: number; readonly views: number }[]
  readonly percentiles: Readonly<Record<'p50' | 'p75' | 'p90' | 'p95' | 'p99', number | null>>
  readonly sample: Sample
}

export interface ListedView {
  readonly view_id: string
  readonly session_id: string
  readonly profile_id: string
  readonly title_id: string
  readonly started_at: string
  readonly last_received_at: string
  readonly country: string
  readonly cdn: string
  readonly device_type: string
  readonly player: string
  readonly state: string
  readonly startup_ms: number | null
  readonly watched_ms: number
  readonly stalled_ms: number
  readonly stalls: number
  readonly failures: number
  readonly error_code: string
  readonly score: number | null
}

export interface ViewsPage {
  readonly views: readonly ListedView[]
  readonly next: string | null
}

export interface Stretch {
  readonly from: string
  readonly to: string
  readonly state: string
  /** Id of the event that began it. */
  readonly cause: string
}

export interface StoryEvent {
  readonly at: string
  readonly occurredAt: string
  readonly receivedAt: string
  readonly fate: string
  readonly type: string
  readonly eventId: string
  readonly titleId: string
  readonly profileId: string
  readonly fields: Readonly<Record<string, unknown>>
}

export interface ViewStory {
  readonly viewId: string
  readonly state: string
  readonly row: Readonly<Record<string, unknown>>
  readonly explanation: {
    readonly timeline: readonly Stretch[]
    readonly notes: readonly string[]
    readonly differences: readonly { readonly column: string; readonly stored: unknown; readonly explained: unknown }[]
    readonly behind: 'row' | 'events' | null
  } | null
}

export interface Story {
  readonly sessionId: string
  readonly views: readonly ViewStory[]
  readonly events: readonly StoryEvent[]
  readonly more: { readonly events: boolean }
  readonly freshness: Freshness
}

export interface Incident {
  readonly incidentId: string
  readonly severity: string
  readonly summary: string
  readonly dimensions: Readonly<Record<string, string>>
  readonly openedAt: number
}

export interface Incidents {
  readonly incidents: readonly Incident[]
  readonly more: boolean
}
