/**
 * Appends to Kafka against bare kafkajs' idempotent producer with the same batches; rounds alternate. It needs a broker:
 * PLAYHEAD_TEST_KAFKA=host:port, or Java and Maven to start one.
 */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { startKafka } from '../deploy/cluster/kafka.ts'
import { openKafkaLog } from '../log/kafka/index.ts'
import type { NewRecord } from '../log/log.ts'
import { alternate, type BenchOptions, type Measured, median } from './bench.ts'

const RECORDS = 2_000
const VALUE_BYTES = 200
const PARTITIONS = 4
/** Batches under way at once. kafkajs' idempotent producer sends one at a time by itself. */
const BATCHES_AT_ONCE = 4
const CALLERS = 64

export async function run({ quick }: BenchOptions): Promise<Measured[]> {
  const broker = await someBroker()
  if (broker === undefined) return []
  try {
    return await measure(broker.address, quick)
  } finally {
    await broker.close()
  }
}

async function measure(broker: string, quick: boolean): Promise<Measured[]> {
  const [rounds, batches] = quick ? [1, 4] : [7, 24]
  const topic = `bench-${randomUUID()}`
  const log = await openKafkaLog({ brokers: [broker] })
  await log.ensureTopics([{ topic, partitions: PARTITIONS }])
  const { Kafka, Partitioners, logLevel } = kafkajs
  const producer = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  })
  await producer.connect()
  const records: NewRecord[] = Array.from({ length: RECORDS }, (_, i) => ({
    topic,
    key: `profile-${i}`,
    value: Buffer.alloc(VALUE_BYTES, i),
    timestampMs: 1_795_000_000_000 + i,
  }))
  const messages = records.map((r) => ({ key: r.key, value: r.value as Buffer, timestamp: `${r.timestampMs}` }))
  const ours = () => rate(batches, () => log.append(records))
  const bare = () => rate(batches, () => producer.send({ topic, messages, acks: -1 }))
  try {
    await ours()
    await bare()
    const produced = await alternate(rounds, ours, bare)
    const singles: number[] = []
    for (let round = 0; round < rounds; round++)
      singles.push(await single(quick ? 10 : 200, (i) => log.append([records[i]!])))
    return [
      {
        name: `Kafka: appends of ${RECORDS} × ${VALUE_BYTES} B, durable`,
        ...produced,
        unit: 'records/s',
        bar: { atLeast: 0.8, of: 'ratio' },
        note: `bare: kafkajs, idempotent, the same batches`,
      },
      { name: `Kafka: one-event appends from ${CALLERS} callers, durable`, ours: median(singles), unit: 'records/s' },
    ]
  } finally {
    await producer.disconnect()
    await log.close()
  }
}

async function rate(batches: number, send: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  let left = batches
  const sender = async () => {
    while (left-- > 0) await send()
  }
  await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, sender))
  return (batches * RECORDS) / ((performance.now() - begun) / 1_000)
}

async function single(each: number, append: (i: number) => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  const caller = async (who: number) => {
    for (let i = 0; i < each; i++) await append((who * each + i) % RECORDS)
  }
  await Promise.all(Array.from({ length: CALLERS }, (_, who) => caller(who)))
  return (CALLERS * each) / ((performance.now() - begun) / 1_000)
}

async function someBroker(): Promise<{ readonly address: string; close(): Promise<void> } | undefined> {
  const shared = process.env.PLAYHEAD_TEST_KAFKA
  if (shared) return { address: shared, close: async () => undefined }
  const dir = await mkdtemp(join(tmpdir(), 'playhead-bench-'))
  const remove = () => rm(dir, { recursive: true, force: true })
  try {
    const server = await startKafka({ dir })
    return {
      address: `${server.host}:${server.port}`,
      close: async () => {
        await server.kill()
        await remove()
      },
    }
  } catch (error) {
    await remove()
    console.log(`  Kafka is left out: ${(error as Error).message.split('\n')[0]}`)
    return undefined
  }
}
