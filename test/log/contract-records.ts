/** Topics, appends and what of them must be found again. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { LogBusy, LogError, LogRefused, LogUnavailable } from '../../log/errors.ts'
import { LOG_LIMITS } from '../../log/limits.ts'
import type { NewRecord, Placed } from '../../log/log.ts'
import { partitionOf } from '../../log/partition.ts'
import { keyIn, readAll, record, type Scenario, startOf, texts, within } from './contract-support.ts'

export function recordContract(scenario: Scenario): void {
  topics(scenario)
  roundTrips(scenario)
  order(scenario)
  refusals(scenario)
  lifetime(scenario)
}

function topics(scenario: Scenario): void {
  scenario('a topic is made with the partitions asked for, and is empty', async ({ log, topic }) => {
    const name = await topic(3)
    assert.deepEqual(
      (await log.topics()).find((t) => t.topic === name),
      { topic: name, partitions: 3 },
    )
    const bounds = [...(await log.bounds(name))].sort((a, b) => a.partition - b.partition)
    assert.deepEqual(
      bounds.map((b) => [b.topic, b.partition, b.start === b.end]),
      [0, 1, 2].map((partition) => [name, partition, true]),
    )
  })

  scenario(
    'a topic that exists keeps its partition count, and the answer says which it is',
    async ({ log, topic, open }) => {
      const old = await topic(2)
      const fresh = `topic-${randomUUID()}`
      const asked = [
        { topic: old, partitions: 5 },
        { topic: fresh, partitions: 1 },
      ]
      const real = [
        { topic: old, partitions: 2 },
        { topic: fresh, partitions: 1 },
      ]
      assert.deepEqual(await log.ensureTopics(asked), real)
      assert.deepEqual(await (await open()).ensureTopics(asked), real)
    },
  )

  scenario('two clients may make one topic at the same moment', async ({ log, open }) => {
    const other = await open()
    const topic = `topic-${randomUUID()}`
    const answers = await Promise.all([
      log.ensureTopics([{ topic, partitions: 2 }]),
      other.ensureTopics([{ topic, partitions: 2 }]),
    ])
    assert.deepEqual(answers, [[{ topic, partitions: 2 }], [{ topic, partitions: 2 }]])
  })

  scenario('a topic that cannot be is refused', async ({ log }) => {
    for (const spec of [
      { topic: '', partitions: 1 },
      { topic: 'with/slash', partitions: 1 },
      { topic: 'without-partitions', partitions: 0 },
    ]) {
      await assert.rejects(log.ensureTopics([spec]), LogRefused, JSON.stringify(spec))
    }
  })
}

function roundTrips(scenario: Scenario): void {
  scenario('a record comes back as it was given: key, value, time, headers', async ({ log, topic, open }) => {
    const name = await topic(4)
    const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i)
    const given: NewRecord[] = [
      { topic: name, key: 'plain', value: Buffer.from('value'), timestampMs: 1_700_000_000_000 },
      { topic: name, key: 'profil-é-日本-🎬', value: Buffer.from('unicode'), timestampMs: 1_700_000_000_001 },
      { topic: name, key: 'empty value', value: new Uint8Array(0), timestampMs: 0 },
      { topic: name, key: '', value: Buffer.from('empty key'), timestampMs: 1_700_000_000_000 },
      {
        topic: name,
        key: 'binary',
        value: everyByte,
        timestampMs: 1_600_000_000_000,
        headers: { a: '1', 'b-é': '', c: '日本' },
      },
    ]
    const placed = await log.append(given)
    const reader = await open()
    for (const [i, expected] of given.entries()) {
      const { partition, position } = placed[i]!
      const answer = await reader.read({
        topic: name,
        partition,
        from: position,
        recordsMax: 1,
        bytesMax: 1,
        waitMs: 0,
      })
      const found = answer.records[0]!
      assert.equal(found.position, position)
      assert.equal(found.key, expected.key)
      assert.equal(found.timestampMs, expected.timestampMs)
      assert.deepEqual(Buffer.from(found.value), Buffer.from(expected.value))
      assert.deepEqual({ ...found.headers }, expected.headers ?? {})
    }
  })

  scenario('a key is in the partition that murmur2 says', async ({ log, topic }) => {
    const name = await topic(7)
    const keys = Array.from({ length: 50 }, (_, i) => `profile-${i * 7919}-ü`)
    const placed = await log.append(keys.map((key) => record(name, key, key)))
    assert.deepEqual(
      placed.map((p) => p.partition),
      keys.map((key) => partitionOf(key, 7)),
    )
    for (let partition = 0; partition < 7; partition++) {
      assert.deepEqual(
        texts(await readAll(log, name, partition)),
        keys.filter((key) => partitionOf(key, 7) === partition),
      )
    }
  })

  scenario('records of several topics may go in one append', async ({ log, topic }) => {
    const [a, b] = [await topic(1), await topic(1)]
    await log.append([record(a, 'k', '1'), record(b, 'k', '2'), record(a, 'k', '3')])
    assert.deepEqual(texts(await readAll(log, a)), ['1', '3'])
    assert.deepEqual(texts(await readAll(log, b)), ['2'])
  })

  scenario('an append of nothing answers nothing', async ({ log }) => {
    assert.deepEqual(await log.append([]), [])
  })

  scenario('a value as large as the limit is stored', async ({ log, topic }) => {
    const name = await topic()
    const value = Buffer.alloc(LOG_LIMITS.recordBytesMax, 'x')
    await log.append([record(name, 'small'), record(name, 'large', value), record(name, 'small')])
    const found = await readAll(log, name)
    assert.equal(found.length, 3)
    assert.ok(found[1]!.value.equals(value))
  })

  scenario('what was read stays as it was while others append and read', async ({ log, topic }) => {
    const name = await topic()
    await log.append([record(name, 'k', 'a'.repeat(50_000)), record(name, 'k', 'b'.repeat(10))])
    const first = await readAll(log, name)
    await log.append([record(name, 'k', 'c'.repeat(50_000)), record(name, 'k', 'd'.repeat(10))])
    await readAll(log, name)
    assert.deepEqual(texts(first), ['a'.repeat(50_000), 'b'.repeat(10)])
  })
}

function order(scenario: Scenario): void {
  scenario('positions rise, and bounds end past the last of them', async ({ log, topic, open }) => {
    const name = await topic()
    const placed: Placed[] = []
    for (let i = 0; i < 5; i++)
      placed.push(...(await log.append([record(name, 'k', `${i}a`), record(name, 'k', `${i}b`)])))
    for (let i = 1; i < placed.length; i++) assert.ok(placed[i]!.position > placed[i - 1]!.position)
    const [bounds] = await (await open()).bounds(name)
    assert.ok(bounds!.start <= placed[0]!.position)
    assert.ok(bounds!.end > placed.at(-1)!.position)
    assert.deepEqual(
      (await readAll(log, name)).map((r) => r.position),
      placed.map((p) => p.position),
    )
  })

  scenario('a key keeps the order given, also over appends that were not awaited', async ({ log, topic }) => {
    const name = await topic(2)
    const key = keyIn(1, 2)
    const given = Array.from({ length: 300 }, (_, i) => `${i}`)
    const appends: Promise<unknown>[] = []
    for (let i = 0; i < given.length; i += 3) {
      appends.push(log.append(given.slice(i, i + 3).map((value) => record(name, key, value))))
    }
    await Promise.all(appends)
    assert.deepEqual(texts(await readAll(log, name, 1)), given)
  })

  scenario(
    'appenders at the same time lose nothing, double nothing, and are told the true positions',
    async ({ log, topic, open }) => {
      const name = await topic(3)
      const logs = [log, await open()]
      const told = new Map<string, Placed>()
      const appender = async (who: number) => {
        for (let i = 0; i < 25; i++) {
          const values = [0, 1, 2].map((j) => `${who}:${i}:${j}`)
          const placed = await logs[who % 2]!.append(values.map((value) => record(name, `key-${who}`, value)))
          for (const [j, value] of values.entries()) told.set(value, placed[j]!)
        }
      }
      await Promise.all(Array.from({ length: 8 }, (_, who) => appender(who)))
      const found: string[] = []
      for (let partition = 0; partition < 3; partition++) {
        for (const r of await readAll(log, name, partition)) {
          const value = r.value.toString()
          found.push(value)
          assert.deepEqual(told.get(value), { partition, position: r.position })
        }
      }
      assert.equal(found.length, 8 * 25 * 3)
      assert.equal(new Set(found).size, found.length)
      for (let who = 0; who < 8; who++) {
        const mine = found.filter((value) => value.startsWith(`${who}:`))
        assert.deepEqual(
          mine,
          Array.from({ length: 75 }, (_, n) => `${who}:${Math.floor(n / 3)}:${n % 3}`),
        )
      }
    },
  )
}

function refusals(scenario: Scenario): void {
  scenario('a topic that is not there is refused by its name', async ({ log }) => {
    const topic = `missing-${randomUUID()}`
    const refused = (error: unknown) => error instanceof LogRefused && error.message.includes(topic)
    await assert.rejects(log.append([record(topic, 'k')]), refused)
    await assert.rejects(log.read({ topic, partition: 0, from: 0n, bytesMax: 1, recordsMax: 1, waitMs: 0 }), refused)
    await assert.rejects(log.bounds(topic), refused)
  })

  scenario('a partition that is not there is refused', async ({ log, topic }) => {
    const name = await topic(2)
    await assert.rejects(
      log.read({ topic: name, partition: 2, from: 0n, bytesMax: 1, recordsMax: 1, waitMs: 0 }),
      LogRefused,
    )
  })

  scenario(
    'a record beyond a limit is refused, the limit is named, and nothing of its append is stored',
    async ({ log, topic }) => {
      const name = await topic()
      const large = record(name, 'k', Buffer.alloc(LOG_LIMITS.recordBytesMax + 1))
      const longKey = record(name, 'é'.repeat(LOG_LIMITS.keyBytesMax / 2 + 1))
      for (const [bad, limit] of [
        [large, 'recordBytesMax'],
        [longKey, 'keyBytesMax'],
        [record(`missing-${randomUUID()}`, 'k'), 'missing-'],
      ] as const) {
        const refused = (error: unknown) => error instanceof LogRefused && error.message.includes(limit)
        await assert.rejects(log.append([record(name, 'before'), bad, record(name, 'after')]), refused)
      }
      assert.deepEqual(await readAll(log, name), [])
    },
  )

  scenario('a full queue says LogBusy, and what it refused is not stored', async ({ log, topic }) => {
    const name = await topic()
    const size = LOG_LIMITS.queuedRecordsMax / 20
    const value = Buffer.from('v')
    const appends = Array.from({ length: 30 }, () =>
      log.append(Array.from({ length: size }, () => record(name, 'k', value))),
    )
    const settled = await Promise.allSettled(appends)
    const refused = settled.filter((s) => s.status === 'rejected').map((s) => s.reason)
    assert.ok(refused.length > 0, 'thirty appends of a twentieth each do not fit')
    for (const error of refused) {
      assert.ok(error instanceof LogBusy, String(error))
      assert.ok(error.retryAfterMs > 0)
    }
    assert.equal((await readAll(log, name)).length, (30 - refused.length) * size)
    await log.append([record(name, 'k', 'the queue is free again')])
  })

  scenario('an append that no queue can hold is refused, not put off for ever', async ({ log, topic }) => {
    const name = await topic()
    const value = Buffer.from('v')
    const records = Array.from({ length: LOG_LIMITS.queuedRecordsMax + 1 }, () => record(name, 'k', value))
    await assert.rejects(log.append(records), (e) => e instanceof LogRefused && e.message.includes('queuedRecordsMax'))
    assert.deepEqual(await readAll(log, name), [])
  })
}

function lifetime(scenario: Scenario): void {
  scenario(
    'a log that is opened again has everything, and is the same incarnation',
    async ({ log, topic, open, restart }) => {
      const name = await topic(2)
      const first = await open()
      const incarnation = await first.incarnation()
      assert.ok(incarnation.length > 0)
      const placed = await first.append([record(name, 'a', '1'), record(name, 'b', '2')])
      await first.close()
      await restart()
      const second = await open()
      assert.equal(await second.incarnation(), incarnation)
      assert.equal(await log.incarnation(), incarnation)
      assert.ok((await second.topics()).some((t) => t.topic === name && t.partitions === 2))
      for (const [i, { partition, position }] of placed.entries()) {
        const found = await readAll(second, name, partition)
        assert.equal(found.find((r) => r.position === position)?.value.toString(), `${i + 1}`)
      }
    },
  )

  scenario('close waits for the appends under way', async ({ log, topic, open }) => {
    const name = await topic()
    const closing = await open()
    const appends = Array.from({ length: 20 }, (_, i) => closing.append([record(name, 'k', `${i}`)]))
    await closing.close()
    assert.equal((await readAll(log, name)).length, 20)
    await Promise.all(appends)
  })

  scenario(
    'close may be called twice, ends a waiting read, and refuses what comes after',
    async ({ topic, open, patience }) => {
      const name = await topic()
      const closing = await open()
      const from = await startOf(closing, name)
      const read = () => closing.read({ topic: name, partition: 0, from, bytesMax: 1, recordsMax: 1, waitMs: 60_000 })
      const waiting = read().then(
        (answer) => assert.deepEqual(answer.records, []),
        (error) => assert.ok(error instanceof LogError),
      )
      await Promise.all([closing.close(), closing.close()])
      await closing.close()
      await within('a waiting read ends when its log closes', patience.answerMs, waiting)
      await assert.rejects(closing.append([record(name, 'k')]), LogUnavailable)
      await assert.rejects(read(), LogUnavailable)
    },
  )
}
