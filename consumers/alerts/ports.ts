/** What the alerts are given: the log, the stores, the world. cli/ puts it together; tests hand in their own. */
import type { EventLog } from '../../log/log.ts'
import type { Arrival } from '../../producers/stamp.ts'
import type { Rule } from '../../projections/incidents/rule.ts'
import type { EventCodec } from '../../schemas/index.ts'
import type { StateStore, StateTable } from '../../stores/state.ts'
import type { World } from '../retry.ts'
import type { WorkerLogger } from '../worker.ts'
import type { Endpoint } from './endpoints.ts'
import type { RollUpPorts } from './roll-ups.ts'

/** The projections whose tables rules are judged by, and the ids of the generations that are read. */
export interface JudgedGenerations {
  readonly views: string
  /** Without it, rules on CDN requests are not judged. */
  readonly cdn_requests?: string
}

/** What is read, at one moment: another generation may be promoted at any time. */
export interface Judged extends Pick<RollUpPorts, 'views' | 'requests'> {
  readonly generations: JudgedGenerations
  /** States of the projection `incidents`, and the id of their generation. */
  readonly incidents: { readonly table: StateTable; readonly generation: string }
}

/** What is of `Judged` may be another from one moment to the next: whoever reads more than once for one answer pins it. */
export interface AlertPorts extends RollUpPorts, Judged {
  readonly log: EventLog
  readonly state: StateStore
  readonly codec: EventCodec
  readonly world: World
  readonly logger: WorkerLogger
  readonly rules: readonly Rule[]
  readonly endpoints: readonly Endpoint[]
  readonly origin: Pick<Arrival, 'appId' | 'environment'>
  readonly counts: AlertCounts
}

export const OUTCOMES = ['delivered', 'failed', 'given-up'] as const

/** What is counted as it happens; metrics.ts shows it. */
export interface AlertCounts {
  ruleFailed(rule: string): void
  delivery(endpoint: string, outcome: (typeof OUTCOMES)[number]): void
}

export const ENGINE_EVENTS = 'engine-events'
