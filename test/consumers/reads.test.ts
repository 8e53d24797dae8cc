import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decide } from '../../consumers/decide.ts'
import { DuplicateWindow } from '../../consumers/duplicates.ts'
import type { LogRecord } from '../../log/log.ts'
import { createCodec, type EventCodec } from '../../schemas/index.ts'
import { erased, heartbeat, idOf } from './events.ts'

const PLACE = { topic: 'playback-events', partition: 0 }

async function fates(codec: EventCodec, values: readonly Buffer[], reads?: readonly ('Heartbeat' | 'ProfileErased')[]) {
  const window = new DuplicateWindow()
  const records = values.map(
    (value, i) => ({ value, key: 'p', position: BigInt(i), timestampMs: 1, headers: {} }) as unknown as LogRecord,
  )
  const decoded: number[] = []
  const watched = {
    ...codec,
    typeOf: (value: Buffer) => codec.typeOf(value),
    decode: (value: Buffer) => {
      decoded.push(values.indexOf(value))
      return codec.decode(value)
    },
  } as EventCodec
  const ports = { codec: watched, window, obey: undefined, learn: async () => false }
  const decisions = await decide(records, PLACE, { ...ports, ...(reads && { reads: new Set(reads) }) })
  return { fates: decisions.map(({ fate }) => fate), events: decisions.map(({ event }) => event?.type), decoded }
}

test('what a projection does not read is folded without being decoded, copies are known all the same', async () => {
  const codec = await createCodec()
  const beat = codec.encode(heartbeat({ profileId: 'p', eventId: idOf(1), positionMs: 1, atMs: 1_700_000_000_000 }))
  const gone = codec.encode(erased('p', idOf(2), 1_700_000_000_001))
  const broken = Buffer.concat([beat.subarray(0, 60), Buffer.alloc(3, 255)])
  const values = [beat, gone, beat, Buffer.from('no event'), broken]
  const some = await fates(codec, values, ['ProfileErased'])
  assert.deepEqual(some.fates, ['folded', 'folded', 'duplicate', 'parked', 'duplicate'])
  assert.deepEqual(some.events, [undefined, 'ProfileErased', undefined, undefined, undefined])
  assert.deepEqual(some.decoded, [1, 3], 'what has no known type is looked at')
  const all = await fates(codec, values)
  assert.deepEqual(all.events.slice(0, 3), ['Heartbeat', 'ProfileErased', 'Heartbeat'])
  assert.equal(all.decoded.length, 5)
})
