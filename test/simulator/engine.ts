/** The embedded engines with the fold of views on them, and the QoE routes in front: what simulated audiences are compared with. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { analyticsReader } from '../../api/readers/analytics.ts'
import { checkpointsOf } from '../../api/readers/checkpoints.ts'
import { type Consumers, startConsumers } from '../../consumers/index.ts'
import type { Projection } from '../../projections/projection.ts'
import { viewsV1 } from '../../projections/views/v1.ts'
import { TOPICS } from '../../schemas/index.ts'
import { ClickHouseReader } from '../../stores/clickhouse/reader.ts'
import { type QoeApi, startQoeApi } from '../api/qoe-support.ts'
import { type EmbeddedEngines, embeddedEngines } from '../consumers/embedded-engines.ts'

export interface FoldingEngine extends EmbeddedEngines {
  readonly api: QoeApi
  /** Of the views' generation. */
  readonly database: string
  /** Until everything in the log is in the tables. */
  folded(): Promise<void>
}

const PATIENCE_MS = 120_000

export async function startFolding(t: TestContext): Promise<FoldingEngine> {
  const engines = await embeddedEngines()
  const { log, state, process, clickhouse } = engines
  await log.ensureTopics(Object.entries(TOPICS).map(([topic, { partitions }]) => ({ topic, partitions })))
  let generation = ''
  let database = ''
  const consumers = await startConsumers({
    ...engines,
    projections: [viewsV1() as Projection],
    prepare: async ({ id }) => {
      generation = id
      database = await clickhouse.prepareGeneration(id, 'views_v1')
      return database
    },
    logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
  })
  const reader = new ClickHouseReader({ ...process.access, username: 'reader', password: 'reader-secret' })
  t.after(async () => {
    await consumers.close()
    await reader.close()
    await engines.close()
  })
  const api = await startQoeApi(t, {
    analytics: analyticsReader(reader, () => ({ views: database, shared: 'playhead' })),
    read: { log, checkpoints: checkpointsOf(state.commits, { views: generation }) },
  })
  return { ...engines, api, database, folded: () => caughtUp(consumers, engines) }
}

async function caughtUp(consumers: Consumers, { log }: EmbeddedEngines): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const bounds = await log.bounds('playback-events')
    const status = consumers.status().filter(({ topic }) => topic === 'playback-events')
    const done = bounds.every(({ partition, end }) => {
      const one = status.find((s) => s.partition === partition)
      return end === 0n || (one?.record?.checkpoint ?? 0n) >= end
    })
    if (done) return
    assert.ok(Date.now() < deadline, `the fold did not catch up: ${consumers.complaints().join('; ')}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
