/** The truth of a run as data: for a file, for other programs, to look at beside a dashboard. */
import { type AudienceOptions, DIMENSIONS, metricsOf, type Sums, type Truth } from '../../simulator/index.ts'

export interface Summary {
  readonly version: 1
  /** What to call to get the same audience. */
  readonly audience: AudienceOptions
  readonly window: { readonly from: string; readonly to: string } | null
  readonly uniqueViewers: number
  readonly all: Numbers
  readonly by: Readonly<Record<string, readonly (Numbers & { readonly value: string })[]>>
  /** Of each minute: how many watched or waited. */
  readonly concurrents: readonly { readonly at: string; readonly concurrent: number }[]
}

interface Numbers {
  /** By the names of /v1/qoe/metrics. */
  readonly metrics: Readonly<Record<string, number | null>>
  readonly sums: Readonly<Record<string, number>>
}

export function summaryOf(audience: AudienceOptions, truth: Truth): Summary {
  const window = truth.window()
  return {
    version: 1,
    audience,
    window: window === undefined ? null : { from: iso(window.fromMs), to: iso(window.toMs) },
    uniqueViewers: truth.uniqueViewers(),
    all: numbersOf(truth.total()),
    by: Object.fromEntries(
      DIMENSIONS.map((name) => [
        name,
        [...truth.by(name)]
          .map(([value, sums]) => ({ value, ...numbersOf(sums) }))
          .sort((a, b) => b.sums.views! - a.sums.views! || (a.value < b.value ? -1 : 1)),
      ]),
    ),
    concurrents: truth.concurrents().map(({ minuteMs, concurrent }) => ({ at: iso(minuteMs), concurrent })),
  }
}

function numbersOf(sums: Sums): Numbers {
  const { startups, ...numbers } = sums
  const metrics = Object.entries(metricsOf(sums)).filter(([name]) => startups.size > 0 || !name.startsWith('startup_p'))
  return { metrics: Object.fromEntries(metrics), sums: numbers }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
