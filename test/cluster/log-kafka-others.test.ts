/** Other programs on our topics: librdkafka (through Confluent's Python client), the library under kcat and many more. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { openKafkaLog } from '../../log/kafka/index.ts'
import type { EventLog, NewRecord } from '../../log/log.ts'
import { partitionOf } from '../../log/partition.ts'
import { readAll, texts } from '../log/contract-support.ts'
import { ensurePython } from './python.ts'
import { kafka, type Running } from './servers.ts'

const SCRIPT = `${import.meta.dirname}/clients/kafka_client.py`

let broker: Running
let log: EventLog
let python: string

before(async () => {
  python = await ensurePython(['confluent-kafka[avro,schemaregistry]==2.12.2'])
  broker = await kafka()
  log = await openKafkaLog({ brokers: [`${broker.host}:${broker.port}`] })
})

after(async () => {
  await log.close()
  await broker.close()
})

async function freshTopic(partitions: number): Promise<string> {
  const topic = `topic-${randomUUID()}`
  await log.ensureTopics([{ topic, partitions }])
  return topic
}

function client(topic: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, stdout: string, stderr: string) =>
      error ? reject(new Error(`${error.message}\n${stderr}`)) : resolve(stdout)
    const all = [SCRIPT, `${broker.host}:${broker.port}`, topic, ...args]
    execFile(python, all, { timeout: 60_000 }, done).stdin!.end(input)
  })
}

test('what librdkafka wrote is read, whatever it was compressed with, and its keys are where ours would be', async () => {
  const topic = await freshTopic(3)
  const expected: string[] = []
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    const keys = Array.from({ length: 20 }, (_, i) => `profil-é-${i}`)
    await client(topic, ['produce', codec], keys.map((key) => `${key}\t${codec} ${'x'.repeat(200)} ${key}`).join('\n'))
    for (const key of keys) expected.push(`${partitionOf(key, 3)} ${codec} ${key}`)
  }
  const found: string[] = []
  for (let partition = 0; partition < 3; partition++) {
    for (const { key, headers, value } of await readAll(log, topic, partition)) {
      assert.equal(`${value}`, `${headers.codec} ${'x'.repeat(200)} ${key}`)
      found.push(`${partition} ${headers.codec} ${key}`)
    }
  }
  assert.deepEqual(found.sort(), expected.sort())
})

test('a record without a key has the key null', async () => {
  const topic = await freshTopic(1)
  await client(topic, ['produce', 'none'], '\twithout')
  assert.deepEqual(
    (await readAll(log, topic)).map((r) => [r.key, `${r.value}`]),
    [[null, 'without']],
  )
})

test('a transaction that was rolled back is not read, and its markers do not stop a reader', async () => {
  const topic = await freshTopic(1)
  await client(topic, ['transact'])
  await log.append([{ topic, key: 'k', value: Buffer.from('ours'), timestampMs: 1 }])
  assert.deepEqual(texts(await readAll(log, topic)), ['kept', 'ours'])
})

test('what we wrote is read by librdkafka, its checksum too', async () => {
  const topic = await freshTopic(2)
  const records: NewRecord[] = Array.from({ length: 50 }, (_, i) => ({
    topic,
    key: `ключ-${i}`,
    value: Buffer.from(`värde-${i}`),
    timestampMs: 1_700_000_000_000 - i,
    headers: { n: `${i}` },
  }))
  const placed = await log.append(records)
  const lines = (await client(topic, ['consume', '50'])).trim().split('\n')
  const byPlace = (a: { partition: number; offset: number }, b: { partition: number; offset: number }) =>
    a.partition - b.partition || a.offset - b.offset
  const expected = records.map(({ key, value, timestampMs, headers }, i) => {
    const { partition, position } = placed[i]!
    return { partition, offset: Number(position), timestampMs, key, value: `${value}`, headers }
  })
  assert.deepEqual(lines.map((line) => JSON.parse(line)).sort(byPlace), expected.sort(byPlace))
})
