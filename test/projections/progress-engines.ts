/**
 * `progress` through the real runtime on one set of engines: however its events arrive, however they are cut into
 * batches and whoever dies on the way, the table ends in the same rows, byte for byte, and they are those that the fold
 * alone makes. So two sets that pass agree with each other.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { checkpointsOf } from '../../api/readers/checkpoints.ts'
import { progressReader } from '../../api/readers/progress.ts'
import { DeadLetters } from '../../consumers/dead-letters.ts'
import { Delivery, type DeliveryPorts } from '../../consumers/delivery.ts'
import type { Failpoint } from '../../consumers/failpoints.ts'
import { generationOf, stateTableOf } from '../../consumers/generation.ts'
import type { EventLog, Position, TopicPartition } from '../../log/log.ts'
import { progressV1 } from '../../projections/progress/v1.ts'
import type { Projection } from '../../projections/projection.ts'
import { createCodec, type EventCodec, keyOf, type PlayheadEvent } from '../../schemas/index.ts'
import { digestOf } from '../../stores/canonical.ts'
import type { StateStore, StateTable } from '../../stores/state.ts'
import { progressLog } from './progress-log.ts'
import { digestOfRows, meta, numbers, after as rowsOf, START_MS, shuffled } from './support.ts'

export interface StoredEngines {
  readonly log: EventLog
  readonly state: StateStore
  close(): Promise<void>
}

/** What a set's clock says all along: no row expires, on any engine. */
export const NOW_MS = START_MS + 3_600_000

interface Played {
  readonly table: StateTable
  readonly delivery: Delivery
  readonly place: TopicPartition
  readonly generationId: string
}

export function progressEngines(name: string, open: () => Promise<StoredEngines>, orders = 6): void {
  describe(`progress on ${name}`, () => {
    let engines: StoredEngines
    let codec: EventCodec
    before(async () => {
      codec = await createCodec({})
      engines = await open()
    })
    after(() => engines?.close())
    let plays = 0

    /** Appends the events and folds them, by an owner that dies at the failpoint and another that takes over. */
    async function play(events: readonly PlayheadEvent[], recordsMax: number, dieAt?: Failpoint): Promise<Played> {
      const topic = `progress-${process.pid}-${plays++}`
      const place = { topic, partition: 0 }
      await engines.log.ensureTopics([{ topic, partitions: 1 }])
      await engines.log.append(
        events.map((event) => {
          const timestampMs = event.meta.receivedAt
          return { topic, key: keyOf(event), value: codec.encode(event), timestampMs }
        }),
      )
      const projection: Projection = { ...progressV1(), name: `p${plays}`, topics: [topic] }
      const generation = generationOf(projection, await engines.log.incarnation())
      const table = await engines.state.table(stateTableOf(generation)!)
      const ports: DeliveryPorts = {
        log: engines.log,
        commits: engines.state.commits,
        states: table,
        deadLetters: await DeadLetters.open(engines.state),
        analytics: {} as DeliveryPorts['analytics'],
        codec,
        vault: { open: async () => [] },
        world: { nowMs: Date.now, random: Math.random, sleep: async () => undefined },
        at: () => undefined,
        database: '',
      }
      const signal = new AbortController().signal
      if (dieAt !== undefined) {
        let seen = 0
        const at = (point: Failpoint) => {
          if (point === dieAt && ++seen === 2) throw new Error('died')
        }
        const doomed = new Delivery(generation, place, { ...ports, at }, signal)
        await doomed.takeOver()
        await assert.rejects(deliver(doomed, place, recordsMax), /died/)
      }
      const delivery = new Delivery(generation, place, ports, signal)
      await delivery.takeOver()
      await delivery.redo()
      await deliver(delivery, place, recordsMax)
      return { table, delivery, place, generationId: generation.id }
    }

    async function deliver(delivery: Delivery, place: TopicPartition, recordsMax: number): Promise<void> {
      for (;;) {
        const from = delivery.record.checkpoint as Position
        const { records } = await engines.log.read({ ...place, from, bytesMax: 1e7, recordsMax, waitMs: 0 })
        if (records.length === 0) return
        await delivery.deliver(await delivery.prepare(records))
      }
    }

    const digest = (table: StateTable) => digestOf(table, { version: 'without', asOfMs: NOW_MS })

    test('any order, copies, batches and a death in between end in the rows that the fold alone makes', async () => {
      const events = progressLog(250)
      const expected = digestOfRows(progressV1(), rowsOf(progressV1(), events))
      assert.ok(expected.rows > 20n)
      const next = numbers(7)
      for (let order = 0; order < orders; order++) {
        const copies = events.filter(() => next(5) === 0)
        const arrival = order === 0 ? events : shuffled([...events, ...copies], next)
        const dieAt = ([undefined, 'states.upserted', 'intent.set'] as const)[order % 3]
        const { table } = await play(arrival, [1_000, 100, 17][order % 3]!, dieAt)
        assert.deepEqual(await digest(table), expected, `order ${order}`)
      }
    })

    test('an erasure takes the rows of its profile and no other; what the profile does later begins anew', async () => {
      const events = progressLog(200)
      const profileId = 'profile-1'
      const erased = { type: 'ProfileErased', meta: meta(START_MS, 900), profileId, reason: null, by: null } as const
      const left = events.filter((event, i) => i >= 120 || !('profileId' in event) || event.profileId !== profileId)
      const expected = digestOfRows(progressV1(), rowsOf(progressV1(), left))
      for (const recordsMax of [1_000, 50]) {
        const arrival = [...events.slice(0, 120), erased, ...events.slice(120)]
        const { table } = await play(arrival, recordsMax)
        assert.deepEqual(await digest(table), expected, `batches of ${recordsMax}`)
      }
    })

    test('a reader finds what was folded, and how far the fold has come', async () => {
      const { table, place, generationId } = await play(progressLog(60), 25)
      const reader = progressReader(table)
      const rows = await reader.all('profile-1')
      assert.ok(rows.length > 2)
      assert.deepEqual(
        rows.map(({ titleId }) => titleId),
        rows.map(({ titleId }) => titleId).sort(),
      )
      const titles = rows.map(({ titleId }) => titleId)
      assert.deepEqual(await reader.get('profile-1', [...titles, 'never seen']), [...rows, undefined])
      assert.deepEqual(await reader.all('nobody'), [])
      const ids = { progress: generationId, titles: 'none', episodes: 'none', streams: 'none' }
      const checkpoints = checkpointsOf(engines.state.commits, ids)
      assert.equal(await checkpoints.next('progress', place), 60n)
      assert.equal(await checkpoints.next('titles', place), undefined)
    })
  })
}
