/**
 * The rules that ship: the targets a streaming service is held to. A file of the operator's replaces or joins them.
 * (Errors and slowness of the API itself are rules of Prometheus: deploy/prometheus/rules.yml.)
 */
import type { Rule } from './rule.ts'

const common = { definition: 'cta-2066', filter: [], by: null, beforeMinutes: null, minViews: 50 } as const

export const SHIPPED_RULES: readonly Rule[] = [
  {
    ...{ ...common, name: 'start-success', severity: 'critical', metric: 'start_success_percent' },
    ...{ direction: 'below', threshold: 95, resolveThreshold: 96 },
    ...{ windowMinutes: 1, forMinutes: 5, resolveMinutes: 5 },
    summary: 'Fewer than 95 % of the views that were asked for began to play',
  },
  {
    ...{ ...common, name: 'playback-failures', severity: 'critical', metric: 'playback_failure_percent' },
    ...{ direction: 'above', threshold: 5, resolveThreshold: 4 },
    ...{ windowMinutes: 5, forMinutes: 5, resolveMinutes: 5 },
    summary: 'More than 5 % of the views broke off with an error',
  },
  {
    ...{ ...common, name: 'rebuffering', severity: 'warning', metric: 'minute_rebuffer_percent' },
    ...{ direction: 'above', threshold: 0.5, resolveThreshold: 0.4 },
    ...{ windowMinutes: 5, forMinutes: 10, resolveMinutes: 10 },
    summary: 'Viewers spend more than 0.5 % of the time they watch waiting for the player',
  },
  {
    ...{ ...common, name: 'video-start', severity: 'warning', metric: 'startup_p99_ms' },
    ...{ direction: 'above', threshold: 2_000, resolveThreshold: 1_900 },
    ...{ windowMinutes: 5, forMinutes: 10, resolveMinutes: 10, minViews: 100 },
    summary: 'The slowest of a hundred starts takes longer than 2 s',
  },
  {
    ...{ ...common, name: 'cdn-hits', severity: 'critical', metric: 'cdn_hit_percent', by: 'cdn' },
    ...{ direction: 'below', threshold: 80, resolveThreshold: 82 },
    ...{ windowMinutes: 5, forMinutes: 5, resolveMinutes: 5, minViews: 1_000 },
    summary: 'A CDN answers fewer than 80 % of the requests from its cache',
  },
  {
    ...{ ...common, name: 'traffic', severity: 'warning', metric: 'starts' },
    ...{ direction: 'above', threshold: 2, resolveThreshold: 1.8, beforeMinutes: 1_440 },
    ...{ windowMinutes: 10, forMinutes: 5, resolveMinutes: 10, minViews: 200 },
    summary: 'More than twice as many plays begin as at this time yesterday',
  },
]
