/** Import, resume, export and erasure on real Kafka and Cassandra, through the roles and the command. */
import { test } from 'node:test'
import { IMPORTED, imported } from '../cli/import-up-suite.ts'
import { cassandra, kafka } from './servers.ts'

test(`on the cluster, ${IMPORTED}`, async (t) => {
  const [broker, store] = await Promise.all([kafka(), cassandra()])
  t.after(() => Promise.all([broker.close(), store.close()]))
  await imported(t, {
    PLAYHEAD_LOG: `kafka://${broker.host}:${broker.port}`,
    PLAYHEAD_STORE: `cassandra://${store.host}:${store.port}/imported_${process.pid}`,
  })
})
