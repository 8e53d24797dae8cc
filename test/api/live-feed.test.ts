/** The feed and the sessions by themselves: what is read when, and what happens when something is away. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import Fastify from 'fastify'
import type { Listener } from '../../api/live/channel.ts'
import { Feed, type FeedPorts } from '../../api/live/feed.ts'
import { LIVE_LIMITS } from '../../api/live/limits.ts'
import type { LiveMessage } from '../../api/live/message.ts'
import { type Pipe, Sessions } from '../../api/live/session.ts'
import { openSse } from '../../api/live/sse.ts'
import { Problem } from '../../api/problems.ts'
import { LogUnavailable } from '../../log/errors.ts'
import type { EventLog, LogRecord, ReadRequest } from '../../log/log.ts'
import { partitionOf } from '../../log/partition.ts'
import type { ProgressRow } from '../../projections/progress/row.ts'
import { createCodec, type EventCodec, type NewEvent } from '../../schemas/index.ts'
import { StoreUnavailable } from '../../stores/errors.ts'
import { metaAt, until } from './playback-support.ts'

const PARTITIONS = 4
const codec: EventCodec = await createCodec()

/** A log in memory that can be away. */
class ToyLog {
  readonly partitions: LogRecord[][] = Array.from({ length: PARTITIONS }, () => [])
  readonly reads: number[] = []
  away = 0

  async topics() {
    return [{ topic: 'playback-events', partitions: PARTITIONS }]
  }

  async bounds(topic: string) {
    return this.partitions.map((records, partition) => ({ topic, partition, start: 0n, end: BigInt(records.length) }))
  }

  async read({ partition, from, signal }: ReadRequest) {
    this.reads.push(partition)
    if (this.away > 0) {
      this.away -= 1
      throw new LogUnavailable('the log is away')
    }
    const records = this.partitions[partition]!.slice(Number(from))
    if (records.length === 0 && !signal?.aborted) await new Promise((resolve) => setTimeout(resolve, 2))
    const next = from + BigInt(records.length)
    return { records, next, end: next }
  }

  report(profileId: string, titleId: string): void {
    const records = this.partitions[partitionOf(profileId, PARTITIONS)]!
    const meta = metaAt(Date.now())
    const event: NewEvent = { type: 'ProgressReported', meta, profileId, titleId, positionMs: 1, played: [] }
    const position = BigInt(records.length)
    records.push({ position, timestampMs: 0, key: profileId, value: codec.encode(event), headers: {} })
  }
}

class Ears implements Listener {
  readonly messages: LiveMessage[] = []
  ended: string | undefined
  send(message: LiveMessage): void {
    this.messages.push(message)
  }
  end(reason: string): void {
    this.ended = reason
  }
}

function feedOn(t: TestContext, log: ToyLog, more: Partial<FeedPorts> = {}) {
  const failures: unknown[] = []
  const feed = new Feed({
    log: log as unknown as EventLog,
    codec,
    nowMs: Date.now,
    positions: { header: () => '', wait: async () => 'passed' },
    progress: { get: async (_, titles) => titles.map(() => undefined), all: async () => [] },
    failed: (error) => failures.push(error),
    ...more,
  })
  t.after(() => assert.deepEqual(failures, []))
  return feed
}

const titles = ({ messages }: Ears) => messages.flatMap((m) => ('titleId' in m ? [m.titleId] : []))

test('nothing is read while nobody listens, and only the partitions of those who do', async (t) => {
  const log = new ToyLog()
  const feed = feedOn(t, log)
  log.report('ann', 'before')
  const ears = new Ears()
  const subscription = feed.open('ann', ears)
  await subscription.ready
  log.report('ann', 't1')
  await until('t1', () => (titles(ears).includes('t1') ? true : undefined))
  assert.deepEqual(titles(ears), ['t1'], 'what was before is not told')
  assert.deepEqual([...new Set(log.reads)], [partitionOf('ann', PARTITIONS)])
  subscription.close()
  await feed.close()
  const reads = log.reads.length
  await new Promise((resolve) => setTimeout(resolve, 10))
  assert.equal(log.reads.length, reads)
  assert.equal(feed.listeners, 0)
})

test('a log that is away for a while loses no change', async (t) => {
  const log = new ToyLog()
  const feed = feedOn(t, log)
  const ears = new Ears()
  const subscription = feed.open('ann', ears)
  await subscription.ready
  log.away = 1
  log.report('ann', 't1')
  await until('t1', () => (titles(ears).includes('t1') ? true : undefined))
  assert.equal(log.away, 0)
  subscription.close()
})

test('a change is told when the projection has passed it and its store is back, not before', async (t) => {
  const log = new ToyLog()
  const waits: ('late' | 'passed')[] = ['late', 'passed', 'passed']
  let away = 1
  const progress = {
    get: async (_: string, asked: readonly string[]) => {
      assert.ok(waits.length < 2, 'read only after the wait has passed')
      if (away-- > 0) throw new StoreUnavailable('away')
      return asked.map(() => undefined)
    },
    all: async () => [] as ProgressRow[],
  }
  const feed = feedOn(t, log, {
    progress,
    positions: { header: () => '', wait: async () => waits.shift() ?? 'passed' },
  })
  const ears = new Ears()
  const subscription = feed.open('ann', ears)
  await subscription.ready
  log.report('ann', 't1')
  await until('t1', () => (titles(ears).includes('t1') ? true : undefined))
  assert.deepEqual(ears.messages, [{ type: 'removed', titleId: 't1' }])
  subscription.close()
})

test('what is seen while rows are read is read again', async (t) => {
  const log = new ToyLog()
  let reads = 0
  const progress = {
    get: async (_: string, asked: readonly string[]) => {
      if (++reads === 1) {
        log.report('ann', 't1')
        const seen = log.reads.length
        await until('the tail has come past it', () => (log.reads.length > seen + 1 ? true : undefined))
      }
      return asked.map(() => undefined)
    },
    all: async () => [] as ProgressRow[],
  }
  const feed = feedOn(t, log, { progress })
  const ears = new Ears()
  const subscription = feed.open('ann', ears)
  await subscription.ready
  log.report('ann', 't1')
  await until('told twice', () => (titles(ears).length === 2 ? true : undefined))
  subscription.close()
})

test('an import of very many titles is told as "resync", not title by title without end', async (t) => {
  const log = new ToyLog()
  const feed = feedOn(t, log)
  const ears = new Ears()
  const subscription = feed.open('ann', ears)
  await subscription.ready
  for (let n = 0; n < LIVE_LIMITS.titlesWaitingMax + 50; n++) log.report('ann', `t${n}`)
  await until('resync', () => ears.messages.find((m) => m.type === 'resync'))
  subscription.close()
})

test('a listener that hears of an error nobody expected is ended, and the error is told', async () => {
  const log = new ToyLog()
  const failures: unknown[] = []
  const broken = new TypeError('a row that can not be read')
  const feed = new Feed({
    log: log as unknown as EventLog,
    codec,
    nowMs: Date.now,
    positions: { header: () => '', wait: async () => 'passed' },
    progress: { get: () => Promise.reject(broken), all: async () => [] },
    failed: (error) => failures.push(error),
  })
  const ears = new Ears()
  const subscription = feed.open('ann', ears)
  await subscription.ready
  log.report('ann', 't1')
  await until('ended', () => ears.ended)
  assert.deepEqual([ears.ended, failures], ['unavailable', [broken]])
  subscription.close()
})

test('a full process refuses, and has room again when one leaves', (t) => {
  const feed = feedOn(t, new ToyLog())
  const open = Array.from({ length: LIVE_LIMITS.subscribersMax }, (_, n) => feed.open(`p${n}`, new Ears()))
  const full = (error: unknown) => error instanceof Problem && error.code === 'LIVE_FULL'
  assert.throws(() => feed.open('one more', new Ears()), full)
  open[0]?.close()
  open[0]?.close()
  feed.open('one more', new Ears()).close()
  for (const subscription of open) subscription.close()
  assert.equal(feed.listeners, 0)
})

test('a client that does not read is cut off', async (t) => {
  let pipe: Pipe | undefined
  const app = Fastify()
  app.get('/', (request, reply) => {
    pipe = openSse(request, reply)
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const client = connect((app.server.address() as { port: number }).port, '127.0.0.1')
  client.on('error', () => undefined)
  t.after(async () => {
    client.destroy()
    await app.close()
  })
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  await once(client, 'data')
  client.pause()
  let tell: (message: LiveMessage) => void = () => undefined
  const feed = {
    open: (_: string, listener: Listener) => {
      tell = (message) => listener.send(message)
      return { ready: Promise.resolve(), close: () => undefined }
    },
  }
  const ports = {
    nowMs: Date.now,
    progress: { get: async () => [], all: async () => [] },
    failed: (error: unknown) => assert.fail(String(error)),
  }
  let cut = false
  let closed: Promise<unknown> = Promise.resolve()
  new Sessions(feed, ports).start({ profileId: 'ann', resumes: false, expiresAtMs: undefined }, () => {
    closed = new Promise((resolve) => pipe!.onClosed(() => resolve(undefined)))
    return {
      ...pipe!,
      cut: () => {
        cut = true
        pipe!.cut()
      },
    }
  })
  const message: LiveMessage = { type: 'removed', titleId: 'x'.repeat(10_000) }
  for (let n = 0; n < 3_000 && !cut; n++) {
    tell(message)
    if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(cut)
  await closed
})
