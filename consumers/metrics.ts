/** What the consumers role tells Prometheus, read from the workers when it asks. */
import { Gauge, type Registry } from 'prom-client'
import type { WorkerStatus } from './worker.ts'

const PLACE = ['projection', 'topic', 'partition'] as const

/** read − (folded + duplicates + parked + undecryptable + in flight): anything but 0 is a fault of ours. */
export function conservationGap({ record, read, inFlight }: WorkerStatus): bigint {
  if (record === undefined) return 0n
  const { folded, duplicates, parked, undecryptable } = record.tally
  return read - (folded + duplicates + parked + undecryptable + inFlight)
}

interface Reading {
  readonly name: string
  readonly help: string
  read(status: WorkerStatus): number
}

const READINGS: readonly Reading[] = [
  { name: 'playhead_checkpoint', help: 'Next position to fold', read: (s) => Number(s.checkpoint) },
  {
    name: 'playhead_lag_records',
    help: 'Positions between the checkpoint and the durable end',
    read: (s) => Number(s.lag),
  },
  { name: 'playhead_in_flight_records', help: 'Records read and not yet committed', read: (s) => Number(s.inFlight) },
  {
    name: 'playhead_stalled',
    help: '1: needs an operator or a restart',
    read: (s) => (s.stalled === undefined ? 0 : 1),
  },
  { name: 'playhead_store_retries', help: 'Calls repeated since the worker began', read: (s) => s.retries },
  {
    name: 'playhead_audit_mismatch',
    help: '1: the rows in ClickHouse are not what was committed',
    read: (s) => (s.finding === undefined ? 0 : 1),
  },
  {
    name: 'playhead_conservation_gap_records',
    help: 'read - (folded + duplicates + parked + undecryptable + in flight); must be 0',
    read: (s) => Number(conservationGap(s)),
  },
]

export function registerErasureMetric(registry: Registry, pending: () => number): void {
  new Gauge({
    name: 'playhead_erasures_pending',
    help: 'Erased profiles whose keys wait until every projection has passed the erasure',
    registers: [registry],
    collect() {
      this.set(pending())
    },
  })
}

export function registerConsumerMetrics(registry: Registry, statuses: () => readonly WorkerStatus[]): void {
  for (const { name, help, read } of READINGS) {
    new Gauge({
      name,
      help,
      labelNames: PLACE,
      registers: [registry],
      collect() {
        this.reset()
        for (const status of statuses()) this.set(labels(status), read(status))
      },
    })
  }
  new Gauge({
    name: 'playhead_records_total',
    help: 'Records by what became of them, since the generation began; fate="read" is counted apart from the others',
    labelNames: [...PLACE, 'fate'],
    registers: [registry],
    collect() {
      this.reset()
      for (const status of statuses()) {
        const { folded, duplicates, parked, undecryptable } = status.record?.tally ?? {}
        const counts = { read: status.read, folded, duplicates, parked, undecryptable }
        for (const [fate, n] of Object.entries(counts)) this.set({ ...labels(status), fate }, Number(n ?? 0n))
      }
    },
  })
}

function labels({ generation, topic, partition }: WorkerStatus) {
  return { projection: generation, topic, partition: String(partition) }
}
