/** Where and on what: what a page knows of its device. Nothing here names a person. */
import type { PlayerContext } from './events.ts'
import type { PlayerView } from './players.ts'

/** Of this file; in step with package.json. */
const SDK_VERSION = '0.1.0'

interface Hints {
  readonly connection?: { readonly type?: string; readonly effectiveType?: string }
}

/** As user agents name them, and as everybody else does. The first that is found is it. */
const SYSTEMS = /iPhone|iPad|Android|Windows|Mac OS|CrOS|Tizen|Web0S|Linux(?!.*(Android|Tizen))/
const BROWSERS = /(Edg|OPR|SamsungBrowser|Firefox|Version|Chrome)\/(\d+)(?!.*(Edg|OPR)\/)/
const NAMES: Readonly<Record<string, string>> = {
  iPhone: 'iOS',
  iPad: 'iOS',
  'Mac OS': 'macOS',
  Web0S: 'webOS',
  Edg: 'Edge',
  OPR: 'Opera',
  Version: 'Safari',
}

function named(word: string | undefined): string | undefined {
  return word && (NAMES[word] ?? word)
}

function deviceType(agent: string): string {
  if (/TV|Tizen|Web0S|PlayStation|Xbox/.test(agent)) return 'tv'
  if (/iPad|Android(?!.*Mobi)/.test(agent)) return 'tablet'
  return /Mobi/.test(agent) ? 'phone' : 'desktop'
}

export function pageContext(
  video: HTMLVideoElement,
  player: PlayerView | undefined,
  own: PlayerContext | undefined,
  identifying: boolean,
): PlayerContext {
  const agent = navigator.userAgent
  const { connection } = navigator as Hints
  const [, browser, version] = BROWSERS.exec(agent) ?? []
  const { duration } = video
  return {
    player: player?.name ?? 'html5',
    playerVersion: player?.version,
    protocol: player?.protocol,
    sdkVersion: SDK_VERSION,
    pageUrl: identifying ? location.origin + location.pathname : undefined,
    deviceType: deviceType(agent),
    os: named(SYSTEMS.exec(agent)?.[0]),
    browser: named(browser),
    browserVersion: version,
    networkType: connection?.type ?? connection?.effectiveType,
    language: navigator.language,
    streamType: duration > 0 ? (Number.isFinite(duration) ? 'vod' : 'live') : 'unknown',
    cdn: player?.rendition(video.videoHeight).cdn,
    ...own,
  }
}
