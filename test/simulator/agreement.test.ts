/**
 * The engine's numbers against the simulator's own: ten thousand views go through the log and the fold into ClickHouse,
 * with everything that goes wrong on the way (late, doubled, lost, wrong clocks), and the API's answers must be the truth.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareTruth, HISTORY_TOLERANCE, type Line } from '../../cli/simulate/compare.ts'
import { writeHistory } from '../../cli/simulate/history.ts'
import { type Audience, createAudience, type ViewTruth } from '../../simulator/index.ts'
import { startFolding } from './engine.ts'

const FROM_MS = Date.UTC(2026, 10, 20)
const HOUR_MS = 3_600_000
const UNTIL_MS = FROM_MS + 6 * HOUR_MS
const VIEWS = 10_000
const FAULT = { cdn: 'fastly', atMs: FROM_MS + 3 * HOUR_MS, forMs: HOUR_MS }
const HEARTBEAT_MS = 10_000

test('ten thousand views', async (t) => {
  const views: ViewTruth[] = []
  const audience: Audience = createAudience(
    {
      seed: 'agreement',
      fromMs: FROM_MS,
      untilMs: UNTIL_MS,
      views: VIEWS,
      // Films of five minutes: the same habits, and a tenth of the heartbeats.
      titleScale: 0.05,
      curve: 'flat',
      faults: [FAULT],
      groups: [
        { name: 'a', share: 0.5 },
        { name: 'b', share: 0.5, effect: { startup: 1.15 } },
      ],
      mishaps: { copies: 0.01 },
      appId: 'shop',
    },
    { onView: (view) => views.push(view) },
  )
  const engine = await startFolding(t)
  const { log, codec } = engine
  await writeHistory({ audience, log, codec, signal: new AbortController().signal, nowMs: Date.now })
  await engine.folded()
  const seen = audience.truth.window()!
  const window = [
    ['from', String(seen.fromMs)],
    ['to', String(seen.toMs + 60_000)],
    ['asOf', String(seen.toMs + 2 * HOUR_MS)],
  ] as const

  await t.test(
    'the overview and the breakdowns say what is true: counts exactly, durations within a heartbeat a view, percentiles within 1 %',
    async () => {
      const ask = (route: string, words: readonly (readonly [string, string])[]) => engine.api.ask(route, ...words)
      const { lines } = await compareTruth(audience.truth, ask, HISTORY_TOLERANCE)
      const told = (line: Line) => `${line.of} ${line.metric}: ${line.engine}, truly ${line.truth} (± ${line.allowed})`
      assert.deepEqual(lines.filter(({ agrees }) => !agrees).map(told), [])
      assert.ok(lines.length > 100, `only ${lines.length} numbers were compared`)
      const all = lines.find(({ of, metric }) => of === 'all' && metric === 'views')
      assert.equal(all?.engine, VIEWS)
    },
  )

  await t.test(
    'every single view is right: to the millisecond where its end was heard, within a minute or so where it was lost',
    async () => {
      const columns = [
        'starting_ms',
        'playing_ms',
        'paused_ms',
        'seeking_ms',
        'stalled_ms',
        'media_ms',
        'stalls',
        'seeks',
      ]
      const sums = columns.map((name) => `toInt64(sum(${name} * sign)) AS ${name}`).join(', ')
      const sql = `SELECT session_id, title_id, ${sums} FROM ${engine.database}.views GROUP BY session_id, title_id HAVING sum(sign) > 0`
      const rows = await engine.clickhouse.query<Record<string, string>>(sql)
      const found = new Map(rows.map((row) => [`${row.session_id} ${row.title_id}`, row]))
      assert.equal(views.length, VIEWS)
      assert.equal(found.size, VIEWS)
      const wrong: string[] = []
      for (const view of views) {
        const row = found.get(`${view.sessionId} ${view.titleId}`)
        assert.ok(row, `no row of ${view.sessionId}`)
        // At twice the speed, twice the media.
        const allowed = view.ending === 'lost' ? 2 * (60_000 + HEARTBEAT_MS) : 1
        const truths = [view.startingMs, view.playingMs, view.pausedMs, view.seekingMs, view.stalledMs, view.mediaMs]
        truths.forEach((truth, i) => {
          const engines = Number(row[columns[i]!])
          if (Math.abs(engines - truth) > allowed)
            wrong.push(`${view.sessionId} (${view.ending}) ${columns[i]}: ${engines}, truly ${truth}`)
        })
        if (Number(row.stalls) !== view.stalls || Number(row.seeks) !== view.seeks)
          wrong.push(`${view.sessionId} counts`)
      }
      assert.deepEqual(wrong.slice(0, 10), [])
    },
  )

  await t.test("Mux's and Conviva's stalls are the true ones too", async () => {
    const { total } = { total: audience.truth.total() }
    const ask = async (definition: string, metric: string) => {
      const words = [...window, ['definition', definition], ['metric', metric]] as const
      return (await engine.api.ask<{ values: Record<string, number> }>('overview', ...words)).values[metric]!
    }
    assert.ok(total.muxStalls > 0 && total.connectionStalls > 0 && total.connectionStalls < total.stalls)
    assert.ok(Math.abs((await ask('mux', 'stalls_per_view')) - total.muxStalls / VIEWS) < 1e-6)
    assert.ok(Math.abs((await ask('conviva', 'stalls_per_view')) - total.connectionStalls / VIEWS) < 1e-6)
  })

  await t.test('who watched in each minute is who truly did', async () => {
    const words = [...window, ['grain', 'minute'], ['metric', 'concurrent']] as const
    const { points } = await engine.api.ask<{ points: { at: string; concurrent: number | null }[] }>(
      'timeseries',
      ...words.map(([name, value]) => (name === 'to' ? ([name, String(UNTIL_MS)] as const) : ([name, value] as const))),
    )
    const truths = new Map(audience.truth.concurrents().map(({ minuteMs, concurrent }) => [minuteMs, concurrent]))
    let [sum, off] = [0, 0]
    for (const { at, concurrent } of points) {
      const truth = truths.get(Date.parse(at)) ?? 0
      sum += truth
      off += Math.abs((concurrent ?? 0) - truth)
    }
    assert.ok(sum > 1_000, `${sum} viewer minutes`)
    assert.ok(off < 0.02 * sum, `${off} of ${sum} viewer minutes differ`)
  })

  await t.test('the CDN that went bad is found by asking which CDN fails, and only in its hour', async () => {
    const worst = async (fromMs: number, toMs: number) => {
      const { rows } = await engine.api.ask<{ rows: { value: string; startup_failure_percent: number }[] }>(
        'breakdown',
        ['from', fromMs],
        ['to', toMs],
        ['by', 'cdn'],
        ['order', '-startup_failure_percent'],
        ['metric', 'startup_failure_percent'],
        ['minViews', 50],
      )
      return rows
    }
    const [first, second] = await worst(FAULT.atMs, FAULT.atMs + FAULT.forMs)
    assert.equal(first?.value, 'fastly')
    assert.ok(first.startup_failure_percent > 5 * second!.startup_failure_percent, JSON.stringify([first, second]))
    const before = await worst(FROM_MS, FAULT.atMs)
    assert.ok(
      before.every((row) => row.startup_failure_percent < 3),
      JSON.stringify(before),
    )
  })

  await t.test('the difference that was planted between the groups is found, as large as it is', async () => {
    const { rows } = await engine.api.ask<{
      rows: { value: string; startup_p50_ms: number; startup_mean_ms: number }[]
    }>(
      'breakdown',
      ...window.map(([name, value]) => [name, value] as const),
      ['by', 'app_version'],
      ['metric', 'startup_p50_ms'],
      ['metric', 'startup_mean_ms'],
    )
    const a = rows.find(({ value }) => value === 'sim-a')!
    const b = rows.find(({ value }) => value === 'sim-b')!
    // The groups differ by chance as well: who is in them, and on what.
    const ratio = b.startup_p50_ms / a.startup_p50_ms
    assert.ok(ratio > 1.08 && ratio < 1.22, `the median of b is ${ratio} of a's, planted was 1.15`)
  })
})
