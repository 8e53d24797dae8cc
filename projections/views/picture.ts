/** What is on the screen: its bitrate, and how its size fits the player's. What a report says holds until another says otherwise. */
import { AT } from './numbers.ts'
import type { Observation } from './observation.ts'
import type { Slice } from './slices.ts'

export class Picture {
  readonly #numbers: Float64Array
  #video = -1
  #audio = -1
  #width = -1
  #height = -1
  #playerWidth = -1
  #playerHeight = -1
  /** Permille by which the player is larger than the picture, on the side that fits first. */
  #scale = Number.NaN

  constructor(numbers: Float64Array) {
    this.#numbers = numbers
  }

  see(o: Observation): void {
    const n = this.#numbers
    if (o.video >= 0 && o.video !== this.#video) {
      if (this.#video >= 0) n[o.video > this.#video ? AT.up_switches : AT.down_switches]!++
      this.#video = o.video
    }
    if (o.audio >= 0) this.#audio = o.audio
    const kbps = Math.max(this.#video, 0) + Math.max(this.#audio, 0)
    if (kbps > n[AT.peak_kbps]!) n[AT.peak_kbps] = kbps
    this.#fit(o)
  }

  #fit({ width, height, playerWidth, playerHeight }: Observation): void {
    if (
      (width < 0 || width === this.#width) &&
      (height < 0 || height === this.#height) &&
      (playerWidth < 0 || playerWidth === this.#playerWidth) &&
      (playerHeight < 0 || playerHeight === this.#playerHeight)
    ) {
      return
    }
    if (width >= 0) this.#width = width
    if (height >= 0) this.#height = height
    if (playerWidth >= 0) this.#playerWidth = playerWidth
    if (playerHeight >= 0) this.#playerHeight = playerHeight
    const known = this.#width > 0 && this.#height > 0 && this.#playerWidth > 0 && this.#playerHeight > 0
    const across = (1_000 * this.#playerWidth) / this.#width
    const down = (1_000 * this.#playerHeight) / this.#height
    this.#scale = known ? Math.floor(Math.min(across, down)) - 1_000 : Number.NaN
  }

  /** It was played for so long, and so much media. */
  played(wall: number, media: number, slice: Slice | undefined): void {
    const n = this.#numbers
    const scale = this.#scale
    if (!Number.isNaN(scale)) {
      n[AT.scale_ms]! += wall
      if (scale > 0) n[AT.upscale_permille_ms]! += scale * wall
      else n[AT.downscale_permille_ms]! -= scale * wall
      if (scale > n[AT.upscale_max_permille]!) n[AT.upscale_max_permille] = scale
    }
    if (this.#video < 0 && this.#audio < 0) return
    const kbps = Math.max(this.#video, 0) + Math.max(this.#audio, 0)
    n[AT.bits]! += kbps * media
    n[AT.bits_media_ms]! += media
    n[AT.wall_bits]! += kbps * wall
    n[AT.wall_bits_ms]! += wall
    if (slice === undefined) return
    slice.bits += kbps * media
    slice.bitsMedia += media
  }
}
