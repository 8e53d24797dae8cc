/** Removing a partition's oldest records, and what stays. */
import assert from 'node:assert/strict'
import { LogRetention } from '../../log/errors.ts'
import type { EventLog, Position } from '../../log/log.ts'
import { readAll, record, type Scenario, texts } from './contract-support.ts'

export function trimContract(scenario: Scenario): void {
  scenario('what is before a position goes, in every client, and the rest stays where it is', async (scene) => {
    const { log, topic, open } = scene
    const name = await topic(1)
    const placed = await appended(log, name, 30)
    const other = await open()
    const place = { topic: name, partition: 0 }
    assert.equal(await log.trim(place, placed[11]!), placed[11])
    for (const client of [log, other]) {
      const [bounds] = await client.bounds(name)
      assert.deepEqual([bounds!.start, bounds!.end], [placed[11], placed[29]! + 1n])
      assert.deepEqual(texts(await readAll(client, name)), values(11, 30))
      await assert.rejects(
        client.read({ ...place, from: placed[10]!, bytesMax: 1_000, recordsMax: 10, waitMs: 0 }),
        (error) => error instanceof LogRetention && error.code === 'LOG_RETENTION' && error.message.includes(name),
      )
    }
  })

  scenario('a trim never goes back, and never beyond the end; positions go on', async ({ log, topic }) => {
    const name = await topic(1)
    const place = { topic: name, partition: 0 }
    const placed = await appended(log, name, 5)
    const end = placed[4]! + 1n
    assert.equal(await log.trim(place, placed[3]!), placed[3])
    assert.equal(await log.trim(place, placed[1]!), placed[3])
    assert.equal(await log.trim(place, end + 1_000n), end)
    const [bounds] = await log.bounds(name)
    assert.deepEqual([bounds!.start, bounds!.end], [end, end])
    const [next] = await appended(log, name, 1, 5)
    assert.ok(next! >= end)
    assert.deepEqual(texts(await readAll(log, name)), ['value 5'])
  })

  scenario('a trim of one partition leaves the others', async ({ log, topic }) => {
    const name = await topic(2)
    await appended(log, name, 40)
    const before = await readAll(log, name, 1)
    const [first] = await log.bounds(name)
    await log.trim({ topic: name, partition: 0 }, first!.end)
    assert.deepEqual(await readAll(log, name, 0), [])
    assert.deepEqual(await readAll(log, name, 1), before)
  })
}

async function appended(log: EventLog, topic: string, count: number, first = 0): Promise<Position[]> {
  const positions: Position[] = []
  // In several batches, so that a position is inside one as well as at its beginning.
  for (let i = first; i < first + count; i += 7) {
    const some = values(i, Math.min(i + 7, first + count))
    const placed = await log.append(some.map((value, n) => record(topic, `key-${i + n}`, value)))
    positions.push(...placed.map(({ position }) => position))
  }
  return positions
}

function values(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `value ${from + i}`)
}
