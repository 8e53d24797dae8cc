/**
 * Taking a stream slot is a command: a request goes to the log, projections/streams decides in the log's order, and its
 * row says what it decided.
 *
 * Answers: *granted*, *refused* (with what holds the account's streams), or *undecided*: the fold is late or its store
 * is away. The limit protects revenue, but the viewer comes first, so an undecided start goes on; it is counted.
 */
import { toRecord } from '../../producers/record.ts'
import { slotIdOf, slotRequested, streamAccountOf } from '../../producers/streams.ts'
import type { Slot, StreamsRow } from '../../projections/streams/row.ts'
import type { Meta, Personal } from '../../schemas/index.ts'
import { orWhenAway } from '../away.ts'
import type { ApiContext } from '../context.ts'
import { PLAYBACK_LIMITS } from './limits.ts'

export interface SlotAsked {
  readonly accountId: string
  readonly profileId: string
  readonly sessionId: string
  readonly titleId: string
  readonly deviceId: string | undefined
  readonly streamsMax: number
  readonly personal: Personal | null
  /** Each request is an event of its own: asking again renews what was granted. */
  readonly meta: () => Meta
}

export type SlotVerdict =
  | { readonly slot: 'granted' | 'undecided'; readonly slotId: string; readonly position: string }
  | { readonly slot: 'refused'; readonly position: string; readonly holding: readonly Slot[] }

type SlotPorts = Pick<ApiContext, 'log' | 'codec' | 'streams' | 'positions' | 'nowMs'>

export async function takeSlot(ports: SlotPorts, asked: SlotAsked): Promise<SlotVerdict> {
  let known = await readRow(ports, asked.accountId)
  for (let round = 1; ; round++) {
    const slotId = nextSlotId(asked, known, ports.nowMs())
    const { position, row } = await ask(ports, asked, slotId)
    const verdict = row?.verdicts.findLast((v) => v.slotId === slotId)
    if (verdict === undefined) return { slot: 'undecided', slotId, position }
    if (!verdict.granted) return { slot: 'refused', position, holding: verdict.holding }
    const holds = row?.slots.some((slot) => slot.slotId === slotId) === true
    // What was granted once and is gone since is no answer to today's question; the row that was read first was too old.
    if (holds || round === PLAYBACK_LIMITS.roundsMax) return { slot: 'granted', slotId, position }
    known = row
  }
}

async function ask(ports: SlotPorts, { deviceId: _, meta, ...wish }: SlotAsked, slotId: string) {
  const event = slotRequested(meta(), { ...wish, slotId, ttlMs: PLAYBACK_LIMITS.slotTtlMs })
  const record = toRecord(ports.codec, event)
  const [placed] = await ports.log.append([record])
  const position = ports.positions.header([{ topic: record.topic, ...placed! }])
  const passed = await orWhenAway(ports.positions.wait(position, 'streams'), PLAYBACK_LIMITS.verdictWaitMs, 'late')
  return { position, row: passed === 'late' ? undefined : await readRow(ports, wish.accountId) }
}

async function readRow(ports: SlotPorts, accountId: string): Promise<StreamsRow | undefined> {
  return await orWhenAway(ports.streams.get(streamAccountOf(accountId)), PLAYBACK_LIMITS.streamsReadMs, undefined)
}

/**
 * The fold answers a slot id that it knows with its first verdict, so that a repeated request changes nothing. A viewer
 * who was refused or has stopped since, and presses play again, asks anew: under the next id.
 */
function nextSlotId({ profileId, sessionId, deviceId }: SlotAsked, row: StreamsRow | undefined, nowMs: number): string {
  const held = new Set(row?.slots.flatMap((slot) => (slot.untilMs > nowMs ? [slot.slotId] : [])))
  const over = new Set(row?.verdicts.flatMap(({ slotId }) => (held.has(slotId) ? [] : [slotId])))
  let attempt = 0
  while (attempt < PLAYBACK_LIMITS.attemptsMax && over.has(slotIdOf(profileId, sessionId, deviceId, attempt))) attempt++
  return slotIdOf(profileId, sessionId, deviceId, attempt)
}
