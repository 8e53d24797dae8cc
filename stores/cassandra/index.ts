/** The state store of a cluster: tables and commit records in one Cassandra keyspace. */
import { checkSpec, checkTableName } from '../spec.ts'
import type { StateStore } from '../state.ts'
import { cassandraCommits } from './commits.ts'
import { CASSANDRA_LIMITS } from './limits.ts'
import { dropTable, onTable, prepareKeyspace, prepareTable, type Replication } from './schema.ts'
import { type CassandraPlace, openSession } from './session.ts'
import { cassandraTable } from './table.ts'

export interface CassandraStateOptions extends CassandraPlace {
  /** Of the keyspace, if it is not there yet. Without it: on every node, up to three of each data centre. */
  readonly replication?: Replication
  readonly timeouts?: CassandraPlace['timeouts'] & { readonly swapMs?: number }
  /** Milliseconds since 1970; decides which rows are expired. */
  readonly clock: () => number
}

export async function openCassandraState(options: CassandraStateOptions): Promise<StateStore> {
  const session = await openSession(options)
  try {
    await prepareKeyspace(session, options.replication)
  } catch (error) {
    await session.close()
    throw error
  }
  return {
    engine: 'cassandra',
    commits: cassandraCommits(session, options.timeouts?.swapMs ?? CASSANDRA_LIMITS.swapTimeoutMs),
    async table(spec) {
      checkSpec(spec)
      await prepareTable(session, spec)
      return cassandraTable(onTable(session, spec.name), spec, options.clock)
    },
    async drop(name) {
      checkTableName(name)
      await dropTable(session, name)
    },
    async ping() {
      await session.read('SELECT release_version FROM system.local', [])
    },
    close: () => session.close(),
  }
}
