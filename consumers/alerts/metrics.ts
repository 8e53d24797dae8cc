/** What the alerts tell Prometheus. Labels are rules, severities and endpoints, as configured: few. */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { AlertsStatus } from './index.ts'
import { type AlertCounts, type AlertPorts, OUTCOMES } from './ports.ts'

export function registerAlertMetrics(
  registry: Registry,
  { rules, endpoints }: Pick<AlertPorts, 'rules' | 'endpoints'>,
  status: () => AlertsStatus,
  nowMs: () => number,
): AlertCounts {
  const registers = [registry]
  new Gauge({
    name: 'playhead_incidents_open',
    help: 'Incidents that are open, by rule; told by the process that evaluates',
    labelNames: ['rule', 'severity'],
    registers,
    collect() {
      this.reset()
      for (const labels of status().open) this.inc(labels)
    },
  })
  new Gauge({
    name: 'playhead_alerts_behind_seconds',
    help: 'Age of the last minute that was judged, by source; two to three minutes are usual',
    labelNames: ['source'],
    registers,
    collect() {
      this.reset()
      for (const [source, ms] of Object.entries(status().judgedThroughMs)) this.set({ source }, (nowMs() - ms) / 1_000)
    },
  })
  new Gauge({
    name: 'playhead_webhook_waiting_seconds',
    help: 'How long the oldest event waits for an endpoint to take it; 0: none waits',
    labelNames: ['endpoint'],
    registers,
    collect() {
      this.reset()
      for (const { endpoint, waitingSinceMs } of status().webhooks) {
        this.set({ endpoint }, waitingSinceMs === undefined ? 0 : (nowMs() - waitingSinceMs) / 1_000)
      }
    },
  })
  const failures = new Counter({
    name: 'playhead_alert_rule_failures_total',
    help: 'Times that a rule could not be judged',
    labelNames: ['rule'],
    registers,
  })
  const deliveries = new Counter({
    name: 'playhead_webhook_deliveries_total',
    help: 'Deliveries by outcome: delivered, failed (sent again), given-up',
    labelNames: ['endpoint', 'outcome'],
    registers,
  })
  // From the beginning, or the first of its kind would be no increase to Prometheus and no alarm.
  for (const { name } of rules) failures.inc({ rule: name }, 0)
  for (const { name } of endpoints) for (const outcome of OUTCOMES) deliveries.inc({ endpoint: name, outcome }, 0)
  return {
    ruleFailed: (rule) => failures.inc({ rule }),
    delivery: (endpoint, outcome) => deliveries.inc({ endpoint, outcome }),
  }
}

export const NO_COUNTS: AlertCounts = { ruleFailed: () => undefined, delivery: () => undefined }
