/** Which engines a child of a test opens, and whether and where it dies. */
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { openKafkaLog } from '../../log/kafka/index.ts'
import type { EventLog } from '../../log/log.ts'
import { createCodec, type EventCodec } from '../../schemas/index.ts'
import { openCassandraState } from '../../stores/cassandra/index.ts'
import { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import { openEmbeddedState } from '../../stores/embedded/index.ts'
import type { StateStore } from '../../stores/state.ts'

export interface ChildOrders {
  readonly log: { readonly dir: string } | { readonly brokers: readonly string[]; readonly sessionTimeoutMs: number }
  readonly state: { readonly dir: string } | { readonly host: string; readonly port: number; readonly keyspace: string }
  readonly analytics: { readonly url: string; readonly username: string; readonly password: string }
  readonly dieAt?: string
  readonly times?: number
  /** A pause at every failpoint, instead of a death. */
  readonly slowMs?: number
}

export interface ChildEngines {
  readonly log: EventLog
  readonly state: StateStore
  readonly clickhouse: ClickHouse
  readonly codec: EventCodec
}

export async function openEngines({ log, state, analytics }: ChildOrders): Promise<ChildEngines> {
  return {
    log: 'dir' in log ? await openEmbeddedLog({ dir: log.dir }) : await openKafkaLog(log),
    state:
      'dir' in state
        ? await openEmbeddedState({ dir: state.dir, clock: Date.now })
        : await openCassandraState({
            contactPoints: [state.host],
            port: state.port,
            keyspace: state.keyspace,
            clock: Date.now,
          }),
    clickhouse: new ClickHouse({ ...analytics, database: 'playhead' }),
    codec: await createCodec({}),
  }
}
