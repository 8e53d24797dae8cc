import type { TestContext } from 'node:test'
import { replaySuite } from '../cli/replay-suite.ts'
import { cassandra, kafka } from './servers.ts'

let count = 0

const open = async (t: TestContext) => {
  const [broker, store] = await Promise.all([kafka(), cassandra()])
  t.after(() => Promise.all([broker.close(), store.close()]))
  return {
    PLAYHEAD_LOG: `kafka://${broker.host}:${broker.port}`,
    PLAYHEAD_STORE: `cassandra://${store.host}:${store.port}/replay_${process.pid}_${++count}`,
  }
}

replaySuite('Kafka and Cassandra', open, ['progress', 'views', 'events', 'title_rows'])
