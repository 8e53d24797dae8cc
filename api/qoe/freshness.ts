/**
 * How far the projection has read, and what time it is for it. `asOf` is the log's own clock: when the last record that
 * was folded came in. So two who ask the same at the same position get the same answer, whatever their clocks say; who
 * wants another moment says so.
 *
 * Rows reach the tables before the checkpoint moves: an answer holds everything up to `readThrough`, and may hold the
 * batch behind it. A log or state store that is away leaves readThrough empty and the clock ours; it costs no answer.
 */

import { LogError } from '../../log/errors.ts'
import type { EventLog, PartitionBounds, Position } from '../../log/log.ts'
import { orWhenAway } from '../away.ts'
import type { Checkpoints } from '../ports.ts'
import { isAway } from '../position.ts'
import { QOE_LIMITS } from './limits.ts'

const TOPIC = 'playback-events'

export interface Freshness {
  /** The last position of each partition that is in the numbers. */
  readonly readThrough: Readonly<Record<string, string>>
  /** Records of the log that are not yet in the numbers; null while the log can't say. */
  readonly lag: number | null
  readonly asOf: string
}

export interface Read {
  readonly freshness: Freshness
  readonly asOfMs: number
}

export interface FreshnessParts {
  readonly log: EventLog
  readonly checkpoints: Checkpoints
  readonly nowMs: () => number
}

export function freshnessOf(parts: FreshnessParts): (askedAsOfMs: number | undefined) => Promise<Read> {
  // A record's time never changes: one is remembered for each partition.
  const times = new Map<number, { readonly position: Position; readonly timestampMs: number }>()

  async function timeAt({ topic, partition }: PartitionBounds, position: Position): Promise<number | undefined> {
    const known = times.get(partition)
    if (known?.position === position) return known.timestampMs
    const bytesMax = QOE_LIMITS.recordBytesMax
    const { records } = await parts.log.read({
      topic,
      partition,
      from: position,
      to: position,
      bytesMax,
      recordsMax: 1,
      waitMs: 0,
    })
    const timestampMs = records[0]?.timestampMs
    if (timestampMs !== undefined) times.set(partition, { position, timestampMs })
    return timestampMs
  }

  async function read(): Promise<Omit<Read['freshness'], 'asOf'> & { readonly clockMs: number | undefined }> {
    const bounds = await parts.log.bounds(TOPIC)
    const nexts = await Promise.all(bounds.map((place) => parts.checkpoints.next('views', place)))
    const readThrough: Record<string, string> = {}
    let lag = 0n
    let clockMs: number | undefined
    for (const [i, place] of bounds.entries()) {
      const next = nexts[i] ?? 0n
      if (place.end > next) lag += place.end - (next > place.start ? next : place.start)
      if (next <= 0n) continue
      readThrough[`${place.topic}/${place.partition}`] = String(next - 1n)
      const timeMs = next > place.start ? await timeAt(place, next - 1n) : undefined
      if (timeMs !== undefined && timeMs > (clockMs ?? 0)) clockMs = timeMs
    }
    return { readThrough, lag: Number(lag), clockMs }
  }

  return async (askedAsOfMs) => {
    const found = await orWhenAway(whenLogIsAway(read()), QOE_LIMITS.lookupTimeoutMs, undefined)
    const asOfMs = askedAsOfMs ?? found?.clockMs ?? parts.nowMs()
    const { readThrough = {}, lag = null } = found ?? {}
    return { asOfMs, freshness: { readThrough, lag, asOf: new Date(asOfMs).toISOString() } }
  }
}

async function whenLogIsAway<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof LogError || isAway(error)) return undefined
    throw error
  }
}
