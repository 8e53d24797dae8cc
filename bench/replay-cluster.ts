/**
 * A rebuild of `progress` from Kafka into Cassandra, beside a bare consumer that decodes the same records and a bare driver
 * that writes as many rows: one for each viewer in ten thousand records. Where PLAYHEAD_TEST_KAFKA and
 * PLAYHEAD_TEST_CASSANDRA name servers (`npm run cluster`).
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Client, types } from 'cassandra-driver'
import kafkajs from 'kafkajs'
import { standingOf } from '../cli/replay/standing.ts'
import { generationOf } from '../consumers/generation.ts'
import { startConsumers } from '../consumers/index.ts'
import { CONSUMER_LIMITS } from '../consumers/limits.ts'
import { openKafkaLog } from '../log/kafka/index.ts'
import type { EventLog } from '../log/log.ts'
import { progressV1 } from '../projections/progress/v1.ts'
import { createCodec, type EventCodec } from '../schemas/index.ts'
import type { AnalyticsStore } from '../stores/analytics.ts'
import { openCassandraState } from '../stores/cassandra/index.ts'
import { heartbeat, idOf } from '../test/consumers/events.ts'
import { simVault } from '../test/sim/vault.ts'
import { alternate, type BenchOptions, type Measured } from './bench.ts'
import { PARTITIONS } from './replay-log.ts'

const VIEWERS = 1_000
const DRIVER_REQUESTS = 256
const BATCH = CONSUMER_LIMITS.keyedBatchRecordsMax
const ROW_BYTES = 400

export async function runClusterRebuild({ quick }: BenchOptions): Promise<readonly Measured[]> {
  const [broker, store] = [process.env.PLAYHEAD_TEST_KAFKA, process.env.PLAYHEAD_TEST_CASSANDRA]
  if (!broker || !store) {
    console.log(
      '  the rebuild on a cluster is left out: PLAYHEAD_TEST_KAFKA and PLAYHEAD_TEST_CASSANDRA name no servers',
    )
    return []
  }
  const events = quick ? 4_000 : 2_000_000
  const topic = `bench-replay-${randomUUID()}`
  const keyspace = `bench_replay_${process.pid}`
  const [host = '', port = ''] = store.split(':')
  const log = await openKafkaLog({ brokers: [broker] })
  const state = await openCassandraState({ contactPoints: [host], port: Number(port), keyspace, clock: Date.now })
  const client = new Client({
    contactPoints: [host],
    localDataCenter: 'datacenter1',
    protocolOptions: { port: Number(port), maxVersion: types.protocolVersion.v4 },
    encoding: { useBigIntAsLong: true },
  })
  const codec = await createCodec()
  try {
    await fillTopic(log, codec, topic, events)
    await client.execute(`CREATE TABLE ${keyspace}.bare (profile text PRIMARY KEY, version bigint, body blob)`)
    let round = 0
    const projection = { ...progressV1({ historyDays: 3_650 }), topics: [topic] }
    const ours = async () => {
      const generation = generationOf(projection, await log.incarnation(), { name: `round-${round++}` })
      const began = performance.now()
      const consumers = await startConsumers({
        ...{ log, state, analytics: {} as AnalyticsStore, codec, vault: simVault(), prepare: async () => '' },
        logger: { info: () => undefined, warn: () => undefined, error: (fields) => console.error(fields) },
      })
      await consumers.run([generation])
      while (!(await standingOf(log, state.commits, generation)).complete) await delay(20)
      const rate = (events * 1_000) / (performance.now() - began)
      await consumers.close()
      return rate
    }
    const write = bareWriter(client, `${keyspace}.bare`)
    const bare = async () => {
      const began = performance.now()
      await bareConsumer(broker, topic, codec, events, write)
      return (events * 1_000) / (performance.now() - began)
    }
    const result = await alternate(quick ? 1 : 3, ours, bare)
    const name = `rebuild of progress on Kafka and Cassandra, ${events.toLocaleString('en')} events`
    const note = 'bare: kafkajs, avsc and cassandra-driver'
    return [{ name, ...result, unit: 'events/s', bar: { atLeast: 0.8, of: 'ratio' }, note }]
  } finally {
    await client.execute(`DROP KEYSPACE IF EXISTS ${keyspace}`)
    await Promise.all([client.shutdown(), log.close(), state.close()])
  }
}

async function fillTopic(log: EventLog, codec: EventCodec, topic: string, events: number): Promise<void> {
  await log.ensureTopics([{ topic, partitions: PARTITIONS }])
  const startMs = Date.now() - 86_400_000
  for (let from = 0; from < events; from += 2_000) {
    const records = Array.from({ length: Math.min(2_000, events - from) }, (_, j) => {
      const n = from + j
      const profileId = `profile-${n % VIEWERS}`
      const report = Math.floor(n / VIEWERS)
      const [positionMs, atMs] = [report * 10_000, startMs + report * 10_000]
      const said = { ...heartbeat({ profileId, eventId: idOf(n), positionMs, atMs }), sequence: report }
      const played = [{ fromMs: Math.max(0, positionMs - 10_000), toMs: positionMs }]
      const event = { ...said, durationMs: 7_200_000, played }
      return { topic, key: profileId, value: codec.encode(event), timestampMs: atMs }
    })
    await log.append(records)
  }
}

type Write = (profiles: readonly string[], version: number) => Promise<void>

function bareWriter(client: Client, table: string): Write {
  const insert = `INSERT INTO ${table} (profile, version, body) VALUES (?, ?, ?) USING TIMESTAMP ?`
  const quorum = { prepare: true, consistency: types.consistencies.quorum }
  const body = Buffer.alloc(ROW_BYTES, 7)
  return async (profiles, version) => {
    let next = 0
    const lane = async () => {
      while (next < profiles.length) {
        const profile = profiles[next++]!
        await client.execute(insert, [profile, BigInt(version), body, BigInt(version)], quorum)
      }
    }
    await Promise.all(Array.from({ length: DRIVER_REQUESTS }, lane))
  }
}

/** Reads all there is, decodes it, and writes the viewers of each ten thousand records of a partition. */
async function bareConsumer(broker: string, topic: string, codec: EventCodec, events: number, write: Write) {
  const { Kafka, logLevel } = kafkajs
  const consumer = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).consumer({ groupId: randomUUID() })
  const pending = Array.from({ length: PARTITIONS }, () => ({ records: 0, profiles: new Set<string>() }))
  let seen = 0
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    const eachBatch: NonNullable<Parameters<typeof consumer.run>[0]>['eachBatch'] = async ({ batch }) => {
      const part = pending[batch.partition]!
      for (const { key, value, offset } of batch.messages) {
        if (!codec.decode(value!).ok) throw new Error('not an event')
        part.profiles.add(String(key))
        seen++
        if (++part.records < BATCH && seen < events) continue
        const profiles = [...part.profiles]
        part.profiles.clear()
        part.records = 0
        await write(profiles, Number(offset) + 1)
      }
      if (seen >= events) resolve()
    }
    consumer.run({ autoCommit: false, partitionsConsumedConcurrently: PARTITIONS, eachBatch }).catch(reject)
  })
  await consumer.disconnect()
}
