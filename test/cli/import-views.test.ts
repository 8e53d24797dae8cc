/** Another product's views through the log into their table, and beside ours. On the real engines of one machine. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { COMPARED } from '../../cli/compare/metrics.ts'
import { importedDays, type Question, readComparison, type Tables } from '../../cli/compare/read.ts'
import { comparisonText } from '../../cli/compare/show.ts'
import { viewsImport } from '../../cli/import/view-rows.ts'
import { generationOf } from '../../consumers/generation.ts'
import { type Consumers, startConsumers } from '../../consumers/index.ts'
import { realWorld } from '../../consumers/retry.ts'
import { importedViewsV1 } from '../../projections/imported-views/v1.ts'
import { applyAliases } from '../../stores/clickhouse/aliases.ts'
import { type EmbeddedEngines, embeddedEngines } from '../consumers/embedded-engines.ts'
import { type Desk, desk } from './import-support.ts'

/** As Mux's second version of the export writes them; times are UTC and say no zone. */
const HEADER =
  'view_id,viewer_user_id,session_id,video_id,video_title,view_start,view_end,country,cdn,viewer_device_category,stream_type,' +
  'video_startup_time,rebuffer_count,rebuffer_duration,watch_time,view_playing_time,weighted_average_bitrate,' +
  'player_error_code,exit_before_video_start,viewer_experience_score,view_dropped,viewer_connection_type,some_column'
const day = (at: string) => `2026-11-20 ${at}`
const FINE = `v1,ann,s1,t1,"A film, long",${day('10:00:00')},${day('10:02:00')},DE,fastly,tv,on-demand,900,2,4000,100000,95000,3000000,,false,0.9932,false,wired,x`
const FAILED = `v2,bob,s2,t1,A film,${day('11:00:00')},${day('11:00:05')},FR,akamai,phone,on-demand,,,,,,,E404,false,0,true,cellular,x`
const LEFT = `v3,cem,s3,t2,B,${day('12:00:00')},${day('12:00:03')},DE,fastly,phone,live,,,,,,,,true,0.5,false,wifi,x`

let engines: EmbeddedEngines
let consumers: Consumers
let tables: Tables
before(async () => {
  engines = await embeddedEngines()
  const { clickhouse } = engines
  let importedViews = ''
  await engines.log.ensureTopics([{ topic: 'playback-events', partitions: 4 }])
  consumers = await startConsumers({
    ...engines,
    projections: [importedViewsV1()],
    prepare: async ({ id }) => {
      importedViews = await clickhouse.prepareGeneration(id, 'imported_views_v1')
      await applyAliases(clickhouse, 'imported_views', importedViews)
      return importedViews
    },
    logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
    world: realWorld,
  })
  const views = await clickhouse.prepareGeneration('views_v1_0test000', 'views_v1')
  tables = { analytics: clickhouse, views, importedViews }
})
after(async () => {
  await consumers.close()
  await engines.close()
})

const imports = { kind: viewsImport, command: 'import views' }

/** An import into the log that the consumers read. */
async function imported(t: Parameters<typeof desk>[0], ...lines: readonly string[]): Promise<Desk> {
  const made = await desk(t)
  const path = made.write('mux.csv', `${[HEADER, ...lines].join('\n')}\n`)
  const outcome = await made.run(path, imports)
  assert.equal(outcome.ended, 'complete')
  await copy(made)
  return made
}

/** Into the consumers' log, as the command would have written it there. */
async function copy(made: Desk): Promise<void> {
  for (const { partition, start, end } of await made.log.bounds('playback-events')) {
    const request = { topic: 'playback-events', partition, from: start, recordsMax: 1_000, bytesMax: 8e6, waitMs: 0 }
    const { records } = start === end ? { records: [] } : await made.log.read(request)
    if (records.length === 0) continue
    await engines.log.append(
      records.map(({ key, value, timestampMs, headers }) => ({
        topic: 'playback-events',
        key: key ?? '',
        value,
        timestampMs,
        headers,
      })),
    )
  }
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await holds()) return
    await realWorld.sleep(50, new AbortController().signal)
  }
  assert.fail(`never: ${what}`)
}

async function rows(...ids: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  const sql = 'SELECT * FROM playhead.imported_views WHERE has({ids:Array(String)}, view_id) ORDER BY view_id'
  return await engines.clickhouse.query(sql, { ids })
}

/** All that was appended is in the tables. */
async function settled(): Promise<void> {
  const { id } = generationOf(importedViewsV1(), await engines.log.incarnation())
  await until('all is read', async () => {
    for (const { topic, partition, end } of await engines.log.bounds('playback-events')) {
      const record = await engines.state.commits.read({ generation: id, topic, partition })
      if ((record?.checkpoint ?? 0n) < end) return false
    }
    return true
  })
}

test('a file of another product becomes rows, once however often it is imported', async (t) => {
  const made = await imported(t, FINE, FAILED, LEFT)
  await settled()
  const found = await rows('v1', 'v2', 'v3')
  assert.deepEqual(
    found.map(({ view_id, failures, startup_failures, ended_before_start, starts }) => [
      view_id,
      Number(failures),
      Number(startup_failures),
      Number(ended_before_start),
      Number(starts),
    ]),
    [
      ['v1', 0, 0, 0, 1],
      ['v2', 1, 1, 0, 0],
      ['v3', 0, 0, 1, 0],
    ],
  )
  const [fine] = found
  const shown = {
    vendor: 'mux',
    profile_id: 'ann',
    title_name: 'A film, long',
    started_at: '2026-11-20 10:00:00.000',
    stream_type: 'vod',
    network_type: 'ethernet',
    device_type: 'tv',
  }
  for (const [name, value] of Object.entries(shown)) assert.equal(fine![name], value, name)
  const numbers = { their_startup_ms: 900, mux_stalls: 2, mux_stalled_ms: 4_000, their_watch_ms: 100_000 }
  const more = { wall_bits: 285_000_000, wall_bits_ms: 95_000, score_milli: 99_320, clean_ends: 1, told_ends: 1 }
  for (const [name, value] of Object.entries({ ...numbers, ...more })) assert.equal(Number(fine![name]), value, name)

  // The same rows under another name of the file: the same events.
  const again = made.write('copy.csv', `${[HEADER, LEFT, FINE, FAILED].join('\n')}\n`)
  const before = new Set((await made.events()).map(({ meta }) => meta.eventId))
  await made.run(again, imports)
  const events = await made.events()
  assert.deepEqual(new Set(events.map(({ meta }) => meta.eventId)), before)
  await copy(made)
  await settled()
  assert.equal((await rows('v1', 'v2', 'v3')).length, 3)
  const kept = `SELECT toString(count()) AS n FROM ${tables.importedViews}.imported_view_rows WHERE view_id IN ('v1', 'v2', 'v3')`
  assert.deepEqual(await engines.clickhouse.query(kept), [{ n: '3' }])
})

test('a view that the vendor corrected and that is imported again counts as it is now', async (t) => {
  const corrected = FINE.replace(',4000,', ',6000,').replace('v1,', 'v9,')
  await imported(t, FINE.replace('v1,', 'v9,'))
  await settled()
  const made = await desk(t)
  const later = { ...imports, nowMs: () => Date.UTC(2026, 10, 22) }
  await made.run(made.write('b.csv', `${HEADER}\n${corrected}\n`), later)
  await copy(made)
  await settled()
  assert.deepEqual(
    (await rows('v9')).map(({ mux_stalled_ms }) => Number(mux_stalled_ms)),
    [6_000],
  )
})

test('rows that can not be meant are told with the column and the reason, and the others go on', async (t) => {
  const made = await desk(t)
  const bad = [
    FINE.replace('v1,', ','),
    FINE.replace(',4000,', ',-3,'),
    FINE.replace(day('10:00:00'), 'yesterday'),
    FINE.replace('0.9932', '101'),
    FINE.replace('900', 'nine'),
  ]
  const path = made.write('bad.csv', `${[HEADER, ...bad, FAILED].join('\n')}\n`)
  const outcome = await made.run(path, imports)
  assert.deepEqual([outcome.counts.rows, outcome.counts.rejected], [1, 5])
  assert.deepEqual(outcome.unknownFields, ['some_column'])
  const told = readFileSync(`${path}.rejected.ndjson`, 'utf8').trim().split('\n')
  assert.deepEqual(
    told.map((line) => (JSON.parse(line) as { field: string }).field),
    ['view_id', 'rebuffer_duration', 'view_start', 'viewer_experience_score', 'video_startup_time'],
  )
})

test('the JSON of their stream is read like the CSV, and the names of its first version too', async (t) => {
  const made = await desk(t)
  const json = { viewId: 'j1', viewerUserId: 'ann', viewStart: { seconds: 1_795_000_000, nanos: 0 }, watchTime: 5 }
  const old = { view_id: 'j2', mux_viewer_id: 'm', view_start: '2026-11-20T10:00:00Z', buffering_duration: 7 }
  await made.run(made.write('a.ndjson', `${JSON.stringify(json)}\n${JSON.stringify(old)}\n`), imports)
  const events = (await made.events()).flatMap((event) => (event.type === 'ViewImported' ? [event] : []))
  const said = events.map(({ viewId, startedAt, watchMs, stalledMs }) => [viewId, startedAt, watchMs, stalledMs])
  assert.deepEqual(said.sort(), [
    ['j1', 1_795_000_000_000, 5, null],
    ['j2', Date.UTC(2026, 10, 20, 10), null, 7],
  ])
})

test('a file without the columns that a view needs is refused by its header', async (t) => {
  const made = await desk(t)
  await assert.rejects(made.run(made.write('a.csv', 'view_id,country\nv1,DE\n'), imports), /no column view_start/)
})

test('theirs and ours of the same days stand side by side, with the definition that makes them differ', async (t) => {
  const at = '2026-10-05 10:00:00'
  const theirs = (id: string, country: string, stalledMs: number) =>
    FINE.replace('v1,', `${id},`)
      .replace(day('10:00:00'), at)
      .replace(',DE,', `,${country},`)
      .replace(',4000,', `,${stalledMs},`)
  await imported(
    t,
    theirs('c1', 'DE', 9_000),
    theirs('c1', 'DE', 4_000),
    theirs('c2', 'DE', 1_000),
    theirs('c3', 'FR', 0),
  )
  await settled()
  // Ours: a stall of 200 ms that Mux does not count; a view that was counted and is taken back.
  const values = (id: string, country: string, sign: number, stalled: number) =>
    `('${id}', ${sign}, 1, '${at}', '${country}', 1, 1, 1, 900, 400, ${stalled}, 102000, ${stalled - 200}, 1, 100000, 95000)`
  const write = async (...rows: readonly string[]) => {
    await engines.clickhouse.command(
      `INSERT INTO ${tables.views}.views (view_id, sign, version, started_at, country, views, starts, startups, startup_ms,
         preroll_startup_ms, stalled_ms, watched_ms, mux_stalled_ms, mux_stalls, mux_watch_ms, playing_ms)
       VALUES ${rows.join(', ')}`,
    )
  }
  await write(values('o1', 'DE', 1, 4_200), values('o2', 'DE', 1, 1_200), values('o3', 'FR', 1, 9_000))
  await write(values('o3', 'FR', -1, 9_000))
  const ask: Question = {
    range: { from: '2026-10-05', to: '2026-10-05' },
    by: undefined,
    app: undefined,
    environment: undefined,
    groupsMax: 10,
    metrics: COMPARED,
  }
  const [all] = await readComparison(tables, ask)
  const of = (name: string) => all!.metrics[name]!
  assert.deepEqual(of('views'), { theirs: 3, oursByMux: 2, oursByCta: 2 })
  assert.deepEqual(of('startup_ms'), { theirs: 900, oursByMux: 400, oursByCta: 900 })
  assert.equal(of('rebuffer_percent').theirs, (100 * 5_000) / 300_000)
  assert.equal(of('rebuffer_percent').oursByMux, (100 * 5_000) / 200_000)
  assert.equal(of('rebuffer_percent').oursByCta, (100 * 5_400) / 204_000)
  assert.equal(of('bitrate_kbps').theirs, 3_000)
  assert.equal(of('bitrate_kbps').oursByMux, null)

  const byCountry = await readComparison(tables, { ...ask, by: 'country', metrics: COMPARED.slice(0, 1) })
  assert.deepEqual(byCountry, [
    { group: 'DE', metrics: { views: { theirs: 2, oursByMux: 2, oursByCta: 2 } } },
    { group: 'FR', metrics: { views: { theirs: 1, oursByMux: null, oursByCta: null } } },
  ])
  const text = comparisonText([all!], COMPARED, undefined)
  assert.match(text, /^METRIC +THEIRS \(MUX\)/)
  assert.match(text, /rebuffer_percent +1\.67 +2\.50 +50\.0% +2\.65/)
  assert.match(
    text,
    /What makes them differ:.*rebuffer_percent, rebuffers_per_hour: Mux leaves out stalls under 250 ms/s,
  )
  assert.doesNotMatch(text, /^ {2}failure_percent:/m)

  assert.match(
    comparisonText([byCountry[1]!], COMPARED.slice(0, 1), 'country'),
    /^COUNTRY.*FR +views +1 +- .*Ours has no views/s,
  )

  const other = await readComparison(tables, { ...ask, app: 'another' })
  assert.deepEqual(other, [])
  assert.ok((await importedDays(tables)) !== undefined)
})
