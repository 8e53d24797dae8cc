/**
 * What is known of the player: by the collector's address (`?player=hls.js/1.7.4`), which is the only way for those that
 * run in a browser, else by the user agent, of which only the kind of device and software is kept.
 */
import type { FastifyRequest } from 'fastify'
import type { NewContext } from '../../producers/cmcd/index.ts'
import { Recent } from '../recent.ts'
import { COLLECTOR_LIMITS } from './limits.ts'

export type Agent = Omit<NewContext, 'streamType'>

const PLAYER = /^([\w .+-]{1,40})(?:[/@]([\w.+-]{1,24}))?$/

const remembered = new Recent<Agent>(
  COLLECTOR_LIMITS.agentsMax,
  COLLECTOR_LIMITS.agentsMax * COLLECTOR_LIMITS.agentCharsMax,
)

export function agentOf(request: FastifyRequest): Agent {
  const said = request.headers['user-agent']?.slice(0, COLLECTOR_LIMITS.agentCharsMax) ?? ''
  let agent = remembered.get(said)
  if (agent === undefined) {
    agent = readAgent(said)
    remembered.put(said, agent)
  }
  const { player } = request.query as Readonly<Record<string, unknown>>
  const named = typeof player === 'string' ? PLAYER.exec(player) : null
  return named === null ? agent : { ...agent, player: named[1], playerVersion: named[2] ?? null }
}

/** In one word, for counting. */
export function playerOf({ player, playerVersion, browser }: Agent): string {
  if (player != null) return playerVersion == null ? player : `${player}/${playerVersion}`
  return browser ?? 'unknown'
}

/** Software that plays and says so; the first that fits. */
const PLAYERS: readonly (readonly [string, RegExp])[] = [
  ['ExoPlayer', /\b(?:ExoPlayerLib|ExoPlayer|AndroidXMedia3)\/([\w.]+)/],
  ['AVPlayer', /\bAppleCoreMedia\/([\w.]+)/],
  ['Roku', /\bRoku\/DVP-?([\w.]*)/],
  ['VLC', /\b(?:VLC|LibVLC)\/([\w.]+)/],
  ['mpv', /\b(?:mpv|libmpv) ?\/?([\w.]*)/],
]
const BROWSERS: readonly (readonly [string, RegExp])[] = [
  ['Edge', /\bEdg(?:e|A|iOS)?\/([\d]+)/],
  ['Opera', /\bOPR\/([\d]+)/],
  ['Samsung Internet', /\bSamsungBrowser\/([\d]+)/],
  ['Firefox', /\b(?:Firefox|FxiOS)\/([\d]+)/],
  ['Chrome', /\b(?:HeadlessChrome|Chrome|CriOS)\/([\d]+)/],
  ['Safari', /\bVersion\/([\d]+)[\d.]* (?:Mobile\/\w+ )?Safari\//],
]
const SYSTEMS: readonly (readonly [string, RegExp])[] = [
  ['Tizen', /\bTizen ?\/?([\d]*)/],
  ['webOS', /\b(?:Web0S|webOS)[/ ]?([\d]*)/],
  ['Fire OS', /\bAFT\w+/],
  ['Android', /\bAndroid ?([\d]*)/],
  ['tvOS', /\b(?:AppleTV|Apple TV|tvOS)[^\d]*([\d]*)/],
  ['iOS', /\b(?:iPhone|iPad|CPU) (?:OS|iPhone OS) ([\d]+)/],
  ['Windows', /\bWindows NT ([\d]+)/],
  ['ChromeOS', /\bCrOS\b/],
  ['macOS', /\bMac OS X ([\d]+)/],
  ['Linux', /\bLinux\b/],
]
const DEVICES: readonly (readonly [string, RegExp])[] = [
  ['console', /\b(?:PlayStation|Xbox|Nintendo)\b/],
  ['tv', /\b(?:Tizen|Web0S|webOS|SMART-TV|SmartTV|AppleTV|Apple TV|Roku|AFT\w+|BRAVIA|GoogleTV|Android TV|CrKey)\b/],
  ['tablet', /\b(?:iPad|Tablet|SM-T\d+)\b/],
  ['phone', /\b(?:iPhone|Mobile|Android)\b/],
  ['desktop', /\b(?:Windows NT|Mac OS X|X11|CrOS|Linux)\b/],
]

function readAgent(text: string): Agent {
  const [player, playerVersion] = firstOf(PLAYERS, text)
  const [browser, browserVersion] = firstOf(BROWSERS, text)
  const [os, osVersion] = firstOf(SYSTEMS, text)
  const [deviceType] = firstOf(DEVICES, text)
  return { player, playerVersion, browser, browserVersion, os, osVersion, deviceType }
}

function firstOf(table: readonly (readonly [string, RegExp])[], text: string): readonly [string | null, string | null] {
  for (const [name, pattern] of table) {
    const found = pattern.exec(text)
    if (found !== null) return [name, found[1] || null]
  }
  return [null, null]
}
