/** The limits of a read, and what wakes one that waits. */
import assert from 'node:assert/strict'
import type { EventLog, Position, ReadRequest } from '../../log/log.ts'
import { readAll, record, type Scenario, startOf, texts, within } from './contract-support.ts'

export function readContract(scenario: Scenario): void {
  limits(scenario)
  places(scenario)
  waiting(scenario)
}

function reader(
  log: EventLog,
  topic: string,
): (request: Partial<ReadRequest> & { from: Position }) => ReturnType<EventLog['read']> {
  return (request) => log.read({ topic, partition: 0, bytesMax: 1_000_000, recordsMax: 1_000, waitMs: 0, ...request })
}

async function tenRecords(log: EventLog, topic: string): Promise<Position[]> {
  const values = Array.from({ length: 10 }, (_, i) => record(topic, 'k', `${i}`.repeat(100)))
  const placed = [...(await log.append(values.slice(0, 6))), ...(await log.append(values.slice(6)))]
  return placed.map((p) => p.position)
}

function limits(scenario: Scenario): void {
  scenario('recordsMax limits an answer, and next goes on where it stopped', async ({ log, topic }) => {
    const name = await topic()
    const positions = await tenRecords(log, name)
    const read = reader(log, name)
    const first = await read({ from: positions[0]!, recordsMax: 4 })
    assert.deepEqual(
      first.records.map((r) => r.position),
      positions.slice(0, 4),
    )
    const second = await read({ from: first.next, recordsMax: 4 })
    assert.deepEqual(
      second.records.map((r) => r.position),
      positions.slice(4, 8),
    )
    assert.ok(second.next > positions[7]! && second.next <= positions[8]!)
  })

  scenario('bytesMax limits an answer', async ({ log, topic }) => {
    const name = await topic()
    const [first] = await tenRecords(log, name)
    const { records } = await reader(log, name)({ from: first!, bytesMax: 450 })
    assert.ok(records.length >= 1 && records.length <= 4, `${records.length} records of 100 bytes and more in 450`)
  })

  scenario('one record is answered even if it is larger than bytesMax', async ({ log, topic }) => {
    const name = await topic()
    const placed = await log.append([record(name, 'k', 'x'.repeat(200_000)), record(name, 'k', 'y'.repeat(200_000))])
    const { records, next } = await reader(log, name)({ from: placed[0]!.position, bytesMax: 1_000 })
    assert.deepEqual(texts(records), ['x'.repeat(200_000)])
    const rest = await reader(log, name)({ from: next, bytesMax: 1 })
    assert.deepEqual(texts(rest.records), ['y'.repeat(200_000)])
  })

  scenario('pages of any size show each record once and in order', async ({ log, topic }) => {
    const name = await topic()
    const values = Array.from({ length: 97 }, (_, i) => `${i}`)
    for (let i = 0; i < values.length; i += 13)
      await log.append(values.slice(i, i + 13).map((v) => record(name, 'k', v)))
    for (const recordsMax of [1, 5, 13, 50]) assert.deepEqual(texts(await readAll(log, name, 0, recordsMax)), values)
  })
}

function places(scenario: Scenario): void {
  scenario('a read starts at from, in the middle of what was appended together', async ({ log, topic }) => {
    const name = await topic()
    const positions = await tenRecords(log, name)
    for (const i of [0, 3, 5, 6, 9]) {
      const { records, next, end } = await reader(log, name)({ from: positions[i]! })
      assert.deepEqual(
        records.map((r) => r.position),
        positions.slice(i),
      )
      assert.ok(next > positions[9]! && next <= end)
    }
  })

  scenario('to is the last position answered', async ({ log, topic }) => {
    const name = await topic()
    const positions = await tenRecords(log, name)
    const read = reader(log, name)
    for (const i of [0, 4, 7, 9]) {
      const { records, next } = await read({ from: positions[0]!, to: positions[i]! })
      assert.deepEqual(
        records.map((r) => r.position),
        positions.slice(0, i + 1),
      )
      assert.ok(next > positions[i]!)
    }
    const none = await read({ from: positions[5]!, to: positions[4]!, waitMs: 60_000 })
    assert.deepEqual(none.records, [])
  })

  scenario('at the end and beyond it there is nothing', async ({ log, topic }) => {
    const name = await topic()
    await tenRecords(log, name)
    const [bounds] = await log.bounds(name)
    for (const from of [bounds!.end, bounds!.end + 1_000n]) {
      const answer = await reader(log, name)({ from })
      assert.deepEqual(answer, { records: [], next: from, end: bounds!.end })
    }
  })
}

function waiting(scenario: Scenario): void {
  scenario("a waiting read is woken by another client's append", async ({ log, topic, open, patience }) => {
    const name = await topic()
    const writer = await open()
    let from = await startOf(log, name)
    for (const value of ['1', '2', '3']) {
      const waits = reader(log, name)({ from, waitMs: 60_000 })
      const [placed] = await writer.append([record(name, 'k', value)])
      const answer = await within('the read answers', patience.answerMs, waits)
      assert.deepEqual(texts(answer.records), [value])
      assert.ok(answer.end > placed!.position)
      from = answer.next
    }
  })

  scenario('a waiting read gives up after waitMs', async ({ log, topic }) => {
    const name = await topic()
    const from = await startOf(log, name)
    const begun = performance.now()
    const answer = await reader(log, name)({ from, waitMs: 150 })
    assert.deepEqual(answer.records, [])
    assert.equal(answer.next, from)
    assert.ok(performance.now() - begun >= 145, 'it waited')
  })

  scenario('a signal ends the wait without an error', async ({ log, topic, patience }) => {
    const name = await topic()
    const from = await startOf(log, name)
    const abort = new AbortController()
    const waits = reader(log, name)({ from, waitMs: 60_000, signal: abort.signal })
    // The read must be under way, or only the next test's case would be tested.
    await log.bounds(name)
    abort.abort()
    assert.deepEqual((await within('the read ends', patience.answerMs, waits)).records, [])
  })

  scenario('a signal that has gone off already means: answer at once', async ({ log, topic, patience }) => {
    const name = await topic()
    const from = await startOf(log, name)
    const waits = reader(log, name)({ from, waitMs: 60_000, signal: AbortSignal.abort() })
    assert.deepEqual((await within('the read ends', patience.answerMs, waits)).records, [])
  })

  scenario('a waiting read holds up nobody else on the same client', async ({ log, topic, patience }) => {
    const [quiet, busy] = [await topic(), await topic()]
    const abort = new AbortController()
    const from = await startOf(log, quiet)
    const waits = reader(log, quiet)({ from, waitMs: 60_000, signal: abort.signal })
    await within('an append passes', patience.answerMs, log.append([record(busy, 'k', 'passes')]))
    assert.deepEqual(texts(await within('a read passes', patience.answerMs, readAll(log, busy))), ['passes'])
    abort.abort()
    await waits
  })
}
