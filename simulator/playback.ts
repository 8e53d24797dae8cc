/** What a player has of its media: where it is, how much is buffered, in which rendition; and when that will have run out. */
import type { PlayedRange } from '../schemas/index.ts'
import { AUDIO_KBPS, LADDER, type Rung, rungFor } from './network.ts'

/** Where media comes from. */
export interface Source {
  readonly kbps: number
  readonly changesAtMs: number
  change(nowMs: number): void
  roundTripMs(nowMs: number): number
  failuresAt(nowMs: number): number
}

/** Media that a player wants before it shows the first frame, goes on after a stall, and after a seek. */
export const START_MEDIA_MS = 2_000
const [RESUME_MEDIA_MS, SEEK_MEDIA_MS] = [2_500, 1_000]
const BUFFER_MAX_MS = 16_000
/** Stepping up wants so much of it. */
const STEP_UP_BUFFER_MS = 8_000
/** The first rendition is not the best one: nothing was measured yet. */
const FIRST_RUNG_MAX = 3
const NEVER = Number.POSITIVE_INFINITY
const NOTHING: readonly PlayedRange[] = []

export interface PlaybackParts {
  readonly source: Source
  readonly screenHeight: number
  readonly durationMs: number
  readonly positionMs: number
  readonly ratePermille: number
}

export class Playback {
  readonly source: Source
  readonly durationMs: number
  readonly ratePermille: number
  bufferMs = 0
  rung: number
  readonly #screenHeight: number
  #position: number
  #playedFromMs: number

  constructor({ source, screenHeight, durationMs, positionMs, ratePermille }: PlaybackParts) {
    this.source = source
    this.durationMs = durationMs
    this.ratePermille = ratePermille
    this.#screenHeight = screenHeight
    this.#position = positionMs
    this.#playedFromMs = positionMs
    this.rung = Math.min(this.wantedRung(), FIRST_RUNG_MAX)
  }

  get positionMs(): number {
    return Math.floor(this.#position)
  }

  get picture(): Rung {
    return LADDER[this.rung]!
  }

  /** Of picture and sound. */
  get kbps(): number {
    return this.picture.video + AUDIO_KBPS
  }

  wantedRung(): number {
    return rungFor(this.source.kbps, this.#screenHeight)
  }

  mayStepUp(): boolean {
    return this.bufferMs >= STEP_UP_BUFFER_MS
  }

  /** Answers how much media was played. */
  play(ms: number): number {
    const beforeMs = this.positionMs
    const moved = (ms * this.ratePermille) / 1_000
    this.#position = Math.min(this.#position + moved, this.durationMs)
    this.bufferMs = Math.max(0, Math.min(BUFFER_MAX_MS, this.bufferMs + ms * this.#arriving() - moved))
    return this.positionMs - beforeMs
  }

  load(ms: number): void {
    this.bufferMs = Math.min(BUFFER_MAX_MS, this.bufferMs + ms * this.#arriving())
  }

  /** How long loading takes before it goes on there. */
  seek(targetMs: number): number {
    const aheadMs = targetMs - this.#position
    const inBuffer = aheadMs >= 0 && aheadMs < this.bufferMs
    this.bufferMs = inBuffer ? this.bufferMs - aheadMs : SEEK_MEDIA_MS
    return inBuffer ? 0 : SEEK_MEDIA_MS / this.#arriving()
  }

  goTo(targetMs: number): void {
    this.#position = targetMs
    this.#playedFromMs = targetMs
  }

  firstMediaInMs(): number {
    return START_MEDIA_MS / this.#arriving()
  }

  endsInMs(): number {
    return Math.ceil((this.durationMs - this.#position) / (this.ratePermille / 1_000))
  }

  /** While it plays, if nothing changes. */
  emptyInMs(): number {
    const drain = this.ratePermille / 1_000 - this.#arriving()
    if (drain <= 0 || this.bufferMs >= this.durationMs - this.#position) return NEVER
    return Math.ceil(this.bufferMs / drain)
  }

  /** While it stalls, if nothing changes. */
  resumesInMs(): number {
    const wantedMs = Math.min(RESUME_MEDIA_MS, this.durationMs - this.#position)
    return Math.max(1, Math.ceil(Math.max(0, wantedMs - this.bufferMs) / this.#arriving()))
  }

  /** Since it was asked last. */
  played(): readonly PlayedRange[] {
    const fromMs = this.#playedFromMs
    const toMs = this.positionMs
    if (toMs === fromMs) return NOTHING
    this.#playedFromMs = toMs
    return [{ fromMs, toMs }]
  }

  /** Media in a millisecond. */
  #arriving(): number {
    return this.source.kbps / this.kbps
  }
}
