/**
 * A month of an audience, made by ClickHouse itself: views and their minutes, spread evenly over the days, with what
 * breakdowns need. Nothing is random: every value is a hash of the view's number, so that two runs measure the same data.
 */
import type { ClickHouse } from '../stores/clickhouse/clickhouse.ts'

export interface Audience {
  readonly database: string
  readonly views: number
  readonly fromMs: number
  readonly days: number
}

/** Minutes of a view: 1 to 41, 21 on average. */
export const MINUTES_OF_A_VIEW = 21
const DAY_MS = 86_400_000

/** What a view is, by its number `v`. */
const VIEW = `
  number AS v,
  sipHash64(v) AS h,
  lower(hex(sipHash128(v))) AS view_id,
  concat('p', toString(sipHash64(v, 1) % {profiles})) AS profile_id,
  concat('title-', toString(toUInt32(pow((sipHash64(v, 2) % 1000000) / 1000000, 3) * 5000))) AS title_id,
  fromUnixTimestamp64Milli(toInt64({from_ms} + intDiv(v * {span_ms}, {views})), 'UTC') AS started_at,
  1 + sipHash64(v, 3) % 41 AS minutes,
  arrayElement(['DE','US','FR','GB','ES','IT','PL','SE','NL','BR','IN','JP'], 1 + sipHash64(v, 4) % 12) AS country,
  arrayElement(['akamai','fastly','cloudfront','own'], 1 + sipHash64(v, 5) % 4) AS cdn,
  arrayElement(['tv','phone','desktop','tablet','console'], 1 + sipHash64(v, 6) % 5) AS device_type,
  arrayElement(['tvos','android','ios','windows','macos','linux'], 1 + sipHash64(v, 7) % 6) AS os,
  arrayElement(['hls.js','shaka','dash.js','avplayer'], 1 + sipHash64(v, 8) % 4) AS player,
  concat('1.', toString(sipHash64(v, 9) % 20)) AS player_version,
  concat('2.', toString(sipHash64(v, 10) % 30)) AS app_version,
  concat('isp-', toString(sipHash64(v, 11) % 200)) AS isp,
  toUInt32(1000 + sipHash64(v, 11) % 200) AS asn,
  arrayElement(['wifi','cellular','ethernet'], 1 + sipHash64(v, 12) % 3) AS network_type,
  arrayElement(['hls','dash'], 1 + sipHash64(v, 13) % 2) AS protocol,
  if(sipHash64(v, 14) % 100 = 0, concat('E', toString(sipHash64(v, 15) % 30)), '') AS error_code`

const SHARED: Readonly<Record<string, string>> = {
  topic: "'playback-events'",
  partition: 'v % 4',
  version: 'v',
  sign: '1',
  view_id: 'view_id',
  profile_id: 'profile_id',
  started_at: 'started_at',
  app_id: "'demo'",
  environment: "'production'",
  title_id: 'title_id',
  series_id: "concat('series-', toString(sipHash64(title_id) % 500))",
  content_type: "if(sipHash64(title_id) % 3 = 0, 'movie', 'episode')",
  stream_type: "'vod'",
  country: 'country',
  region: "concat('R', toString(h % 16))",
  cdn: 'cdn',
  isp: 'isp',
  asn: 'asn',
  device_type: 'device_type',
  os: 'os',
  browser: "''",
  player: 'player',
  player_version: 'player_version',
  app_version: 'app_version',
  network_type: 'network_type',
  protocol: 'protocol',
  error_code: 'error_code',
  source: "'sdk'",
}

const OF_A_VIEW: Readonly<Record<string, string>> = {
  ...SHARED,
  session_id: "concat('s', toString(v))",
  last_at: 'started_at + toIntervalMinute(minutes)',
  last_received_at: 'started_at + toIntervalMinute(minutes)',
  state: "'ended'",
  end_reason: "'finished'",
  views: '1',
  requests: '1',
  starts: 'toInt64(h % 100 != 0)',
  ended: '1',
  clean_ends: "toInt64(error_code = '')",
  failures: "toInt64(error_code != '')",
  playback_failures: "toInt64(error_code != '')",
  startups: 'toInt64(h % 100 != 0)',
  startup_ms: 'if(h % 100 = 0, 0, toInt64(300 + exp(4 + (sipHash64(v, 16) % 1000) / 250)))',
  startup_bucket: 'toUInt16(if(startup_ms = 0, 0, ceil(log(startup_ms) / 0.0200007)))',
  watched_ms: 'toInt64(minutes * 60000)',
  playing_ms: 'toInt64(minutes * 60000) - stalled_ms',
  stalled_ms: 'toInt64(if(sipHash64(v, 17) % 10 = 0, sipHash64(v, 18) % 8000, 0))',
  stalls: 'toInt64(stalled_ms > 0) * 2',
  stalled_views: 'toInt64(stalled_ms > 0)',
  mux_stalled_ms: 'stalled_ms',
  mux_stalls: 'stalls',
  mux_watch_ms: 'watched_ms',
  media_ms: 'playing_ms',
  unique_media_ms: 'playing_ms',
  bits: 'media_ms * toInt64(1000 + sipHash64(v, 19) % 7000)',
  bits_media_ms: 'media_ms',
  score_views: '1',
  score_milli: 'toInt64(60000 + h % 40000)',
  reports: 'toInt64(minutes * 6)',
  lost_reports: 'toInt64(h % 50 = 0)',
}

const OF_A_MINUTE: Readonly<Record<string, string>> = {
  ...SHARED,
  minute: 'toStartOfMinute(started_at) + toIntervalMinute(n)',
  slices: '1',
  playing_ms: 'toInt64(60000 - stalled_ms)',
  stalled_ms: 'toInt64(if(sipHash64(v, n, 17) % 100 = 0, sipHash64(v, n) % 8000, 0))',
  stalls: 'toInt64(stalled_ms > 0)',
  media_ms: 'playing_ms',
  bits: 'media_ms * toInt64(1000 + sipHash64(v, 19) % 7000)',
  bits_media_ms: 'media_ms',
  position_ms: 'toInt64(n * 60000)',
}

/** A portion is three hours: the cubes' views group it by minute and value in memory. */
const PORTIONS_A_DAY = 8

/** The views with these numbers; they are in the order of time. */
export async function fill(
  clickhouse: ClickHouse,
  audience: Audience,
  first: number,
  end: number,
  told: (share: number) => void,
): Promise<void> {
  const portion = Math.ceil(audience.views / audience.days / PORTIONS_A_DAY)
  for (let from = first; from < end; from += portion) {
    const to = Math.min(end, from + portion)
    await clickhouse.command(insert('views', OF_A_VIEW, audience, from, to, ''))
    await clickhouse.command(insert('view_slices', OF_A_MINUTE, audience, from, to, 'ARRAY JOIN range(minutes) AS n'))
    told((to - first) / (end - first))
  }
}

function insert(
  table: string,
  columns: Readonly<Record<string, string>>,
  { database, views, fromMs, days }: Audience,
  from: number,
  to: number,
  join: string,
): string {
  const values: Readonly<Record<string, number>> = {
    profiles: Math.max(10, Math.floor(views / 10)),
    from_ms: fromMs,
    span_ms: days * DAY_MS,
    views,
  }
  const view = VIEW.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name]))
  const names = Object.keys(columns)
  const expressions = names.map((name) => (columns[name] === name ? name : `${columns[name]} AS ${name}`))
  return `INSERT INTO ${database}.${table} (${names.join(', ')})
    SELECT ${expressions.join(', ')}
    FROM (SELECT ${view} FROM numbers(${from}, ${to - from})) ${join}
    SETTINGS max_insert_threads = 1, max_threads = 2, max_partitions_per_insert_block = 0, optimize_on_insert = 0,
      min_insert_block_size_rows = 1000000, max_execution_time = 0`
}
