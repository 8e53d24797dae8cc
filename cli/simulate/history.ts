/**
 * History: what an audience said up to a moment, straight into the log, as fast as the log takes it. Appends go out one
 * after the other, a few of them under way at once, so that events are made while earlier ones become durable.
 */
import type { EventLog, NewRecord } from '../../log/log.ts'
import { deriveEventId } from '../../producers/ids.ts'
import { toRecord } from '../../producers/record.ts'
import type { EventCodec, Meta, NewEvent } from '../../schemas/index.ts'
import { type Audience, registration } from '../../simulator/index.ts'
import { patiently } from '../import/retry.ts'
import { SIMULATE_LIMITS } from './limits.ts'

export interface HistoryOptions {
  readonly audience: Audience
  readonly log: Pick<EventLog, 'append'>
  readonly codec: EventCodec
  /** Events received after this stay in the audience; without it, all are written. */
  readonly untilMs?: number
  readonly signal: AbortSignal
  readonly nowMs: () => number
  /** After each append. */
  readonly onProgress?: (written: HistoryProgress) => void
}

export interface HistoryProgress {
  readonly events: number
  /** When the last of them was received. */
  readonly reachedMs: number
}

/** What was written is durable when it resolves. An abort ends it early; the audience can go on from there. */
export async function writeHistory(options: HistoryOptions): Promise<HistoryProgress> {
  const { audience, codec, untilMs, signal, onProgress } = options
  const underWay: Promise<void>[] = []
  let events = 0
  let reachedMs = 0
  for (;;) {
    const records: NewRecord[] = []
    while (records.length < SIMULATE_LIMITS.appendEvents) {
      const next = audience.next(untilMs)
      if (next === undefined) break
      records.push(toRecord(codec, next.event))
      reachedMs = next.receivedAtMs
    }
    if (records.length === 0) break
    events += records.length
    const done = { events, reachedMs }
    const appending = append(options, records).then(() => onProgress?.(done))
    // It is awaited below, perhaps after it failed.
    appending.catch(() => undefined)
    underWay.push(appending)
    if (underWay.length >= SIMULATE_LIMITS.appendsAtOnce) await underWay.shift()
    if (signal.aborted) break
  }
  await Promise.all(underWay)
  return { events, reachedMs }
}

async function append({ log, signal, nowMs }: HistoryOptions, records: readonly NewRecord[]): Promise<void> {
  // A repeated append may store events twice; their ids are the same, and the log's readers count them once.
  await patiently(() => log.append(records), signal, nowMs)
}

export interface TitlesOptions {
  readonly audience: Pick<Audience, 'titles'>
  readonly log: Pick<EventLog, 'append'>
  readonly codec: EventCodec
  readonly appId: string
  readonly environment: string
  readonly atMs: number
}

/** The catalogue of what they watch, so that it has names. Written twice it is the same. */
export async function registerTitles(options: TitlesOptions): Promise<void> {
  const { audience, log, codec, appId, environment, atMs } = options
  const records = audience.titles.map((title) => {
    const registered = registration(title)
    const meta: Meta = {
      eventId: deriveEventId('simulator', appId, environment, JSON.stringify(registered)),
      occurredAt: atMs,
      receivedAt: atMs,
      source: 'simulator',
      appId,
      environment,
      clock: 'trusted',
      sentAt: null,
    }
    return toRecord(codec, { ...registered, meta } as NewEvent)
  })
  for (let i = 0; i < records.length; i += SIMULATE_LIMITS.appendEvents) {
    await log.append(records.slice(i, i + SIMULATE_LIMITS.appendEvents))
  }
}
