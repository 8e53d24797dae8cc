/** Exports over the real engine: a table of views whose rows a test writes by hand, and the files that come of it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { exportFormat } from '../../cli/export/formats.ts'
import { holdingFolder } from '../../cli/export/hold.ts'
import { type ExportOutcome, exportViews } from '../../cli/export/run.ts'
import { type ViewsSource, viewsSource } from '../../cli/export/source.ts'
import { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import { ClickHouseDump } from '../../stores/clickhouse/dump.ts'
import { startAnalyticsProcess } from '../consumers/analytics-process.ts'

export const GENERATION = 'views_v1_0test000'
const QUIET_PROGRESS = { show: () => undefined, end: () => undefined }

export interface TestView {
  readonly id: string
  readonly startedAt: string
  readonly stalledMs: number
  readonly version: number
}

export interface ViewsTable {
  readonly source: ViewsSource
  /** Writes rows as the consumers do: what a view was goes out as it was, what it is comes in. */
  change(before: readonly TestView[], now: readonly TestView[]): Promise<void>
  close(): Promise<void>
}

export async function viewsTable(): Promise<ViewsTable> {
  const dir = mkdtempSync(join(tmpdir(), 'playhead-export-engine-'))
  const engine = await startAnalyticsProcess(join(dir, 'analytics'))
  const access = { ...engine.access, database: 'playhead' }
  const analytics = new ClickHouse(access)
  await analytics.prepare()
  const database = await analytics.prepareGeneration(GENERATION, 'views_v1')
  const dump = new ClickHouseDump(access)
  const readThrough = async () => ({ 'playback-events/0': '7' })
  const source = viewsSource({ generation: GENERATION, analytics, dump, keptFrom: undefined, readThrough })
  const values = (rows: readonly TestView[], sign: 1 | -1) =>
    rows.map(
      ({ id, startedAt, stalledMs, version }) =>
        `('playback-events', 0, ${version}, ${sign}, '${id}', 'p-${id}', 's', '${startedAt}', '${startedAt}', '${startedAt}', 'DE', 1, ${stalledMs}, [0, 60], [30, 90])`,
    )
  return {
    source,
    change: async (before, now) => {
      await analytics.command(
        `INSERT INTO ${database}.views (topic, partition, version, sign, view_id, profile_id, session_id, started_at,
           last_at, last_received_at, country, views, stalled_ms, watched_from, watched_to)
         VALUES ${[...values(before, -1), ...values(now, 1)].join(', ')}`,
      )
    },
    close: async () => {
      await Promise.all([analytics.close(), dump.close()])
      await engine.stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

export interface ExportCall {
  readonly source: ViewsSource
  readonly dir: string
  readonly format?: string
  readonly from?: string
  readonly to?: string
  readonly signal?: AbortSignal
}

export async function exported(call: ExportCall): Promise<ExportOutcome> {
  const { source, dir, signal = new AbortController().signal } = call
  const command = 'export views'
  const format = exportFormat(call.format ?? 'ndjson', command)
  const range = { from: call.from, to: call.to }
  const job = { source, dir, range, format, signal, progress: QUIET_PROGRESS, nowMs: () => 0, command }
  return await holdingFolder(dir, command, () => exportViews(job))
}

/** The rows of all files of a set, as a reader of the folder sees them. */
export function rowsIn(dir: string, generation = GENERATION): readonly Record<string, unknown>[] {
  const set = join(dir, generation)
  return filesIn(dir, generation)
    .flatMap((file) => readFileSync(join(set, file), 'utf8').trim().split('\n'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

export function filesIn(dir: string, generation = GENERATION): readonly string[] {
  const set = join(dir, generation)
  return readdirSync(set, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.startsWith('day=') && name.includes('/'))
    .sort()
}

/** Three days of a view each, by nobody's engine. */
export function madeUp(): ViewsSource {
  const days = ['2025-01-01', '2025-01-02', '2025-01-03'].map((day) => ({ day, rows: 1, digest: `1:${day}` }))
  return {
    generation: GENERATION,
    columns: ['view_id'],
    keptFrom: undefined,
    exists: async () => true,
    days: async () => days,
    readThrough: async () => ({}),
    dump: async ({ from }) => Readable.from([`{"view_id":"${from}"}\n`]),
  }
}
