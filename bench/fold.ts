/** decode + fold + nothing: what the runtime does with a batch before any row is made, against avsc decoding the same bodies. */
import avro from 'avsc'
import { BREATHE_EVERY } from '../consumers/breathe.ts'
import { decide } from '../consumers/decide.ts'
import { DuplicateWindow } from '../consumers/duplicates.ts'
import { BatchFold } from '../consumers/fold.ts'
import type { LogRecord } from '../log/log.ts'
import { createOpener } from '../producers/personal.ts'
import type { Projection } from '../projections/projection.ts'
import { createCodec, FRAME_BYTES, RELEASED } from '../schemas/index.ts'
import { heartbeat, idOf } from '../test/consumers/events.ts'
import { alternate, type BenchOptions, type Measured } from './bench.ts'

const NOTHING: Projection = { name: 'nothing', foldVersion: 1, topics: ['t'], batchMs: 0, landings: [] }
const PLACE = { topic: 't', partition: 0 }

export async function run({ quick }: BenchOptions): Promise<Measured[]> {
  const codec = await createCodec({})
  const text = RELEASED.findLast(({ subject }) => subject === 'playhead.playback.Heartbeat')?.schema as string
  const type = avro.Type.forSchema(JSON.parse(text))
  const size = quick ? 1_000 : 20_000
  const records: LogRecord[] = Array.from({ length: size }, (_, i) => {
    const profileId = `profile-${i % 1_000}`
    const value = codec.encode(heartbeat({ profileId, eventId: idOf(i), positionMs: i, atMs: 1_700_000_000_000 + i }))
    return { position: BigInt(i), timestampMs: 1_700_000_000_000 + i, key: profileId, value, headers: {} }
  })
  const bodies = records.map(({ value }) => value.subarray(FRAME_BYTES))
  // As Delivery.prepare does: slice by slice, and each slice let go.
  const ours = async () => {
    const began = performance.now()
    const deciding = { codec, window: new DuplicateWindow(), obey: undefined, learn: async () => false }
    const opener = createOpener({ open: async () => [] })
    const folding = { place: PLACE, cache: undefined, opener, term: 1n, to: BigInt(size - 1), redo: false }
    const batch = new BatchFold({ projection: NOTHING, ...folding })
    for (let i = 0; i < size; i += BREATHE_EVERY) {
      batch.take(await decide(records.slice(i, i + BREATHE_EVERY), PLACE, deciding))
    }
    if (batch.close().tally.folded !== BigInt(size)) throw new Error('not everything was folded')
    return (size * 1_000) / (performance.now() - began)
  }
  const bare = async () => {
    const began = performance.now()
    for (const body of bodies) type.fromBuffer(body)
    return (size * 1_000) / (performance.now() - began)
  }
  for (let warm = 0; warm < 5; warm++) await Promise.all([ours(), bare()])
  const measured = await alternate(quick ? 1 : 15, ours, bare)
  return [{ name: 'decode + fold + nothing', unit: 'events/s', ...measured, bar: { atLeast: 0.7, of: 'ratio' } }]
}
