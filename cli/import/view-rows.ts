/**
 * Rows of `playhead import views`: Mux Data's export of views, by the names of its columns, those of its first version
 * included. Its times are UTC and milliseconds, its bitrates bits per second, its percentages and scores fractions of 1.
 */
import { type ImportedView, viewEvent } from '../../producers/import-views.ts'
import { toRecord } from '../../producers/record.ts'
import type { ImportKind } from './kind.ts'
import type { Fields } from './rows.ts'
import type { TimeRules } from './values.ts'
import { MUX_NAMES } from './view-columns.ts'
import { COUNT_MAX, MS_MAX, ViewFields } from './view-values.ts'

const TITLE_CHARS_MAX = 1_024
const BPS_MAX = 1e12

export const VIEW_FIELDS: readonly string[] = Object.values(MUX_NAMES).flat()

export const viewsImport: ImportKind<ImportedView> = {
  name: 'views',
  fields: VIEW_FIELDS,
  needed: [MUX_NAMES.viewId, MUX_NAMES.startedAt, MUX_NAMES.viewer],
  row: viewRow,
  records: async ({ codec }, run, rows) => rows.map((row) => toRecord(codec, viewEvent(run, row))),
}

function viewRow(fields: Fields, given: TimeRules): ImportedView {
  const said = new ViewFields(fields)
  // A time that names no zone is UTC: the vendor says so.
  const rules = { ...given, assumeUtc: true }
  const startupMs = said.ms('startupMs')
  return {
    profileId: said.neededId('viewer'),
    vendor: 'mux',
    viewId: said.neededId('viewId'),
    sessionId: said.id('sessionId'),
    titleId: said.id('titleId'),
    titleName: said.text('titleName', TITLE_CHARS_MAX),
    startedAt: said.neededTime('startedAt', rules),
    endedAt: said.time('endedAt', rules),
    context: contextOf(said),
    facts: {
      contentType: said.text('contentType'),
      durationMs: said.ms('durationMs'),
      creditsStartMs: null,
      seriesId: said.id('series'),
      season: null,
      episode: null,
    },
    ...endOf(said, startupMs),
    startupMs,
    contentStartupMs: said.ms('contentStartupMs'),
    playerStartupMs: said.ms('playerStartupMs'),
    pageStartupMs: said.ms('pageStartupMs'),
    prerollStartupMs: said.ms('prerollStartupMs'),
    ...playedOf(said),
    ...pictureOf(said),
    adBreaks: said.count('adBreaks'),
    ads: said.count('ads'),
    adMs: said.ms('adMs'),
    adErrors: said.count('adErrors'),
    scoreMilli: said.scoreMilli('score'),
    startupScoreMilli: said.scoreMilli('startupScore'),
    smoothnessScoreMilli: said.scoreMilli('smoothnessScore'),
    qualityScoreMilli: said.scoreMilli('qualityScore'),
    successScoreMilli: said.scoreMilli('successScore'),
  }
}

/** A fatal error that no column places came before the start if there was none. */
function endOf(said: ViewFields, startupMs: number | null) {
  const errorCode = said.text('errorCode')
  const businessFailed = said.is('businessFailure')
  const told = said.boolean('startupFailed')
  const failed = (errorCode !== null || said.is('playbackFailure')) && !businessFailed
  const startupFailed = told ?? (failed && startupMs === null && !said.is('playbackFailure'))
  return {
    errorCode,
    exitedBeforeStart: said.boolean('exitedBeforeStart'),
    startupFailed,
    playbackFailed: failed && !startupFailed,
    businessFailed,
    dropped: said.boolean('dropped'),
  }
}

function playedOf(said: ViewFields) {
  return {
    watchMs: said.ms('watchMs'),
    contentWatchMs: said.ms('contentWatchMs'),
    playingMs: said.ms('playingMs'),
    stalls: said.count('stalls'),
    stalledMs: said.ms('stalledMs'),
    seeks: said.count('seeks'),
    seekingMs: said.ms('seekingMs'),
    furthestMs: said.ms('furthestMs'),
  }
}

function pictureOf(said: ViewFields) {
  return {
    mediaMs: said.ms('mediaMs'),
    upscalePermilleMs: said.whole('upscaledMs', MS_MAX * 1_000, 1_000),
    downscalePermilleMs: said.whole('downscaledMs', MS_MAX * 1_000, 1_000),
    upscaleMaxPermille: said.whole('upscaleMax', COUNT_MAX, 1_000),
    averageBps: said.whole('averageBps', BPS_MAX),
    droppedFrames: said.count('droppedFrames'),
    liveLatencyMs: said.ms('liveLatencyMs'),
  }
}

function contextOf(said: ViewFields): ImportedView['context'] {
  return {
    player: said.text('player'),
    playerVersion: said.text('playerVersion'),
    sdkVersion: null,
    appVersion: said.text('appVersion'),
    pageUrl: null,
    deviceType: said.text('deviceType'),
    deviceModel: said.text('deviceModel'),
    os: said.text('os'),
    osVersion: said.text('osVersion'),
    browser: said.text('browser'),
    browserVersion: said.text('browserVersion'),
    country: said.text('country'),
    region: said.text('region'),
    asn: said.whole('asn', 2 ** 32 - 1),
    isp: said.text('isp'),
    cdn: said.text('cdn'),
    edge: null,
    networkType: networkOf(said.text('networkType')),
    protocol: protocolOf(said.text('sourceType')),
    streamType: streamOf(said.text('streamType')),
    drm: said.text('drm'),
    language: said.text('language'),
    screenWidth: null,
    screenHeight: null,
    playerWidth: null,
    playerHeight: null,
    offline: null,
  }
}

function streamOf(theirs: string | null): 'vod' | 'live' | 'unknown' {
  if (theirs === null) return 'unknown'
  return /demand|vod/i.test(theirs) ? 'vod' : /live/i.test(theirs) ? 'live' : 'unknown'
}

function networkOf(theirs: string | null): string | null {
  return theirs === 'wired' ? 'ethernet' : theirs
}

function protocolOf(mime: string | null): string | null {
  if (mime === null) return null
  return /mpegurl|hls/i.test(mime) ? 'hls' : /dash/i.test(mime) ? 'dash' : mime
}
