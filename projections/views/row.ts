/**
 * What the projection says of a view, column by column, in the order of the landing tables (after term, place, row_key,
 * version and sign, which the runtime adds). Whatever is summed is a whole number; 0 and '' stand for what nobody said,
 * and a sum's companion says over how much it was summed (`startup_ms` with `startups`).
 *
 * The docs of each column are the comments in stores/clickhouse/sql/views; a test holds both lists to each other.
 */

/** How a column is stored: i = Int64, u = UInt64, t = DateTime64(3) given in ms, s = text, w = words with few values. */
export type ColumnKind = 'i' | 'u' | 't' | 's' | 'w' | 'ints'

type Columns = Readonly<Record<string, ColumnKind>>

/** Both tables have them, so that minutes can be filtered like views. */
export const DIMENSIONS = {
  app_id: 'w',
  environment: 'w',
  title_id: 's',
  series_id: 's',
  content_type: 'w',
  stream_type: 'w',
  country: 'w',
  region: 'w',
  cdn: 'w',
  isp: 'w',
  asn: 'u',
  device_type: 'w',
  os: 'w',
  browser: 'w',
  player: 'w',
  player_version: 'w',
  app_version: 'w',
  network_type: 'w',
  protocol: 'w',
  /** Code of the failure that ended the view, '' if none did. */
  error_code: 'w',
  /** Who reported: sdk, cmcd, api, import, simulator. */
  source: 'w',
} as const satisfies Columns

export const VIEW_COLUMNS = {
  /** 32 hexadecimal digits of SHA-256 over profile, session and title. */
  view_id: 's',
  profile_id: 's',
  session_id: 's',
  /** Times by the client's corrected clock, but for last_received_at. */
  started_at: 't',
  last_at: 't',
  last_received_at: 't',
  ...DIMENSIONS,
  device_model: 'w',
  os_version: 'w',
  browser_version: 'w',
  sdk_version: 'w',
  drm: 'w',
  language: 'w',
  season: 'u',
  episode: 'u',
  failure_phase: 'w',
  end_reason: 'w',
  /** The player's state at the row's last moment: starting, playing, paused, seeking, stalled, ended, failed. */
  state: 'w',
  trigger: 'w',

  /** 1 in every row: sums of it count views. */
  views: 'i',
  /** A request was seen; a first frame was seen or is proved by what came after. */
  requests: 'i',
  starts: 'i',
  /** Over by an event of its own (end or fatal failure), or by 5 min of unbroken stall. */
  ended: 'i',
  /** Over, and by an event of its own that is no failure. */
  clean_ends: 'i',
  /** Not over: whether it timed out is for the reader to say. */
  open: 'i',
  open_unstarted: 'i',
  /** Over with neither a start nor a failure, after a second at least. */
  ended_before_start: 'i',
  failures: 'i',
  startup_failures: 'i',
  playback_failures: 'i',
  business_failures: 'i',
  errors: 'i',

  /** Views with a startup time; its sum (first request → first frame, without ads); its histogram bucket. */
  startups: 'i',
  startup_ms: 'i',
  startup_bucket: 'u',
  page_startup_ms: 'i',
  player_startup_ms: 'i',
  preroll_startup_ms: 'i',

  /** CTA-2066: request → pause, finish or fail, summed; stalls; what was neither. Ads are in none of them. */
  watched_ms: 'i',
  playing_ms: 'i',
  paused_ms: 'i',
  seeking_ms: 'i',
  starting_ms: 'i',
  stalled_ms: 'i',
  stalls: 'i',
  /** Views that stalled. */
  stalled_views: 'i',
  /** Mux: stalls of at least the parameter (250 ms); those of a second and more; watch time with what rebuffered. */
  mux_stalled_ms: 'i',
  mux_stalls: 'i',
  sustained_stalls: 'i',
  mux_watch_ms: 'i',
  /** Conviva: stalls that no seek precedes. */
  connection_stalled_ms: 'i',
  connection_stalls: 'i',
  /** Puffer: stalled after startup; time after startup. */
  puffer_stalled_ms: 'i',
  puffer_ms: 'i',
  longest_stall_ms: 'i',

  seeks: 'i',
  seek_latencies: 'i',
  seek_latency_ms: 'i',

  /** Media time played, with repeats; without. */
  media_ms: 'i',
  unique_media_ms: 'i',
  furthest_ms: 'i',
  title_duration_ms: 'i',
  /** Bits of media played, and the media time whose bitrate is known; the same weighted by wall time. */
  bits: 'i',
  bits_media_ms: 'i',
  wall_bits: 'i',
  wall_bits_ms: 'i',
  up_switches: 'i',
  down_switches: 'i',
  peak_kbps: 'i',
  /** Scaling in permille of the source's fitting side, times milliseconds; over how long it is known. */
  upscale_permille_ms: 'i',
  downscale_permille_ms: 'i',
  scale_ms: 'i',
  upscale_max_permille: 'i',
  dropped_frames: 'i',
  live_latency_ms: 'i',
  live_latencies: 'i',

  delivery_requests: 'i',
  delivery_failures: 'i',
  delivery_bytes: 'i',
  delivery_transfer_ms: 'i',
  delivery_first_byte_ms: 'i',

  ad_breaks: 'i',
  ads: 'i',
  ad_ms: 'i',
  ad_errors: 'i',

  /** Scores in thousandths of a point; 0 views of a kind where a part can't be told. */
  score_views: 'i',
  score_milli: 'i',
  startup_score_views: 'i',
  startup_score_milli: 'i',
  smoothness_score_milli: 'i',
  quality_score_views: 'i',
  quality_score_milli: 'i',
  success_score_milli: 'i',

  /** Reports by sequence number: received; missing between the first and the last; said twice; over 60 s late. */
  reports: 'i',
  lost_reports: 'i',
  duplicate_reports: 'i',
  late_reports: 'i',
  /** Values that make no sense and were left out. */
  nonsense: 'i',
  /** Bits of FLAGS. */
  flags: 'u',

  /** Seconds of the title that were played at least once: from each, to (exclusive) each. */
  watched_from: 'ints',
  watched_to: 'ints',
} as const satisfies Columns

/** Why a view's numbers deserve a second look. */
export const FLAGS = {
  no_request: 1,
  no_first_frame: 2,
  clock_implausible: 4,
  nonsense: 8,
  truncated: 16,
  several_devices: 32,
} as const

/** One for each view and minute of the client's corrected clock in which something was known of it. */
export const SLICE_COLUMNS = {
  view_id: 's',
  profile_id: 's',
  minute: 't',
  started_at: 't',
  ...DIMENSIONS,
  /** 1 in every row. */
  slices: 'i',
  starting_ms: 'i',
  playing_ms: 'i',
  paused_ms: 'i',
  seeking_ms: 'i',
  stalled_ms: 'i',
  stalls: 'i',
  ad_ms: 'i',
  media_ms: 'i',
  bits: 'i',
  bits_media_ms: 'i',
  /** Where in the media at the minute's last moment that is known. */
  position_ms: 'i',
  /** Seconds of the title that were played in this minute, again counted again. */
  played_from: 'ints',
  played_to: 'ints',
} as const satisfies Columns

export type ViewColumn = keyof typeof VIEW_COLUMNS
export type SliceColumn = keyof typeof SLICE_COLUMNS

type CellOf<K extends ColumnKind> = K extends 's' | 'w' ? string : K extends 'ints' ? readonly number[] : number

export type ViewRow = { readonly [C in ViewColumn]: CellOf<(typeof VIEW_COLUMNS)[C]> }
export type SliceRow = { readonly [C in SliceColumn]: CellOf<(typeof SLICE_COLUMNS)[C]> }
