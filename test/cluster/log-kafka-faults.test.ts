/** What may go wrong between us and a broker, on a broker that these tests may break. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { LogError, LogUnavailable } from '../../log/errors.ts'
import { Writer } from '../../log/kafka/bytes.ts'
import { openLink } from '../../log/kafka/client.ts'
import { openKafkaLog } from '../../log/kafka/index.ts'
import type { EventLog } from '../../log/log.ts'
import { readAll, record, startOf, texts, until, within } from '../log/contract-support.ts'
import { Trace } from '../log/trace.ts'
import { type LossyProxy, PRODUCE, startProxy } from './proxy.ts'
import { ownKafka } from './servers.ts'

let proxy: LossyProxy
let broker: Awaited<ReturnType<typeof ownKafka>>

before(async () => {
  proxy = await startProxy(() => broker.server.proxiedPort!)
  broker = await ownKafka({ tls: true, advertised: proxy.port })
})

after(async () => {
  await proxy.close()
  await broker.close()
})

async function withLog(port: number, use: (log: EventLog, topic: string) => Promise<void>, partitions = 1) {
  const log = await openKafkaLog({ brokers: [`127.0.0.1:${port}`] })
  try {
    const topic = `topic-${randomUUID()}`
    await log.ensureTopics([{ topic, partitions }])
    await use(log, topic)
  } finally {
    await log.close()
  }
}

/** Sixteen senders, each appending one record after the other; answers what was acknowledged, by value. */
async function sixteenSenders(log: EventLog, topic: string, each: number): Promise<Map<string, string>> {
  const acknowledged = new Map<string, string>()
  const sender = async (who: number) => {
    for (let i = 0; i < each; i++) {
      const value = `${who}:${i}`
      const [placed] = await log.append([record(topic, `key-${who}`, value)])
      acknowledged.set(value, `${placed!.partition}/${placed!.position}`)
    }
  }
  await Promise.all(Array.from({ length: 16 }, (_, who) => sender(who)))
  return acknowledged
}

async function stored(log: EventLog, topic: string, partitions: number): Promise<Map<string, string[]>> {
  const places = new Map<string, string[]>()
  for (let partition = 0; partition < partitions; partition++) {
    for (const { value, position } of await readAll(log, topic, partition)) {
      places.set(`${value}`, [...(places.get(`${value}`) ?? []), `${partition}/${position}`])
    }
  }
  return places
}

test('answers lost after the append, with sixteen senders: each event is stored once and told its true place', async () => {
  await withLog(
    proxy.port,
    async (log, topic) => {
      const lostBefore = proxy.lost
      proxy.loseAnswers(PRODUCE, 5)
      const acknowledged = await sixteenSenders(log, topic, 40)
      assert.equal(proxy.lost, lostBefore + 5)
      const places = await stored(log, topic, 3)
      assert.equal(acknowledged.size, 16 * 40)
      assert.deepEqual(
        [...places].sort(),
        [...acknowledged].map(([value, place]) => [value, [place]]).sort(),
        'stored exactly what was acknowledged, once, where it was said',
      )
    },
    3,
  )
})

test('an order within a key outlives lost answers, and nothing stalls', async () => {
  await withLog(proxy.port, async (log, topic) => {
    const lostBefore = proxy.lost
    const given: string[] = []
    for (let round = 1; round <= 15; round++) {
      const appends: Promise<unknown>[] = []
      proxy.loseAnswers(PRODUCE, 2)
      for (let i = 0; i < 200; i++) {
        given.push(`${round}:${i}`)
        appends.push(log.append([record(topic, 'one-key', given.at(-1)!)]))
        // So that many stand in line behind a batch whose answer is lost.
        if (i % 10 === 9) await new Promise((resolve) => setImmediate(resolve))
      }
      await within('the appends are acknowledged', 10_000, Promise.all(appends))
      assert.equal(proxy.lost, lostBefore + 2 * round)
    }
    assert.deepEqual(texts(await readAll(log, topic)), given)
  })
})

test('a broker that restarts in the midst of appends: nothing acknowledged is lost', async () => {
  await withLog(
    broker.port,
    async (log, topic) => {
      let restarted = false
      const acknowledged = new Map<string, string>()
      const sender = async (who: number) => {
        for (let i = 0; !restarted || i < 20; i++) {
          const [placed] = await log.append([record(topic, `key-${who}`, `${who}:${i}`)])
          acknowledged.set(`${who}:${i}`, `${placed!.partition}/${placed!.position}`)
        }
      }
      const senders = Promise.all([0, 1, 2, 3].map(sender))
      await until('some are acknowledged', 10_000, () => acknowledged.size > 40)
      await broker.server.kill()
      await broker.server.restart()
      restarted = true
      await senders
      const places = await stored(log, topic, 2)
      let duplicates = 0
      for (const [value, place] of acknowledged) {
        assert.ok(places.get(value)?.includes(place), `${value} is at ${places.get(value)}, told ${place}`)
        duplicates += places.get(value)!.length - 1
      }
      assert.equal(places.size, acknowledged.size)
      assert.ok(duplicates <= 4, `${duplicates} duplicates, more than batches were under way`)
    },
    2,
  )
})

test('a member outlives a restart of its broker and reads on', async () => {
  await withLog(broker.port, async (log, topic) => {
    const trace = new Trace()
    const membership = await log.join(`group-${randomUUID()}`, [topic], trace.listener('one'))
    await until('it owns its partition', 20_000, () => membership.assigned().length === 1)
    const from = await startOf(log, topic)
    const read = log.read({ topic, partition: 0, from, bytesMax: 1_000, recordsMax: 10, waitMs: 30_000 })
    await broker.server.restart()
    await log.append([record(topic, 'k', 'after the restart')])
    assert.deepEqual(texts((await read).records), ['after the restart'])
    await until('it owns its partition', 20_000, () => membership.assigned().length === 1)
    await membership.leave()
  })
})

test('a process that sleeps past its session loses its partitions, and hears so when it wakes', async () => {
  await withLog(
    broker.port,
    async (_log, topic) => {
      const group = `group-${randomUUID()}`
      const sleeper = spawn(
        process.execPath,
        ['--import', 'tsx', `${import.meta.dirname}/kafka-member.ts`, `${broker.port}`, group, topic],
        { stdio: ['pipe', 'pipe', 'inherit'] },
      )
      const heard: string[] = []
      createInterface({ input: sleeper.stdout }).on('line', (line) => heard.push(line))
      try {
        await until('the sleeper owns both', 20_000, () => heard.length >= 1)
        assert.deepEqual(heard, ['assigned 0,1'])
        sleeper.kill('SIGSTOP')

        const log = await openKafkaLog({ brokers: [`127.0.0.1:${broker.port}`], sessionTimeoutMs: 2_000 })
        const membership = await log.join(group, [topic], new Trace().listener('awake'))
        await until('the other owns both', 20_000, () => membership.assigned().length === 2)
        assert.equal(heard.length, 1, 'the sleeper has heard nothing')
        sleeper.kill('SIGCONT')
        await until('the sleeper hears that it lost them', 10_000, () => heard[1] === 'lost 0,1')
        await until('they share', 20_000, () => membership.assigned().length === 1 && heard.length >= 3)
        assert.match(heard[2]!, /^assigned [01]$/)
        await log.close()
      } finally {
        sleeper.kill('SIGKILL')
        if (sleeper.exitCode === null && sleeper.signalCode === null) await once(sleeper, 'exit')
      }
    },
    2,
  )
})

test('what retention has removed is an error that says so, not a silent jump', async () => {
  await withLog(broker.port, async (log, topic) => {
    const placed = await log.append(['1', '2', '3'].map((value) => record(topic, 'k', value)))
    await deleteBefore(broker.port, topic, placed[2]!.position)
    const read = log.read({ topic, partition: 0, from: placed[0]!.position, bytesMax: 1, recordsMax: 1, waitMs: 0 })
    await assert.rejects(read, (e) => e instanceof LogError && e.code === 'LOG_RETENTION' && e.message.includes(topic))
    const [bounds] = await log.bounds(topic)
    assert.equal(bounds!.start, placed[2]!.position)
    assert.deepEqual(texts(await readAll(log, topic)), ['3'])
  })
})

for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
  test(`TLS and ${mechanism}: a right password works, a wrong one is said to be wrong`, async () => {
    const { port, caFile, username, password } = broker.server.secure!
    const open = (secret: string) =>
      openKafkaLog({
        brokers: [`127.0.0.1:${port}`],
        tls: { caFile },
        sasl: { mechanism, username, password: secret },
      })
    const log = await open(password)
    const topic = `topic-${randomUUID()}`
    await log.ensureTopics([{ topic, partitions: 1 }])
    await log.append([record(topic, 'k', 'secret')])
    assert.deepEqual(texts(await readAll(log, topic)), ['secret'])
    await log.close()
    await assert.rejects(within('the refusal', 10_000, open('wrong-secret')), (error) => {
      assert.ok(error instanceof LogError)
      assert.equal(error.code, 'LOG_DENIED')
      assert.match(error.message, new RegExp(`127.0.0.1:${port}`))
      assert.doesNotMatch(JSON.stringify([error.message, error.stack]), /wrong-secret/)
      return true
    })
  })
}

test("a certificate of an authority that isn't trusted is refused, and the words help", async () => {
  const { port, username, password } = broker.server.secure!
  const sasl = { mechanism: 'plain', username, password } as const
  const open = openKafkaLog({ brokers: [`127.0.0.1:${port}`], tls: {}, sasl })
  await assert.rejects(within('the refusal', 20_000, open), (e) => e instanceof LogError && /CA file/.test(e.message))
})

test('where no broker answers, the address is in the words', async () => {
  const open = openKafkaLog({ brokers: ['127.0.0.1:1'] })
  const refused = (e: unknown) => e instanceof LogUnavailable && e.message.includes('127.0.0.1:1')
  await assert.rejects(within('the refusal', 20_000, open), refused)
})

/** Moves the start of partition 0, as retention would: Kafka's DeleteRecords. */
async function deleteBefore(port: number, topic: string, offset: bigint): Promise<void> {
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined }
  const link = await openLink({ host: '127.0.0.1', port }, { clientId: 'test', log })
  const body = new Writer(100 + topic.length).int32(1).text(topic).int32(1).int32(0).int64(offset).int32(5_000).cut()
  await link.send({ apiKey: 21, apiVersion: 0, apiName: 'DeleteRecords', body, decode: () => ({}) })
  link.close()
}
