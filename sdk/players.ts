/**
 * What hls.js, dash.js and Shaka Player know beyond the media element: the rendition that is shown, bandwidth, CDN,
 * errors. Known by their shape, not by import: whatever version the page has. Where a player has nothing to
 * say or says it in another way, the rest goes on without.
 */
import type { Failure, Rendition } from './recorder.ts'

export interface PlayerView {
  readonly name: string
  readonly version: string | undefined
  readonly protocol: string | undefined
  /** Empty: not known. */
  readonly rendition: (shownHeight: number) => Rendition
  readonly throughputKbps: () => number | undefined
  readonly detach: () => void
}

export interface PlayerPorts {
  /** The rendition may be another one. */
  readonly changed: () => void
  readonly failed: (failure: Failure, fatal: boolean) => void
}

type Handler = (...args: never[]) => void
type Handlers = Readonly<Record<string, Handler>>

export function viewPlayer(player: unknown, ports: PlayerPorts): PlayerView | undefined {
  if (typeof player !== 'object' || player === null) return undefined
  if ('bandwidthEstimate' in player) return viewHls(player as Hls, ports)
  if ('getAverageThroughput' in player) return viewDash(player as Dash, ports)
  if ('getVariantTracks' in player) return viewShaka(player as Shaka, ports)
  return undefined
}

// — hls.js —

interface Hls {
  on(event: string, handler: Handler): void
  off(event: string, handler: Handler): void
  readonly levels: readonly {
    readonly bitrate: number
    readonly width: number
    readonly height: number
  }[]
  readonly bandwidthEstimate: number
  readonly currentLevel: number
  readonly constructor: { readonly version?: string }
}

interface HlsError {
  readonly fatal: boolean
  readonly type: string
  readonly details: string
  readonly error?: Error
}

function viewHls(hls: Hls, { changed, failed }: PlayerPorts): PlayerView {
  let cdn: string | undefined
  let level = hls.currentLevel
  const detach = listen(hls, 'on', 'off', {
    hlsLevelSwitched: (_: string, data: { level: number }) => {
      level = data.level
      changed()
    },
    hlsFragLoaded: (_: string, { frag }: { frag: { url?: string } }) => {
      cdn = hostOf(frag.url)
    },
    hlsError: (_: string, { fatal, type, details, error }: HlsError) => {
      // Media errors that it recovers from are its word for a stall, among others.
      if (fatal || type !== 'mediaError') failed({ code: details, message: error?.message }, fatal)
    },
  })
  return {
    name: 'hls.js',
    version: hls.constructor.version,
    protocol: 'hls',
    rendition() {
      const { bitrate, width, height } = hls.levels[level] ?? {}
      return level < 0 ? {} : { renditionId: `${level}`, videoBitrateKbps: kbps(bitrate), width, height, cdn }
    },
    throughputKbps: () => kbps(hls.bandwidthEstimate),
    detach,
  }
}

// — dash.js —

interface DashRepresentation {
  readonly id: string
  readonly bandwidth: number
  readonly width: number
  readonly height: number
}

interface Dash {
  on(event: string, handler: Handler): void
  off(event: string, handler: Handler): void
  getAverageThroughput(type: string): number
  getVersion(): string
}

function viewDash(dash: Dash, { changed, failed }: PlayerPorts): PlayerView {
  let cdn: string | undefined
  const shown: Record<string, DashRepresentation | undefined> = {}
  const detach = listen(dash, 'on', 'off', {
    qualityChangeRendered: (e: { mediaType: string; newRepresentation?: DashRepresentation }) => {
      shown[e.mediaType] = e.newRepresentation
      changed()
    },
    fragmentLoadingCompleted: ({ request }: { request: { url?: string } }) => {
      cdn = hostOf(request.url)
    },
    error: ({ error }: { error?: { code?: unknown; message?: string } }) =>
      // dash.js does not say which of its errors end playback; the media element does.
      failed({ code: `dash ${error?.code}`, message: error?.message }, false),
  })
  return {
    name: 'dash.js',
    version: dash.getVersion(),
    protocol: 'dash',
    rendition() {
      const { id: renditionId, bandwidth, width, height } = shown.video ?? {}
      const audioBitrateKbps = kbps(shown.audio?.bandwidth)
      return renditionId ? { renditionId, videoBitrateKbps: kbps(bandwidth), audioBitrateKbps, width, height, cdn } : {}
    },
    throughputKbps: () => kbps(dash.getAverageThroughput('video') * 1_000),
    detach,
  }
}

// — Shaka Player —

interface Shaka {
  getVariantTracks(): readonly {
    readonly active: boolean
    readonly id: number
    readonly bandwidth: number
    readonly videoBandwidth: number | null
    readonly audioBandwidth: number | null
    readonly width: number | null
    readonly height: number | null
  }[]
  getStats(): { readonly estimatedBandwidth: number }
  getManifestType?(): string | null
  addEventListener(event: string, handler: Handler): void
  removeEventListener(event: string, handler: Handler): void
  getNetworkingEngine?(): {
    registerResponseFilter(filter: Handler): void
    unregisterResponseFilter(filter: Handler): void
  } | null
  readonly constructor: { readonly version?: string }
}

/** RequestType.SEGMENT */
const SHAKA_SEGMENT = 1
/** util.Error.Severity.CRITICAL */
const SHAKA_CRITICAL = 2

function viewShaka(shaka: Shaka, { changed, failed }: PlayerPorts): PlayerView {
  let cdn: string | undefined
  let last: Rendition = {}
  const served = (type: number, { uri }: { uri?: string }) => {
    if (type === SHAKA_SEGMENT) cdn = hostOf(uri)
  }
  const network = shaka.getNetworkingEngine?.()
  network?.registerResponseFilter(served)
  const detach = listen(shaka, 'addEventListener', 'removeEventListener', {
    adaptation: changed,
    variantchanged: changed,
    error: ({ detail }: { detail?: { code?: unknown; severity?: number; message?: string } }) =>
      failed({ code: `shaka ${detail?.code}`, message: detail?.message }, detail?.severity === SHAKA_CRITICAL),
  })
  return {
    name: 'shaka-player',
    version: shaka.constructor.version,
    get protocol() {
      return shaka.getManifestType?.()?.toLowerCase()
    },
    rendition(shownHeight) {
      const track = shaka.getVariantTracks().find(({ active }) => active)
      // The active track is the one that is fetched; it is shown once the picture has its height.
      if (track === undefined || (track.height && track.height !== shownHeight)) return last
      const { id, bandwidth, videoBandwidth, audioBandwidth, width, height } = track
      const videoBitrateKbps = kbps(videoBandwidth ?? bandwidth)
      const audioBitrateKbps = kbps(audioBandwidth)
      last = { renditionId: `${id}`, videoBitrateKbps, audioBitrateKbps, width, height, cdn }
      return last
    },
    throughputKbps: () => kbps(shaka.getStats().estimatedBandwidth),
    detach() {
      detach()
      network?.unregisterResponseFilter(served)
    },
  }
}

// — common —

/** Returns how to stop listening. */
function listen<Name extends string>(
  target: Readonly<Record<Name, (event: string, handler: Handler) => void>>,
  on: Name,
  off: Name,
  handlers: Handlers,
): () => void {
  for (const event in handlers) target[on](event, handlers[event]!)
  return () => {
    for (const event in handlers) target[off](event, handlers[event]!)
  }
}

/** Players say NaN, null or nothing before they know. */
function kbps(bitsPerSecond: number | null | undefined): number | undefined {
  return bitsPerSecond ? Math.round(bitsPerSecond / 1_000) : undefined
}

/** Who serves, where nothing names it. */
function hostOf(url = ''): string | undefined {
  return url.split('/')[2]
}
