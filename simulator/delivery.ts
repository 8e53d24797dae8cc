/**
 * How what a device says gets to us, and when: at once, after a gap in its connection, or hours later from a download;
 * some of it twice. Times of events are ours: a device's own clock says `clockOffsetMs` more, and since it stamps both
 * the event and the sending, receiving corrects it (producers/clock.ts) to what stands here.
 */
import { mintEventId, type RandomBytes } from '../producers/ids.ts'
import type { Meta } from '../schemas/index.ts'
import { SIM_LIMITS } from './limits.ts'
import type { Settled } from './options.ts'
import type { Viewer } from './people.ts'
import type { Random } from './random.ts'

/** What happens in between is received after it. */
export interface Hold {
  readonly fromMs: number
  readonly untilMs: number
}

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
/** Of the views that have a gap, it comes within so much of their begin. */
const GAP_WITHIN_MS = 15 * MINUTE_MS

export class Delivery {
  /** Of the event that was stamped last. Never goes back: a device sends in order. */
  receivedAtMs: number
  readonly #viewer: Viewer
  readonly #settled: Pick<Settled, 'appId' | 'environment'>
  readonly #hold: Hold | undefined
  readonly #fill: RandomBytes

  /** After `receivedAtMs`, when the view before it was heard of last. */
  constructor(
    viewer: Viewer,
    settled: Pick<Settled, 'appId' | 'environment'>,
    hold: Hold | undefined,
    receivedAtMs: number,
    random: Random,
  ) {
    this.receivedAtMs = receivedAtMs
    this.#viewer = viewer
    this.#settled = settled
    this.#hold = hold
    this.#fill = random.fill
  }

  stamp(atMs: number): Meta {
    const { uplinkMs, clockOffsetMs } = this.#viewer
    const hold = this.#hold
    const sentAtMs = hold !== undefined && atMs >= hold.fromMs && atMs < hold.untilMs ? hold.untilMs : atMs
    this.receivedAtMs = Math.max(this.receivedAtMs, sentAtMs + uplinkMs)
    return {
      eventId: mintEventId(atMs, this.#fill),
      occurredAt: atMs,
      receivedAt: this.receivedAtMs,
      source: 'simulator',
      appId: this.#settled.appId,
      environment: this.#settled.environment,
      clock: 'corrected',
      sentAt: this.receivedAtMs - uplinkMs + clockOffsetMs,
    }
  }
}

/** As it is sent again, after the answer got lost. */
export function copyMeta(meta: Meta, random: Random): Meta {
  const laterMs = Math.round(random.between(300, SIM_LIMITS.copyMaxMs))
  return { ...meta, receivedAt: meta.receivedAt + laterMs, sentAt: (meta.sentAt ?? 0) + laterMs }
}

/** A download is told of when the device is online again: hours after it began. */
export function downloadHold(startedAtMs: number, durationMs: number, random: Random): Hold {
  const laterMs = Math.min(random.around(3 * HOUR_MS, 0.8), 48 * HOUR_MS)
  return { fromMs: startedAtMs, untilMs: Math.round(startedAtMs + durationMs + laterMs) }
}

export function gapHold(startedAtMs: number, random: Random): Hold {
  const fromMs = Math.round(startedAtMs + random.between(0, GAP_WITHIN_MS))
  return { fromMs, untilMs: Math.round(fromMs + random.between(20_000, 6 * MINUTE_MS)) }
}
