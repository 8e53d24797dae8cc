/** The engines of one machine as a set: LMDB for the log and the states, the analytics process over chDB. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { createCodec } from '../../schemas/index.ts'
import { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import { openEmbeddedState } from '../../stores/embedded/index.ts'
import { openEmbeddedVault } from '../../stores/vault/embedded.ts'
import { type AnalyticsProcess, startAnalyticsProcess } from './analytics-process.ts'
import { clickHouseViews, type EngineSet } from './engine-set.ts'

export interface EmbeddedEngines extends EngineSet {
  readonly dir: string
  readonly process: AnalyticsProcess
  readonly clickhouse: ClickHouse
}

export async function embeddedEngines(): Promise<EmbeddedEngines> {
  const dir = await mkdtemp(join(tmpdir(), 'playhead-test-'))
  const process = await startAnalyticsProcess(join(dir, 'analytics'))
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  const state = await openEmbeddedState({ dir: join(dir, 'state'), clock: Date.now })
  const vault = await openEmbeddedVault({ dir: join(dir, 'vault') })
  const clickhouse = new ClickHouse({ ...process.access, database: 'playhead' })
  await clickhouse.prepare()
  return {
    name: 'embedded',
    dir,
    process,
    clickhouse,
    log,
    state,
    analytics: clickhouse,
    codec: await createCodec({}),
    vault,
    ...clickHouseViews(clickhouse, await log.incarnation()),
    close: async () => {
      await Promise.all([log.close(), state.close(), vault.close(), clickhouse.close()])
      await process.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
