/** An audience in the log: sessions that start together-ish, report every ten seconds and stall now and then. */
import type { EventLog, NewRecord } from '../log/log.ts'
import type { EventCodec, NewEvent } from '../schemas/index.ts'
import { heartbeat, idOf } from '../test/consumers/events.ts'

export const AUDIENCE_FROM_MS = Date.UTC(2026, 9, 1)
const REPORT_MS = 10_000
const DURATION_MS = 7_200_000
/** One in so many reports is a stall of two seconds instead. */
const STALL_EVERY = 60

const CONTEXT = {
  player: 'hls.js',
  playerVersion: '1.6.2',
  sdkVersion: null,
  appVersion: '4.2.0',
  pageUrl: null,
  deviceType: 'tv',
  deviceModel: null,
  os: 'tvos',
  osVersion: null,
  browser: null,
  browserVersion: null,
  country: 'DE',
  region: 'BE',
  asn: 3320,
  isp: 'isp',
  cdn: 'fastly',
  edge: null,
  networkType: 'wifi',
  protocol: 'hls',
  streamType: 'vod',
  drm: null,
  language: null,
  screenWidth: null,
  screenHeight: null,
  playerWidth: 1920,
  playerHeight: 1080,
  offline: null,
} as const

/** Events in the order in which they arrive: each session's report number 0, then number 1, and so on. */
export async function fillWithAudience(
  log: EventLog,
  codec: EventCodec,
  { sessions, events }: { readonly sessions: number; readonly events: number },
): Promise<void> {
  let batch: NewRecord[] = []
  for (let i = 0; i < events; i++) {
    const event = eventOf(i % sessions, Math.floor(i / sessions), i)
    const { receivedAt } = event.meta
    batch.push({
      topic: 'playback-events',
      key: (event as { profileId: string }).profileId,
      value: codec.encode(event),
      timestampMs: receivedAt,
    })
    if (batch.length < 2_000 && i + 1 < events) continue
    await log.append(batch)
    batch = []
  }
}

export function eventOf(session: number, report: number, id: number): NewEvent {
  const profileId = `profile-${session}`
  const atMs = AUDIENCE_FROM_MS + report * REPORT_MS + (session % REPORT_MS)
  const positionMs = (report * REPORT_MS) % DURATION_MS
  const base = heartbeat({ profileId, eventId: idOf(id), positionMs, atMs })
  const { meta, sessionId } = base
  const view = { meta, profileId, sessionId, titleId: `title-${session % 500}`, sequence: report, positionMs }
  if (report === 0) {
    const started = { trigger: 'user', pageStartupMs: 800, playerStartupMs: 200, context: CONTEXT, facts: FACTS }
    return { type: 'PlaybackStarted', ...view, ...started, personal: null }
  }
  if (report === 1) {
    const shown = { startupMs: 900, videoBitrateKbps: 4_500, audioBitrateKbps: 128, width: 1920, height: 1080 }
    return { type: 'FirstFrame', ...view, ...shown, context: null, facts: FACTS, personal: null }
  }
  if ((report + session) % STALL_EVERY === 0) {
    const stalled = { played: [], videoBitrateKbps: 4_500, bufferMs: 0, cdn: null, context: null }
    return { type: 'StallStarted', ...view, ...stalled, facts: FACTS, personal: null }
  }
  return {
    ...base,
    ...view,
    durationMs: DURATION_MS,
    played: [{ fromMs: Math.max(0, positionMs - REPORT_MS), toMs: positionMs }],
    videoBitrateKbps: 4_500,
    audioBitrateKbps: 128,
    bufferMs: 20_000,
    droppedFrames: report,
    facts: FACTS,
  }
}

const FACTS = {
  contentType: 'movie',
  durationMs: DURATION_MS,
  creditsStartMs: null,
  seriesId: null,
  season: null,
  episode: null,
} as const
