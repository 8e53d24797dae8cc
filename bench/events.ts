/**
 * log → `events`: a full log, folded into ClickHouse by the delivery runtime, against the bare client inserting the same
 * rows into a plain copy of the table (same server, same batches, its own JSON encoding).
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@clickhouse/client'
import { DeadLetters } from '../consumers/dead-letters.ts'
import { Delivery } from '../consumers/delivery.ts'
import { generationOf } from '../consumers/generation.ts'
import { openEmbeddedLog } from '../log/embedded/index.ts'
import type { Position } from '../log/log.ts'
import { eventsV1 } from '../projections/events/v1.ts'
import type { Entry } from '../projections/projection.ts'
import { createCodec } from '../schemas/index.ts'
import { ClickHouse } from '../stores/clickhouse/clickhouse.ts'
import { openEmbeddedState } from '../stores/embedded/index.ts'
import { startAnalyticsProcess } from '../test/consumers/analytics-process.ts'
import { heartbeat, idOf } from '../test/consumers/events.ts'
import { simVault } from '../test/sim/vault.ts'
import { alternate, type BenchOptions, type Measured } from './bench.ts'

const TOPIC = 'playback-events'

export async function run({ quick }: BenchOptions): Promise<Measured[]> {
  const batch = quick ? 500 : 20_000
  const rounds = quick ? 1 : 3
  const perRound = quick ? 2 : 10
  const dir = await mkdtemp(join(tmpdir(), 'playhead-bench-'))
  const process = await startAnalyticsProcess(join(dir, 'analytics'))
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  const state = await openEmbeddedState({ dir: join(dir, 'state'), clock: Date.now })
  const codec = await createCodec({})
  const clickhouse = new ClickHouse({ ...process.access, database: 'playhead' })
  const bareClient = createClient(process.access)
  try {
    const projection = eventsV1([TOPIC])
    await log.ensureTopics([{ topic: TOPIC, partitions: 1 }])
    const generation = generationOf(projection, await log.incarnation())
    await clickhouse.prepare()
    const database = await clickhouse.prepareGeneration(generation.id, 'events_v1')
    await clickhouse.command(`CREATE TABLE ${database}.bare AS ${database}.events`)
    const total = batch * perRound * rounds
    for (let i = 0; i < total; i += 2_000) {
      await log.append(Array.from({ length: Math.min(2_000, total - i) }, (_, j) => record(codec, i + j)))
    }
    const ports = {
      log,
      commits: state.commits,
      states: undefined,
      deadLetters: await DeadLetters.open(state),
      analytics: clickhouse,
      codec,
      vault: simVault(),
      world: { nowMs: Date.now, random: Math.random, sleep: async () => undefined },
      at: () => undefined,
      database,
    }
    const delivery = new Delivery(generation, { topic: TOPIC, partition: 0 }, ports, new AbortController().signal)
    await delivery.takeOver()
    const ahead = async (from: Position) => {
      const request = { topic: TOPIC, partition: 0, from, bytesMax: 1e9, recordsMax: batch, waitMs: 0 }
      return delivery.prepare((await log.read(request)).records)
    }
    const ours = async () => {
      const began = performance.now()
      let next = delivery.record.checkpoint
      let prepared = ahead(next as Position)
      for (let n = 0; n < perRound; n++) {
        const now = await prepared
        next += BigInt(batch)
        if (n + 1 < perRound) prepared = ahead(next as Position)
        await delivery.deliver(now)
      }
      return (batch * perRound * 1_000) / (performance.now() - began)
    }
    const columns = projection.journal!.landing.columns
    const rows = Array.from({ length: batch }, (_, i) => projection.journal!.row(entry(i))!.map(plain))
    const bare = async () => {
      const began = performance.now()
      for (let n = 0; n < perRound; n++) {
        await bareClient.insert({
          table: `${database}.bare`,
          columns: columns as [string, ...string[]],
          values: rows,
          format: 'JSONCompactEachRow',
        })
      }
      return (batch * perRound * 1_000) / (performance.now() - began)
    }
    const { ours: rate, bare: bareRate, ratio } = await alternate(rounds, ours, bare)
    return [
      {
        name: `log → events, batches of ${batch}`,
        ours: rate,
        bare: bareRate,
        ratio,
        unit: 'events/s',
        bar: { atLeast: 0.7, of: 'ratio' },
      },
    ]
  } finally {
    await Promise.all([clickhouse.close(), bareClient.close(), log.close(), state.close()])
    await process.stop()
    await rm(dir, { recursive: true, force: true })
  }

  function entry(i: number): Entry {
    const decoded = codec.decode(Buffer.from(record(codec, i).value))
    const event = decoded.ok ? decoded.event : undefined
    return {
      topic: TOPIC,
      partition: 0,
      position: BigInt(i),
      timestampMs: 1_700_000_000_000 + i,
      key: `profile-${i % 1_000}`,
      fate: 'folded',
      schemaId: decoded.ok ? decoded.schemaId : undefined,
      event,
    }
  }
}

function record(codec: Awaited<ReturnType<typeof createCodec>>, i: number) {
  const profileId = `profile-${i % 1_000}`
  const atMs = 1_700_000_000_000 + i
  const value = codec.encode(heartbeat({ profileId, eventId: idOf(i), positionMs: i % 7_200_000, atMs }))
  return { topic: TOPIC, key: profileId, value, timestampMs: atMs }
}

function plain(cell: unknown): unknown {
  return typeof cell === 'bigint' ? Number(cell) : cell
}
