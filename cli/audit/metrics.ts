/** What the audit tells Prometheus. */
import { Counter, Gauge, type Registry } from 'prom-client'

export interface AuditCounts {
  looked(projection: string): void
  differences(projection: string, many: number): void
  skipped(projection: string): void
}

/** `sinceMs`: of the last look at all keys, or of the start where there was none yet. */
export function registerAuditMetrics(
  registry: Registry,
  projections: readonly string[],
  sinceMs: () => ReadonlyMap<string, number>,
  nowMs: () => number,
): AuditCounts {
  const counter = (what: { readonly name: string; readonly help: string }) => {
    const made = new Counter({ ...what, labelNames: ['projection'], registers: [registry] })
    // From the beginning, or the first of its kind would be no increase to Prometheus and no alarm.
    for (const projection of projections) made.inc({ projection }, 0)
    return made
  }
  const keys = counter({
    name: 'playhead_verify_keys_total',
    help: 'Keys of the log that were folded afresh and compared with the tables',
  })
  const differences = counter({
    name: 'playhead_verify_differences_total',
    help: 'Rows that were not what the log says; counted again at every look while that lasts',
  })
  const skipped = counter({
    name: 'playhead_verify_skipped_total',
    help: 'Keys with too many records to be looked at beside live folds: `playhead verify` looks at them',
  })
  new Gauge({
    name: 'playhead_verify_full_look_seconds',
    help: 'Since the last time that every key was looked at, or since the start; told by the process that looks',
    labelNames: ['projection'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [projection, ms] of sinceMs()) this.set({ projection }, (nowMs() - ms) / 1_000)
    },
  })
  return {
    looked: (projection) => keys.inc({ projection }),
    differences: (projection, many) => differences.inc({ projection }, many),
    skipped: (projection) => skipped.inc({ projection }),
  }
}
