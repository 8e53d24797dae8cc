/**
 * What a view is of and on: for each fact the earliest that was said, by (time, value), so that arrival decides nothing.
 * Facts count whenever they were said: a country that came with the last report is the country of the whole view.
 */
import type { Context, TitleFacts } from '../../schemas/index.ts'
import { VIEW_LIMITS } from './limits.ts'
import { kept, type ViewEvent } from './observation.ts'

export const FACTS = [
  'app_id',
  'environment',
  'source',
  'content_type',
  'series_id',
  'season',
  'episode',
  'title_duration_ms',
  'stream_type',
  'protocol',
  'cdn',
  'country',
  'region',
  'isp',
  'asn',
  'device_type',
  'device_model',
  'os',
  'os_version',
  'browser',
  'browser_version',
  'player',
  'player_version',
  'app_version',
  'sdk_version',
  'network_type',
  'drm',
  'language',
  'trigger',
  'page_startup_ms',
  'player_startup_ms',
] as const

export type FactName = (typeof FACTS)[number]
export type FactValue = string | number

export interface Facts {
  readonly values: readonly (FactValue | undefined)[]
  readonly at: readonly number[]
  /** Two reports disagree on what they run on. */
  readonly severalDevices: boolean
  /** A report after this time adds nothing to what all reports say, or to the title's length. */
  readonly basicsAt: number
  readonly lengthAt: number
}

const PLACE = Object.fromEntries(FACTS.map((name, i) => [name, i])) as Record<FactName, number>
export const NO_FACTS: Facts = factsOf(
  FACTS.map(() => undefined),
  FACTS.map(() => 0),
  false,
)

function factsOf(values: readonly (FactValue | undefined)[], at: readonly number[], severalDevices: boolean): Facts {
  const since = (name: FactName): number => {
    const place = PLACE[name]
    return values[place] === undefined ? Number.POSITIVE_INFINITY : at[place]!
  }
  const basicsAt = Math.max(since('app_id'), since('environment'), since('source'))
  return { values, at, severalDevices, basicsAt, lengthAt: since('title_duration_ms') }
}

export function factOf(facts: Facts, name: FactName): FactValue | undefined {
  return facts.values[PLACE[name]]
}

/** Draws a copy the first time that something changes. */
class Draft {
  readonly #held: Facts
  readonly #at: number
  #values: (FactValue | undefined)[] | undefined
  #times: number[] = []
  #severalDevices: boolean

  constructor(held: Facts, at: number) {
    this.#held = held
    this.#at = at
    this.#severalDevices = held.severalDevices
  }

  get facts(): Facts {
    if (this.#values === undefined && this.#severalDevices === this.#held.severalDevices) return this.#held
    return factsOf(this.#values ?? this.#held.values, this.#values ? this.#times : this.#held.at, this.#severalDevices)
  }

  offer(name: FactName, value: string | number | null | undefined): void {
    if (value === null || value === undefined || value === '') return
    const place = PLACE[name]
    const held = (this.#values ?? this.#held.values)[place]
    const heldAt = (this.#values ? this.#times : this.#held.at)[place]!
    if (held !== undefined && heldAt < this.#at) return
    const next = typeof value === 'string' ? kept(value) : value
    if (held !== undefined && heldAt === this.#at && held <= next) return
    if (this.#values === undefined) {
      this.#values = this.#held.values.slice()
      this.#times = this.#held.at.slice()
    }
    this.#values[place] = next
    this.#times[place] = this.#at
  }

  /** Before the value is offered. */
  differs(name: FactName, value: string | null | undefined): void {
    if (value === null || value === undefined || value === '') return
    const held = this.#held.values[PLACE[name]]
    if (held !== undefined && held !== kept(value)) this.#severalDevices = true
  }
}

interface Said {
  readonly cdn?: string | null
  readonly durationMs?: number | null
  readonly trigger?: string | null
  readonly pageStartupMs?: number | null
  readonly playerStartupMs?: number | null
  readonly streamType?: string | null
  readonly protocol?: string | null
  readonly context?: Context | null
  readonly facts?: TitleFacts | null
}

/** The same object if the event says nothing new. */
export function learn(held: Facts, event: ViewEvent, at: number): Facts {
  const { meta } = event
  const rest = event as unknown as Said
  const { context, facts, cdn } = rest
  // Nearly every heartbeat: nothing on it but what the first one said.
  if (event.type === 'Heartbeat' && !context && !facts && !cdn && at > held.basicsAt) {
    if (!rest.durationMs || at > held.lengthAt) return held
  }
  const draft = new Draft(held, at)
  draft.offer('app_id', meta.appId)
  draft.offer('environment', meta.environment)
  draft.offer('source', meta.source)
  draft.offer('cdn', cdn)
  draft.offer('title_duration_ms', lengthOf(rest.durationMs) ?? lengthOf(facts?.durationMs))
  draft.offer('trigger', rest.trigger)
  draft.offer('page_startup_ms', claimOf(rest.pageStartupMs))
  draft.offer('player_startup_ms', claimOf(rest.playerStartupMs))
  if (event.type === 'CmcdReport') {
    if (rest.streamType !== 'unknown') draft.offer('stream_type', rest.streamType)
    draft.offer('protocol', rest.protocol)
  }
  if (facts) learnTitle(draft, facts)
  if (context) learnContext(draft, context)
  return draft.facts
}

function learnTitle(draft: Draft, facts: TitleFacts): void {
  draft.offer('content_type', facts.contentType)
  draft.offer('series_id', facts.seriesId)
  draft.offer('season', numberOf(facts.season, 65_535))
  draft.offer('episode', numberOf(facts.episode, 65_535))
}

function learnContext(draft: Draft, context: Context): void {
  draft.differs('device_type', context.deviceType)
  draft.differs('device_model', context.deviceModel)
  draft.differs('os', context.os)
  draft.differs('browser', context.browser)
  if (context.streamType !== 'unknown') draft.offer('stream_type', context.streamType)
  draft.offer('protocol', context.protocol)
  draft.offer('cdn', context.cdn)
  draft.offer('country', context.country)
  draft.offer('region', context.region)
  draft.offer('isp', context.isp)
  draft.offer('asn', numberOf(context.asn, 4_294_967_295))
  draft.offer('device_type', context.deviceType)
  draft.offer('device_model', context.deviceModel)
  draft.offer('os', context.os)
  draft.offer('os_version', context.osVersion)
  draft.offer('browser', context.browser)
  draft.offer('browser_version', context.browserVersion)
  draft.offer('player', context.player)
  draft.offer('player_version', context.playerVersion)
  draft.offer('app_version', context.appVersion)
  draft.offer('sdk_version', context.sdkVersion)
  draft.offer('network_type', context.networkType)
  draft.offer('drm', context.drm)
  draft.offer('language', context.language)
}

function numberOf(value: number | null | undefined, max: number): number | null {
  return typeof value === 'number' && value >= 0 && value <= max ? Math.trunc(value) : null
}

/** A length of 0 is what players say before they know it. */
function lengthOf(ms: number | null | undefined): number | null {
  return typeof ms === 'number' && ms > 0 ? numberOf(ms, VIEW_LIMITS.durationMaxMs) : null
}

function claimOf(ms: number | null | undefined): number | null {
  return numberOf(ms, VIEW_LIMITS.claimMaxMs)
}

/** `[[time,{fact:value}],…,several]`: facts that were said together share their time. */
export function factsToText(facts: Facts): string {
  const known = TEXTS.get(facts)
  if (known !== undefined) return known
  const text = textOf(facts)
  TEXTS.set(facts, text)
  return text
}

/** Facts hardly ever change, and are written with every change of their view. */
const TEXTS = new WeakMap<Facts, string>()

function textOf({ values, at, severalDevices }: Facts): string {
  const groups = new Map<number, Record<string, FactValue>>()
  FACTS.forEach((name, i) => {
    const value = values[i]
    if (value === undefined) return
    const group = groups.get(at[i]!)
    if (group === undefined) groups.set(at[i]!, { [name]: value })
    else group[name] = value
  })
  return JSON.stringify([...groups, ...(severalDevices ? [true] : [])])
}

export function factsFromText(text: string): Facts {
  const values: (FactValue | undefined)[] = [...NO_FACTS.values]
  const at = [...NO_FACTS.at]
  let severalDevices = false
  for (const item of JSON.parse(text) as (true | [number, Partial<Record<FactName, FactValue>>])[]) {
    if (item === true) {
      severalDevices = true
      continue
    }
    for (const [name, value] of Object.entries(item[1])) {
      const place = PLACE[name as FactName]
      if (place === undefined) throw new Error(`no such fact of a view: ${name}`)
      values[place] = value
      at[place] = item[0]
    }
  }
  return factsOf(values, at, severalDevices)
}
