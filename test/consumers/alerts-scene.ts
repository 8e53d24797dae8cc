/**
 * Alerts for tests: real log and states in a folder that goes away, the projection `incidents` folded by the real
 * runtime, a clock of the test's own. What is slow in the world is fast here.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Registry } from 'prom-client'
import { type Alerts, type AlertsOptions, startAlerts } from '../../consumers/alerts/index.ts'
import type { Judged } from '../../consumers/alerts/ports.ts'
import { generationOf, stateTableOf } from '../../consumers/generation.ts'
import { startConsumers } from '../../consumers/index.ts'
import { realWorld, type World } from '../../consumers/retry.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import type { EventLog } from '../../log/log.ts'
import type { IncidentRow } from '../../projections/incidents/row.ts'
import { incidentRow, incidentsV1 } from '../../projections/incidents/v1.ts'
import { createCodec, type EventCodec, type PlayheadEvent, TOPICS } from '../../schemas/index.ts'
import type { AnalyticsStore } from '../../stores/analytics.ts'
import { openEmbeddedState } from '../../stores/embedded/index.ts'
import type { StateStore, StateTable } from '../../stores/state.ts'
import { openEmbeddedVault } from '../../stores/vault/embedded.ts'

export const MINUTE_MS = 60_000
export const START_MS = Date.UTC(2026, 0, 1)

export interface Told {
  readonly level: 'info' | 'warn' | 'error'
  readonly what: object
  readonly message: string
}

export type Databases = Pick<Judged, 'views' | 'requests'>

export interface Scene {
  readonly log: EventLog
  readonly state: StateStore
  readonly codec: EventCodec
  readonly clock: { ms: number }
  readonly world: World
  readonly told: Told[]
  readonly metrics: Registry
  readonly incidents: { readonly table: StateTable; readonly generation: string }
  /** `options` replace what the scene would hand in. */
  start(options: Partial<AlertsOptions> & { readonly databases?: Databases }): Promise<Alerts>
  rows(): Promise<readonly IncidentRow[]>
  /** What is in the engine's log, as it is there: twice if it was written twice. */
  events(): Promise<readonly PlayheadEvent[]>
}

export async function startScene(t: TestContext): Promise<Scene> {
  const dir = mkdtempSync(join(tmpdir(), 'playhead-alerts-'))
  const clock = { ms: START_MS + 60 * MINUTE_MS }
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  await log.ensureTopics(Object.entries(TOPICS).map(([topic, { partitions }]) => ({ topic, partitions })))
  const state = await openEmbeddedState({ dir: join(dir, 'state'), clock: () => clock.ms })
  const vault = await openEmbeddedVault({ dir: join(dir, 'vault') })
  const codec = await createCodec()
  const told: Told[] = []
  const tell = (level: Told['level']) => (what: object, message: string) => void told.push({ level, what, message })
  const logger = { info: tell('info'), warn: tell('warn'), error: tell('error') }
  const consumers = await startConsumers({
    ...{ log, state, vault, codec, logger, analytics: NO_ANALYTICS, projections: [incidentsV1()] },
    prepare: () => Promise.reject(new Error('no projection here has rows')),
  })
  const generation = generationOf(incidentsV1(), await log.incarnation())
  const incidents = { table: await state.table(stateTableOf(generation)!), generation: generation.id }
  const world: World = {
    nowMs: () => clock.ms,
    random: () => 0.5,
    sleep: (ms, signal) => realWorld.sleep(Math.min(ms / 500, 20), signal),
  }
  const metrics = new Registry()
  const running: Alerts[] = []
  t.after(async () => {
    await Promise.all(running.map((alerts) => alerts.close()))
    await consumers.close()
    await Promise.all([log.close(), state.close(), vault.close()])
    rmSync(dir, { recursive: true, force: true })
  })
  return {
    ...{ log, state, codec, clock, world, told, metrics, incidents },
    start: async ({ databases = { views: 'v', requests: 'r' }, ...options }) => {
      const alerts = await startAlerts({
        ...{ log, state, codec, world, logger, rules: [], webhooks: [] },
        judged: () => ({ ...databases, generations: { views: 'views_v1_test' }, incidents }),
        query: () => Promise.reject(new Error('nothing is asked here')),
        ...options,
      })
      running.push(alerts)
      return alerts
    },
    rows: async () => {
      const found: IncidentRow[] = []
      for await (const { columns, key, version } of incidents.table.scan()) {
        const row = incidentRow(columns, key, version)
        if (row !== undefined) found.push(row)
      }
      return found.sort((a, b) => a.openedMs - b.openedMs)
    },
    events: async () => {
      const request = { topic: 'engine-events', partition: 0, from: 0n, recordsMax: 10_000, bytesMax: 1e8, waitMs: 0 }
      const { records } = await log.read(request)
      return records.map(({ value }) => {
        const decoded = codec.decode(value)
        assert.ok(decoded.ok)
        return decoded.event
      })
    },
  }
}

const NO_ANALYTICS: AnalyticsStore = {
  engine: 'clickhouse',
  own: async () => 'owned',
  insert: async () => 'refused',
  blocks: async () => 0n,
  audit: async () => ({ rows: 0n, sum: 0n }),
  ping: async () => undefined,
  close: async () => undefined,
}

const PATIENCE_MS = 20_000

export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const beganMs = Date.now()
  while (!(await holds())) {
    if (Date.now() - beganMs > PATIENCE_MS) throw new Error(`waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
