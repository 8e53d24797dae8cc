/**
 * What truly happened in one view, counted by the model that makes it happen, as it happens. What is counted becomes
 * true for others when the event that tells of it is delivered (`deliver`): an audience that is cut off in the middle has
 * no more in its truth than the log can know of.
 */
const NAMES = [
  'views',
  'starts',
  'startupMs',
  'startupFailures',
  'playbackFailures',
  'businessFailures',
  /** Gone before the first frame, after a second or more. */
  'exitsBeforeStart',
  /** The same, sooner: by definition nobody's fault. */
  'quickExits',
  /** Gone before the first frame, and nobody heard of it. */
  'lostBeforeStart',
  'cleanEnds',
  'startingMs',
  'playingMs',
  'pausedMs',
  'seekingMs',
  'stalledMs',
  'stalls',
  /** By Mux: of 250 ms or more. */
  'muxStalls',
  'muxStalledMs',
  'sustainedStalls',
  /** By Conviva: not within two seconds after a seek. */
  'connectionStalls',
  'connectionStalledMs',
  'stalledViews',
  'seeks',
  'seekLatencies',
  'seekLatencyMs',
  'mediaMs',
  /** kbit/s × ms. */
  'bits',
  'upSwitches',
  'downSwitches',
  'events',
] as const

const SEEK_JOIN_MS = 2_000
const [MUX_STALL_MS, SUSTAINED_STALL_MS] = [250, 1_000]

export type TallyName = (typeof NAMES)[number]
export const TALLY_NAMES: readonly TallyName[] = NAMES
export const AT = Object.fromEntries(NAMES.map((name, i) => [name, i])) as Record<TallyName, number>

/** What a view is found by, named as the API's dimensions are. */
export interface Dimensions {
  readonly cdn: string
  readonly country: string
  readonly device_type: string
  readonly network_type: string
  readonly app_version: string
  readonly title_id: string
}

/** How it ended, as far as anybody can know. */
export type Ending = 'open' | 'finished' | 'quit' | 'replaced' | 'failed' | 'lost'

export interface Whose {
  readonly viewer: number
  readonly profileId: string
  readonly sessionId: string
  readonly titleId: string
  readonly startedAtMs: number
}

export class Tally {
  readonly whose: Whose
  readonly dimensions: Dimensions
  /** Counted and not yet delivered. */
  readonly #made = new Float64Array(NAMES.length)
  readonly delivered = new Float64Array(NAMES.length)
  ending: Ending = 'open'
  #seekEndedAtMs = Number.NEGATIVE_INFINITY
  #stallIsConnections = false
  /** From, to, from, to, …: watching, and not yet delivered. */
  readonly #spans: number[] = []

  constructor(whose: Whose, dimensions: Dimensions) {
    this.whose = whose
    this.dimensions = dimensions
  }

  add(name: TallyName, value = 1): void {
    this.#made[AT[name]]! += value
  }

  made(name: TallyName): number {
    return this.#made[AT[name]]!
  }

  // — where a definition decides what counts (docs/qoe.md) —

  /** Every stall counts; one that follows a seek at once is the seek's, not the connection's. */
  beginStall(nowMs: number): void {
    this.#stallIsConnections = nowMs - this.#seekEndedAtMs > SEEK_JOIN_MS
    if (this.made('stalls') === 0) this.add('stalledViews')
    this.add('stalls')
    if (this.#stallIsConnections) this.add('connectionStalls')
  }

  stall(ms: number): void {
    this.add('stalledMs', ms)
    if (this.#stallIsConnections) this.add('connectionStalledMs', ms)
  }

  /** Of that length in all. */
  endStall(ms: number): void {
    if (ms < MUX_STALL_MS) return
    this.add('muxStalls')
    this.add('muxStalledMs', ms)
    if (ms >= SUSTAINED_STALL_MS) this.add('sustainedStalls')
  }

  /** Seeks that are near to each other are one. */
  beginSeek(nowMs: number): void {
    if (this.made('seeks') === 0 || nowMs - this.#seekEndedAtMs > SEEK_JOIN_MS) this.add('seeks')
  }

  endSeek(nowMs: number, ms: number): void {
    this.#seekEndedAtMs = nowMs
    if (this.made('seekLatencies') < this.made('seeks')) this.add('seekLatencies')
    this.add('seekLatencyMs', ms)
  }

  /** Somebody looked at the screen, or waited for it. */
  watch(fromMs: number, toMs: number): void {
    const spans = this.#spans
    if (toMs === fromMs) return
    if (spans.length > 0 && spans[spans.length - 1] === fromMs) spans[spans.length - 1] = toMs
    else spans.push(fromMs, toMs)
  }

  deliver(watched: (fromMs: number, toMs: number) => void): void {
    this.delivered.set(this.#made)
    const spans = this.#spans
    for (let i = 0; i < spans.length; i += 2) watched(spans[i]!, spans[i + 1]!)
    spans.length = 0
  }
}
