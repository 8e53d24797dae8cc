/** The parts of a migration, each alone: who may write to a log, the proved copy, the keys. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { NotACopy, PartitionCopy } from '../../cli/migrate/copy.ts'
import { guarded } from '../../cli/migrate/gate.ts'
import { KeyCopy } from '../../cli/migrate/keys.ts'
import { MIGRATE_LIMITS } from '../../cli/migrate/limits.ts'
import { fold, type Move, type MoveKind, say, stateOf } from '../../cli/migrate/moves.ts'
import { reframer } from '../../cli/reframe.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { LogUnavailable } from '../../log/errors.ts'
import type { EventLog, NewRecord } from '../../log/log.ts'
import { openEmbeddedVault } from '../../stores/vault/embedded.ts'
import { tempFolder } from './playhead.ts'

const TOPIC = 'playback-events'
const [PAUSE_ENDS_MS, NOW_MS] = [50_000, 10_000]

async function logIn(t: TestContext): Promise<EventLog> {
  const log = await openEmbeddedLog({ dir: join(tempFolder(t), 'log') })
  t.after(() => log.close())
  await log.ensureTopics([{ topic: TOPIC, partitions: 1 }])
  return log
}

function recordsOf(count: number, first = 0): NewRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    ...{ topic: TOPIC, key: `k${(first + i) % 7}`, value: Buffer.from(`v${first + i}`) },
    ...{ timestampMs: 1_000 + first + i, headers: { n: `${first + i}` } },
  }))
}

async function valuesIn(log: EventLog): Promise<string[]> {
  const request = { topic: TOPIC, partition: 0, from: 0n, recordsMax: 100_000, bytesMax: 1e9, waitMs: 0 }
  return (await log.read(request)).records.map(({ value }) => value.toString())
}

function moveOf(kind: MoveKind, id = 'a'): Move {
  return { kind, id, place: 'elsewhere', untilMs: PAUSE_ENDS_MS }
}

/** A clock that stands where it is put. */
function clockAt(wallMs: number) {
  const now = { wallMs, steadyMs: 0 }
  return {
    clock: { wallMs: () => now.wallMs, steadyMs: () => now.steadyMs },
    pass: (ms: number) => {
      now.wallMs += ms
      now.steadyMs += ms
    },
    sleepThrough: (ms: number) => {
      now.wallMs += ms
    },
  }
}

test('a log that is closed for good stays so, and only while it is sealed can it be closed', () => {
  const moves = fc.record({
    kind: fc.constantFrom<MoveKind>('fill', 'seal', 'open', 'move'),
    id: fc.constantFrom('a', 'b'),
  })
  fc.assert(
    fc.property(fc.array(moves, { maxLength: 12 }), (said) => {
      const all = said.map(({ kind, id }) => moveOf(kind, id))
      let wasMoved = false
      for (let i = 1; i <= all.length; i++) {
        const [before, after] = [fold(all.slice(0, i - 1)), fold(all.slice(0, i))]
        if (after.is === 'moved' && !wasMoved) assert.deepEqual([before.is, all[i - 1]!.kind], ['sealed', 'move'])
        if (wasMoved) assert.equal(after.is, 'moved')
        wasMoved = after.is === 'moved'
      }
    }),
  )
})

test('a sealed log refuses what is appended, says where it goes, and takes it again when it is opened', async (t) => {
  const log = await logIn(t)
  const { clock, pass } = clockAt(NOW_MS)
  const writer = guarded(log, clock)
  await writer.append(recordsOf(1))
  await say(log, moveOf('seal'), NOW_MS)
  pass(MIGRATE_LIMITS.leaseMs)
  await assert.rejects(writer.append(recordsOf(1, 1)), (error) => {
    return error instanceof LogUnavailable && error.message.includes('elsewhere')
  })
  assert.deepEqual(await valuesIn(log), ['v0'], 'nothing was begun')
  await say(log, moveOf('open'), NOW_MS)
  await writer.append(recordsOf(1, 2))
  assert.deepEqual(await valuesIn(log), ['v0', 'v2'])
})

test('what became durable after the seal is not acknowledged, though the writer was asleep in between', async (t) => {
  const log = await logIn(t)
  const { clock, sleepThrough } = clockAt(NOW_MS)
  let meanwhile = async () => undefined as unknown
  const slow: EventLog = Object.assign(Object.create(log), {
    ...{ topics: () => log.topics(), bounds: log.bounds, read: log.read, incarnation: log.incarnation },
    append: async (records: readonly NewRecord[]) => {
      await meanwhile()
      return await log.append(records)
    },
  })
  const writer = guarded(slow, clock)
  await writer.append(recordsOf(1))
  meanwhile = async () => {
    meanwhile = async () => undefined
    await say(log, moveOf('seal'), NOW_MS)
    // Only the wall's clock goes on while a machine sleeps.
    sleepThrough(MIGRATE_LIMITS.leaseMs)
  }
  await assert.rejects(writer.append(recordsOf(1, 1)), LogUnavailable)
})

test('a seal that nobody lifts is lifted by the first writer after its time, and the migration learns that it lost', async (t) => {
  const log = await logIn(t)
  const { clock, pass } = clockAt(NOW_MS)
  const writer = guarded(log, clock)
  await say(log, moveOf('seal'), NOW_MS)
  await assert.rejects(writer.append(recordsOf(1)), LogUnavailable)
  pass(PAUSE_ENDS_MS)
  await writer.append(recordsOf(1))
  assert.equal((await say(log, moveOf('move'), NOW_MS)).is, 'open', 'too late')
  await writer.append(recordsOf(1, 1))
})

test('a seal that was lifted does not hold again because a second copy of it comes late', () => {
  const seal = moveOf('seal')
  assert.equal(fold([seal, moveOf('open'), seal, moveOf('move')]).is, 'open')
  assert.equal(fold([seal, moveOf('open'), { ...seal, untilMs: PAUSE_ENDS_MS + 1 }, moveOf('move')]).is, 'moved')
})

test('what is said of a log is not said of its copy', async (t) => {
  const [log, copy] = [await logIn(t), await logIn(t)]
  await say(log, moveOf('seal'), NOW_MS)
  await say(log, moveOf('move'), NOW_MS)
  const { records } = await log.read({
    topic: 'playhead-moves',
    partition: 0,
    from: 0n,
    recordsMax: 9,
    bytesMax: 1e6,
    waitMs: 0,
  })
  await copy.ensureTopics([{ topic: 'playhead-moves', partitions: 1 }])
  await copy.append(records.map((record) => ({ ...record, topic: 'playhead-moves', key: record.key ?? '' })))
  assert.equal((await stateOf(copy)).is, 'open')
  assert.equal((await stateOf(log)).is, 'moved')
})

function copyOf(from: EventLog, to: EventLog, marks = { source: 0n, target: 0n }) {
  const ports = {
    from,
    to,
    frames: reframer(new Map(), new Map()),
    signal: new AbortController().signal,
    copied: () => undefined,
  }
  return new PartitionCopy({ topic: TOPIC, partition: 0 }, 1, marks, ports)
}

test('a copy that lost its marks, or has old ones, sends nothing twice', async (t) => {
  const [from, to] = [await logIn(t), await logIn(t)]
  await from.append(recordsOf(5_000))
  const first = copyOf(from, to)
  await first.bring(3_000n)
  const old = first.marks
  await first.bring(4_000n)
  await copyOf(from, to, old).bring(4_500n)
  const last = copyOf(from, to)
  await last.bring(5_000n)
  assert.deepEqual(await valuesIn(to), await valuesIn(from))
  assert.deepEqual(last.marks, { source: 5_000n, target: 5_000n })
})

test('a second copy of what was sent is known as one; a record of somebody else ends the copy', async (t) => {
  const [from, to] = [await logIn(t), await logIn(t)]
  await from.append(recordsOf(100))
  const copy = copyOf(from, to)
  await copy.bring(50n)
  await to.append(recordsOf(10, 40))
  await copy.bring(80n)
  await copyOf(from, to).bring(100n)
  assert.equal((await valuesIn(to)).length, 110)
  await to.append(recordsOf(1, 7_000))
  await assert.rejects(copyOf(from, to).bring(100n), NotACopy)
})

test('an append that fails after it was stored is not sent again', async (t) => {
  const [from, to] = [await logIn(t), await logIn(t)]
  await from.append(recordsOf(100))
  let failing = true
  const deaf: EventLog = Object.assign(Object.create(to), {
    ...{ bounds: to.bounds, read: to.read },
    append: async (records: readonly NewRecord[]) => {
      const placed = await to.append(records)
      if (!failing) return placed
      failing = false
      throw new LogUnavailable('the answer was lost')
    },
  })
  const copy = copyOf(from, deaf)
  await assert.rejects(copy.bring(100n), LogUnavailable)
  await copy.bring(100n)
  assert.deepEqual(await valuesIn(to), await valuesIn(from))
})

test('keys are the same in the new vault: living, retired, and those that are gone', async (t) => {
  const open = async () => {
    const vault = await openEmbeddedVault({ dir: join(tempFolder(t), 'vault') })
    t.after(() => vault.close())
    return vault
  }
  const [from, to] = [await open(), await open()]
  const [ann, bob] = await from.current(['ann', 'bob'])
  const copy = await KeyCopy.open(from, to)
  await copy.round()
  assert.deepEqual(await to.current(['ann', 'bob']), [ann, bob])
  await from.retire('ann')
  const [again] = await from.current(['ann'])
  await from.retire('bob')
  await from.destroy([bob!.keyId])
  await copy.round()
  // As after a restart: nothing changes.
  await (await KeyCopy.open(from, to)).round()
  assert.deepEqual(await to.current(['ann']), [again])
  assert.deepEqual(await to.retired('ann'), [ann!.keyId])
  assert.deepEqual(await to.open([ann!.keyId, bob!.keyId]), await from.open([ann!.keyId, bob!.keyId]))
  assert.equal((await to.open([bob!.keyId]))[0]?.state, 'destroyed')
})
