/** Heartbeats of many viewers in an embedded log, and an owner that projects them: what the progress benchmarks share. */
import { DeadLetters } from '../consumers/dead-letters.ts'
import { Delivery, type DeliveryPorts } from '../consumers/delivery.ts'
import { generationOf, stateTableOf } from '../consumers/generation.ts'
import type { EventLog, LogRecord, Position } from '../log/log.ts'
import { progressV1 } from '../projections/progress/v1.ts'
import type { EventCodec } from '../schemas/index.ts'
import type { StateStore, StateTable } from '../stores/state.ts'
import { heartbeat, idOf } from '../test/consumers/events.ts'
import { simVault } from '../test/sim/vault.ts'

export const VIEWERS = 1_000
export const START_MS = 1_700_000_000_000
const TOPIC = 'playback-events'

/** Ten seconds between two heartbeats of a viewer, each saying what was played since. */
export async function fill(log: EventLog, codec: EventCodec, total: number, first = 0): Promise<void> {
  await log.ensureTopics([{ topic: TOPIC, partitions: 1 }])
  for (let from = 0; from < total; from += 2_000) {
    const records = Array.from({ length: Math.min(2_000, total - from) }, (_, j) => {
      const i = first + from + j
      const profileId = `profile-${i % VIEWERS}`
      const round = Math.floor(i / VIEWERS)
      const positionMs = (round * 10_000) % 7_200_000
      const atMs = START_MS + round * 10_000
      const event = {
        ...heartbeat({ profileId, eventId: idOf(i), positionMs, atMs }),
        sequence: round,
        durationMs: 7_200_000,
        played: [{ fromMs: Math.max(0, positionMs - 10_000), toMs: positionMs }],
      }
      return { topic: TOPIC, key: profileId, value: codec.encode(event), timestampMs: atMs }
    })
    await log.append(records)
  }
}

export async function owner(
  log: EventLog,
  state: StateStore,
  codec: EventCodec,
): Promise<{ delivery: Delivery; table: StateTable }> {
  const generation = generationOf(progressV1(), await log.incarnation())
  const table = await state.table(stateTableOf(generation)!)
  const ports: DeliveryPorts = {
    log,
    commits: state.commits,
    states: table,
    deadLetters: await DeadLetters.open(state),
    // A projection without rows asks nothing of it.
    analytics: {} as DeliveryPorts['analytics'],
    codec,
    vault: simVault(),
    world: { nowMs: Date.now, random: Math.random, sleep: async () => undefined },
    at: () => undefined,
    database: '',
  }
  const delivery = new Delivery(generation, { topic: TOPIC, partition: 0 }, ports, new AbortController().signal)
  await delivery.takeOver()
  return { delivery, table }
}

export async function read(log: EventLog, from: bigint, recordsMax: number): Promise<readonly LogRecord[]> {
  const request = { topic: TOPIC, partition: 0, from: from as Position, bytesMax: 1e9, recordsMax, waitMs: 0 }
  return (await log.read(request)).records
}

/** As a worker does: the next batch is read and decoded while this one is written. */
export async function deliverBatches(
  log: EventLog,
  delivery: Delivery,
  batches: number,
  recordsMax: number,
): Promise<void> {
  const ahead = async (from: bigint) => delivery.prepare(await read(log, from, recordsMax))
  let from = delivery.record.checkpoint
  let prepared = ahead(from)
  for (let n = 0; n < batches; n++) {
    const now = await prepared
    from = now.to + 1n
    if (n + 1 < batches) prepared = ahead(from)
    await delivery.deliver(now)
  }
}
