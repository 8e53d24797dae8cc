/**
 * Projection `imported_views`, fold version 1: what another product measured of a view, one row for each ViewImported.
 * A view that the vendor changed and that was imported again has several; the view `imported_views` that people query
 * shows the last. Nothing of it goes into our own tables.
 */
import type { EventOf } from '../../schemas/index.ts'
import { asnCell, countCell, timeCell } from '../cells.ts'
import type { Cell, Entry, Journal, Landing, Projection } from '../projection.ts'
import { IMPORTED_VIEW_COLUMNS, type ImportedViewColumn } from './row.ts'

type ViewImported = EventOf<'ViewImported'>
type Row = Readonly<Record<ImportedViewColumn, string | number>>

const COLUMNS = Object.keys(IMPORTED_VIEW_COLUMNS) as ImportedViewColumn[]

const landing: Landing = {
  name: 'landing_imported_views',
  target: 'imported_view_rows',
  columns: ['topic', 'partition', 'version', ...COLUMNS],
}

const journal: Journal = {
  landing,
  row: ({ topic, partition, position, fate, event }: Entry): readonly Cell[] | undefined => {
    if (fate !== 'folded' || event?.type !== 'ViewImported') return undefined
    const row = rowOf(event)
    return [topic, partition, position, ...COLUMNS.map((name) => row[name])]
  },
  rowKey: ({ position }) => position.toString(),
}

function rowOf(event: ViewImported): Row {
  return { ...placeOf(event), ...endingOf(event), ...timesOf(event), ...pictureOf(event), ...scoresOf(event) }
}

function placeOf({ meta, context, facts, ...event }: ViewImported) {
  return {
    vendor: event.vendor,
    view_id: event.viewId,
    profile_id: event.profileId,
    session_id: event.sessionId ?? '',
    started_at: timeCell(event.startedAt),
    ended_at: timeCell(event.endedAt ?? event.startedAt),
    imported_at: timeCell(meta.receivedAt),
    app_id: meta.appId,
    environment: meta.environment,
    title_id: event.titleId ?? '',
    title_name: event.titleName ?? '',
    series_id: facts?.seriesId ?? '',
    content_type: facts?.contentType ?? '',
    stream_type: context?.streamType ?? 'unknown',
    country: context?.country ?? '',
    region: context?.region ?? '',
    cdn: context?.cdn ?? '',
    isp: context?.isp ?? '',
    asn: asnCell(context?.asn),
    device_type: context?.deviceType ?? '',
    device_model: context?.deviceModel ?? '',
    os: context?.os ?? '',
    os_version: context?.osVersion ?? '',
    browser: context?.browser ?? '',
    browser_version: context?.browserVersion ?? '',
    player: context?.player ?? '',
    player_version: context?.playerVersion ?? '',
    app_version: context?.appVersion ?? '',
    network_type: context?.networkType ?? '',
    protocol: context?.protocol ?? '',
    drm: context?.drm ?? '',
    language: context?.language ?? '',
    error_code: event.errorCode ?? '',
    title_duration_ms: facts?.durationMs ?? 0,
  }
}

function endingOf(event: ViewImported) {
  const startupFailed = event.startupFailed === true
  const playbackFailed = event.playbackFailed === true && !startupFailed
  const started = event.startupMs !== null || event.contentStartupMs !== null || (event.playingMs ?? 0) > 0
  return {
    views: 1,
    starts: Number(started && !startupFailed && event.exitedBeforeStart !== true),
    ended_before_start: Number(event.exitedBeforeStart === true),
    failures: Number(startupFailed || playbackFailed),
    startup_failures: Number(startupFailed),
    playback_failures: Number(playbackFailed),
    business_failures: Number(event.businessFailed === true),
    clean_ends: Number(event.dropped === false && !startupFailed && !playbackFailed),
    told_ends: Number(event.dropped !== null),
  }
}

function timesOf(event: ViewImported) {
  return {
    startups: Number(event.startupMs !== null),
    their_startup_ms: event.startupMs ?? 0,
    content_startups: Number(event.contentStartupMs !== null),
    startup_ms: event.contentStartupMs ?? 0,
    page_startup_ms: event.pageStartupMs ?? 0,
    player_startup_ms: event.playerStartupMs ?? 0,
    preroll_startup_ms: event.prerollStartupMs ?? 0,
    their_watch_ms: event.watchMs ?? 0,
    // Without a number of its own the watch time less that of ads, which no view before them had.
    mux_watch_ms: event.contentWatchMs ?? Math.max(0, (event.watchMs ?? 0) - (event.adMs ?? 0)),
    playing_ms: event.playingMs ?? 0,
    mux_stalls: event.stalls ?? 0,
    mux_stalled_ms: event.stalledMs ?? 0,
    seeks: event.seeks ?? 0,
    seek_latency_ms: event.seekingMs ?? 0,
    furthest_ms: event.furthestMs ?? 0,
    ad_breaks: event.adBreaks ?? 0,
    ads: event.ads ?? 0,
    ad_ms: event.adMs ?? 0,
    ad_errors: event.adErrors ?? 0,
  }
}

function pictureOf(event: ViewImported) {
  const { averageBps, playingMs, liveLatencyMs } = event
  const known = averageBps !== null && playingMs !== null
  return {
    // Bits of a second times milliseconds: the rest of the division is less than a bit.
    wall_bits: known ? countCell((averageBps * playingMs) / 1_000) : 0,
    wall_bits_ms: known ? playingMs : 0,
    scale_ms: event.mediaMs ?? 0,
    upscale_permille_ms: event.upscalePermilleMs ?? 0,
    downscale_permille_ms: event.downscalePermilleMs ?? 0,
    upscale_max_permille: event.upscaleMaxPermille ?? 0,
    dropped_frames: event.droppedFrames ?? 0,
    live_latency_ms: liveLatencyMs ?? 0,
    live_latencies: Number(liveLatencyMs !== null),
  }
}

function scoresOf(event: ViewImported) {
  return {
    score_views: Number(event.scoreMilli !== null),
    score_milli: event.scoreMilli ?? 0,
    startup_score_milli: event.startupScoreMilli ?? 0,
    smoothness_score_milli: event.smoothnessScoreMilli ?? 0,
    quality_score_milli: event.qualityScoreMilli ?? 0,
    success_score_milli: event.successScoreMilli ?? 0,
  }
}

export function importedViewsV1(): Projection {
  return {
    name: 'imported_views',
    foldVersion: 1,
    topics: ['playback-events'],
    reads: ['ViewImported'],
    batchMs: 1_000,
    landings: [landing],
    journal,
  }
}
