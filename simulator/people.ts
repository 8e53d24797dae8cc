/** Who watches, where and on what. A viewer is worked out from a number each time: nobody has to be remembered. */
import type { Context } from '../schemas/index.ts'
import type { Group, Settled } from './options.ts'
import { Choices, type Random, Streams } from './random.ts'

export interface Viewer {
  readonly index: number
  readonly profileId: string
  readonly place: Place
  readonly device: Device
  readonly group: Group | undefined
  /** What the device's clock says more than the time is. */
  readonly clockOffsetMs: number
  /** From the device to us, one way. */
  readonly uplinkMs: number
}

export interface Place {
  readonly country: string
  readonly region: string
  readonly isp: string
  readonly asn: number
  /** Of what networks elsewhere bring. */
  readonly speed: number
}

export interface Device {
  readonly deviceType: 'phone' | 'tablet' | 'desktop' | 'tv' | 'console'
  readonly os: string
  readonly browser: string | null
  readonly player: string
  readonly playerVersion: string
  readonly protocol: 'hls' | 'dash'
  readonly drm: string
  readonly width: number
  readonly height: number
  /** From the wish to the first request. */
  readonly setupMs: number
}

export interface Network {
  readonly type: 'wifi' | 'cellular' | 'ethernet'
  readonly kbps: number
  readonly spread: number
  readonly roundTripMs: number
  /** Spells of good and bad throughput, on average. */
  readonly goodMs: number
  readonly badMs: number
}

const place = (country: string, region: string, isp: string, asn: number, speed: number): Place => ({
  country,
  region,
  isp,
  asn,
  speed,
})

const PLACES = new Choices<Place>([
  [place('US', 'CA', 'Comcast', 7922, 1.1), 14],
  [place('US', 'NY', 'Verizon', 701, 1.1), 10],
  [place('US', 'TX', 'AT&T', 7018, 0.9), 10],
  [place('DE', 'BE', 'Deutsche Telekom', 3320, 1), 8],
  [place('DE', 'BY', 'Vodafone', 3209, 0.9), 8],
  [place('GB', 'ENG', 'BT', 2856, 1), 10],
  [place('GB', 'SCT', 'Sky', 5607, 0.9), 3],
  [place('FR', 'IDF', 'Orange', 3215, 1.1), 8],
  [place('ES', 'MD', 'Telefonica', 3352, 1.1), 5],
  [place('BR', 'SP', 'Claro', 28573, 0.6), 8],
  [place('IN', 'MH', 'Jio', 55836, 0.45), 9],
  [place('JP', '13', 'NTT', 4713, 1.3), 7],
])

const device = (
  deviceType: Device['deviceType'],
  [os, browser]: readonly [string, string | null],
  [player, playerVersion]: readonly [string, string],
  [protocol, drm]: readonly ['hls' | 'dash', string],
  [width, height]: readonly [number, number],
  setupMs: number,
): Device => ({ deviceType, os, browser, player, playerVersion, protocol, drm, width, height, setupMs })

const HLS = ['hls.js', '1.7.4'] as const
const DASH = ['dash.js', '5.2.1'] as const
const SHAKA = ['Shaka Player', '5.2.12'] as const
const FAIRPLAY = ['hls', 'fairplay'] as const
const WIDEVINE = ['dash', 'widevine'] as const
const HLS_WIDEVINE = ['hls', 'widevine'] as const

const DEVICES = new Choices<Device>([
  [device('phone', ['iOS', null], ['AVPlayer', '18'], FAIRPLAY, [844, 390], 190), 18],
  [device('phone', ['Android', null], ['ExoPlayer', '1.5'], WIDEVINE, [915, 412], 260), 22],
  [device('tablet', ['iPadOS', null], ['AVPlayer', '18'], FAIRPLAY, [1180, 820], 180), 6],
  [device('tablet', ['Android', null], ['ExoPlayer', '1.5'], WIDEVINE, [1280, 800], 280), 3],
  [device('desktop', ['Windows', 'Chrome'], HLS, HLS_WIDEVINE, [1280, 720], 150), 12],
  [device('desktop', ['Windows', 'Firefox'], SHAKA, WIDEVINE, [1280, 720], 170), 4],
  [device('desktop', ['macOS', 'Safari'], SHAKA, FAIRPLAY, [1440, 810], 140), 6],
  [device('tv', ['Tizen', null], DASH, WIDEVINE, [1920, 1080], 620), 10],
  [device('tv', ['webOS', null], SHAKA, WIDEVINE, [1920, 1080], 560), 8],
  [device('tv', ['Android TV', null], ['ExoPlayer', '1.5'], WIDEVINE, [1920, 1080], 480), 8],
  [device('console', ['PlayStation', null], DASH, ['dash', 'playready'], [1920, 1080], 420), 3],
])

const WIFI: Network = { type: 'wifi', kbps: 26_000, spread: 0.7, roundTripMs: 28, goodMs: 240_000, badMs: 16_000 }
const CELLULAR: Network = {
  type: 'cellular',
  kbps: 11_000,
  spread: 0.8,
  roundTripMs: 62,
  goodMs: 110_000,
  badMs: 22_000,
}
const ETHERNET: Network = {
  type: 'ethernet',
  kbps: 60_000,
  spread: 0.5,
  roundTripMs: 18,
  goodMs: 900_000,
  badMs: 12_000,
}

/** How many of a kind of device have a network of which kind, by share. */
const NETWORKS: Readonly<Record<Device['deviceType'], Choices<Network>>> = {
  phone: new Choices([
    [CELLULAR, 45],
    [WIFI, 55],
  ]),
  tablet: new Choices([
    [CELLULAR, 10],
    [WIFI, 90],
  ]),
  desktop: new Choices([
    [WIFI, 70],
    [ETHERNET, 30],
  ]),
  tv: new Choices([
    [WIFI, 65],
    [ETHERNET, 35],
  ]),
  console: new Choices([
    [WIFI, 40],
    [ETHERNET, 60],
  ]),
}

export const CDNS = new Choices<string>([
  ['akamai', 40],
  ['cloudfront', 35],
  ['fastly', 25],
])

/** Hours and days are wrong time zones and dead batteries; minutes are neglect. */
const WRONG_BY_MS = new Choices([
  [90_000, 5],
  [-240_000, 5],
  [3_600_000, 3],
  [-86_400_000, 1],
  [-365 * 86_400_000, 1],
])

export class People {
  readonly #streams: Streams
  readonly #settled: Settled
  readonly #groups: Choices<Group> | undefined

  constructor(settled: Settled) {
    this.#settled = settled
    this.#streams = new Streams(settled.seed, 'viewers')
    const { groups } = settled
    this.#groups = groups.length === 0 ? undefined : new Choices(groups.map((group) => [group, group.share]))
  }

  of(index: number): Viewer {
    const random = this.#streams.of(index)
    const [where, on, groupShare, clockShare] = [
      random.pick(PLACES),
      random.pick(DEVICES),
      random.share(),
      random.share(),
    ] as const
    const wrong = clockShare < this.#settled.mishaps.wrongClocks
    return {
      index,
      profileId: `sim-viewer-${String(index + 1).padStart(6, '0')}`,
      place: where,
      device: on,
      group: this.#groups?.at(groupShare),
      clockOffsetMs: wrong ? random.pick(WRONG_BY_MS) : 0,
      uplinkMs: Math.round(random.between(15, 140)),
    }
  }
}

export function networkOf({ device: { deviceType } }: Viewer, random: Random): Network {
  return random.pick(NETWORKS[deviceType])
}

export function contextOf(viewer: Viewer, network: Network, cdn: string, offline: boolean): Context {
  const { place, device, group } = viewer
  return {
    player: device.player,
    playerVersion: device.playerVersion,
    sdkVersion: null,
    appVersion: group === undefined ? 'sim' : `sim-${group.name}`,
    pageUrl: null,
    deviceType: device.deviceType,
    deviceModel: null,
    os: device.os,
    osVersion: null,
    browser: device.browser,
    browserVersion: null,
    country: place.country,
    region: place.region,
    asn: place.asn,
    isp: place.isp,
    cdn: offline ? null : cdn,
    edge: null,
    networkType: network.type,
    protocol: device.protocol,
    streamType: 'vod',
    drm: device.drm,
    language: null,
    screenWidth: null,
    screenHeight: null,
    playerWidth: device.width,
    playerHeight: device.height,
    offline,
  }
}
