/**
 * log → all tables of quality of experience: a log that is full of an audience's reports, folded by the consumers as they
 * run on one machine (views, their minutes, the cubes, the keys of sessions; and every event), into the embedded engine.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startConsumers } from '../consumers/index.ts'
import { openEmbeddedLog } from '../log/embedded/index.ts'
import { cdnRequestsV1 } from '../projections/cdn-requests/v1.ts'
import { eventsV1 } from '../projections/events/v1.ts'
import { viewsV1 } from '../projections/views/v1.ts'
import { createCodec } from '../schemas/index.ts'
import { ClickHouse } from '../stores/clickhouse/clickhouse.ts'
import { openEmbeddedState } from '../stores/embedded/index.ts'
import { startAnalyticsProcess } from '../test/consumers/analytics-process.ts'
import { simVault } from '../test/sim/vault.ts'
import type { Measured } from './bench.ts'
import { AUDIENCE_FROM_MS, fillWithAudience } from './qoe-audience.ts'

const TOPIC = 'playback-events'
const PARTITIONS = 4

async function measure(quick: boolean): Promise<Measured> {
  const audience = quick ? { sessions: 100, events: 2_000 } : { sessions: 10_000, events: 1_000_000 }
  const dir = await mkdtemp(join(tmpdir(), 'playhead-bench-qoe-'))
  const engine = await startAnalyticsProcess(join(dir, 'analytics'))
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  const state = await openEmbeddedState({ dir: join(dir, 'state'), clock: () => AUDIENCE_FROM_MS })
  const analytics = new ClickHouse({ ...engine.access, database: 'playhead' })
  const codec = await createCodec({})
  try {
    await log.ensureTopics([{ topic: TOPIC, partitions: PARTITIONS }])
    await fillWithAudience(log, codec, audience)
    await analytics.prepare()
    const began = performance.now()
    const consumers = await startConsumers({
      log,
      state,
      analytics,
      codec,
      vault: simVault(),
      projections: [viewsV1(), eventsV1([TOPIC]), cdnRequestsV1()],
      prepare: ({ id, projection: { name, foldVersion } }) =>
        analytics.prepareGeneration(id, `${name}_v${foldVersion}`),
      logger: { info: () => undefined, warn: () => undefined, error: (fields) => console.error(fields) },
    })
    const passed = () => consumers.status().reduce((sum, { record }) => sum + (record?.checkpoint ?? 0n), 0n)
    while (passed() < BigInt(3 * audience.events)) await delay(20)
    const seconds = (performance.now() - began) / 1_000
    await consumers.close()
    const name = `log → events, views, minutes and cubes, ${audience.sessions.toLocaleString('en')} sessions`
    return { name, ours: audience.events / seconds, unit: 'events/s', bar: { atLeast: 40_000, of: 'ours' } }
  } finally {
    await analytics.close()
    await engine.stop()
    await Promise.all([log.close(), state.close()])
    await rm(dir, { recursive: true, force: true })
  }
}

process.send?.(await measure(process.argv[2] === 'quick'))
process.disconnect?.()
