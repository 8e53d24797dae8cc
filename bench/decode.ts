/**
 * The codec against avsc alone: the same heartbeat, the same bytes. Ours also checks the frame, finds the reader by
 * schema id, guards lengths and answers a tagged event.
 */
import avro from 'avsc'
import { createCodec, eventIdOf, FRAME_BYTES, type NewEventOf, RELEASED } from '../schemas/index.ts'
import { alternate, type BenchOptions, type Measured } from './bench.ts'

const HEARTBEAT: NewEventOf<'Heartbeat'> = {
  type: 'Heartbeat',
  meta: {
    eventId: '0190f5a2-7c3e-7d41-9e6a-3b1c5d7e9f01',
    occurredAt: 1_764_000_000_000,
    receivedAt: 1_764_000_000_123,
    source: 'sdk',
    appId: 'demo',
    environment: 'production',
    clock: 'trusted',
  },
  profileId: 'profile-1234',
  sessionId: '7f0c8f7e-1b2a-4a55-8f4b-8e1f7a2c3d4e',
  titleId: 'title-77',
  sequence: 12,
  positionMs: 123_456,
  played: [{ fromMs: 113_456, toMs: 123_456 }],
  state: 'playing',
  playbackRatePermille: 1000,
  videoBitrateKbps: 4_500,
  audioBitrateKbps: 128,
  bufferMs: 20_000,
  droppedFrames: 3,
}

export async function run({ quick }: BenchOptions): Promise<readonly Measured[]> {
  const codec = await createCodec()
  const text = RELEASED.findLast(({ subject }) => subject === 'playhead.playback.Heartbeat')?.schema as string
  const bare = avro.Type.forSchema(JSON.parse(text))
  const value = codec.encode(HEARTBEAT)
  const body = value.subarray(FRAME_BYTES)
  const times = quick ? 1_000 : 60_000
  const rounds = quick ? 1 : 9

  const rate = async (work: () => unknown): Promise<number> => {
    const start = process.hrtime.bigint()
    for (let i = 0; i < times; i++) work()
    return times / (Number(process.hrtime.bigint() - start) / 1e9)
  }
  // One round of each beforehand, so that neither is measured while it is being compiled.
  const against = async (ours: () => unknown, theirs: () => unknown): ReturnType<typeof alternate> => {
    await rate(ours)
    await rate(theirs)
    return alternate(
      rounds,
      () => rate(ours),
      () => rate(theirs),
    )
  }

  const decoding = await against(
    () => codec.decode(value),
    () => bare.fromBuffer(body),
  )
  const encoding = await against(
    () => codec.encode(HEARTBEAT),
    () => bare.toBuffer(HEARTBEAT),
  )
  const note = `${value.length} bytes`
  return [
    { name: 'decode a heartbeat', unit: 'events/s', ...decoding, bar: { atLeast: 0.7, of: 'ratio' }, note },
    { name: 'encode a heartbeat', unit: 'events/s', ...encoding, note },
    { name: 'event id from the bytes', unit: 'ids/s', ours: await rate(() => eventIdOf(value)) },
  ]
}
