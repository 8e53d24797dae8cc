/**
 * What the live counters cost: a heartbeat, with all their places taken by views of many titles and regions; the frame
 * of a second over all of them; and the memory that they hold.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { AudienceCounters } from '../api/audience/counters.ts'
import { AUDIENCE_LIMITS } from '../api/audience/limits.ts'
import { createCodec, type EventCodec, type EventOf, type PlayheadEvent } from '../schemas/index.ts'
import { contextOf, event, T0, written } from '../test/api/audience-support.ts'
import { type BenchOptions, type Measured, median } from './bench.ts'

const TITLES = 5_000
const REGIONS = 400
const BEAT_EVERY_MS = 10_000
const ROUNDS = 5
const BATCH = AUDIENCE_LIMITS.readRecordsMax

export async function run({ quick }: BenchOptions): Promise<readonly Measured[]> {
  const views = quick ? 2_000 : AUDIENCE_LIMITS.viewsMax
  const codec = await createCodec()
  const before = heldBytes()
  const counters = new AudienceCounters(views)
  for (let n = 0; n < views; n++) counters.take(decoded(codec, beatOf(n, views, 0)), T0)
  const bytes = heldBytes() - before
  const beatUs: number[] = []
  const frameMs: number[] = []
  for (let round = 1; round <= (quick ? 1 : ROUNDS); round++) {
    let spentUs = 0
    // As the tail takes them: a batch that was just decoded, then the next. In time of the processor: others want it too.
    for (let first = 0; first < views; first += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, views - first) }, (_, i) =>
        decoded(codec, beatOf(first + i, views, round)),
      )
      const began = process.cpuUsage()
      for (const one of batch) counters.take(one, one.meta.receivedAt)
      const { user, system } = process.cpuUsage(began)
      spentUs += user + system
    }
    beatUs.push(spentUs / views)
    const lookedAt = performance.now()
    const { concurrent } = counters.frame(T0 + (round + 1) * BEAT_EVERY_MS)
    frameMs.push(performance.now() - lookedAt)
    if (concurrent !== views) throw new Error(`${concurrent} of ${views} views are counted`)
  }
  const shown = `${views.toLocaleString('en')} views`
  return [
    { name: 'live: a heartbeat', unit: 'µs', ours: median(beatUs), bar: { atMost: 2, of: 'ours' }, note: shown },
    { name: 'live: the frame of a second', unit: 'ms', ours: median(frameMs), note: shown },
    { name: 'live: memory', unit: 'MB', ours: bytes / 1e6, bar: { atMost: 150, of: 'ours' }, note: shown },
  ]
}

/** Texts and all as they come out of the log. */
function decoded(codec: EventCodec, said: EventOf<'Heartbeat'>): PlayheadEvent {
  const decoding = codec.decode(codec.encode(written(said)))
  if (!decoding.ok) throw new Error(decoding.detail)
  return decoding.event
}

function beatOf(n: number, views: number, round: number): EventOf<'Heartbeat'> {
  const atMs = T0 + round * BEAT_EVERY_MS + Math.floor((n / views) * BEAT_EVERY_MS)
  const id = (n * 2_654_435_761) % 4_294_967_296
  const session = `7f0c8f7e-1b2a-4a55-8f4b-${id.toString(16).padStart(12, '0')}`
  const said = { atMs, profile: `profile-${id}`, session, title: `title-${n % TITLES}`, sequence: round }
  const context = round === 0 ? contextOf({ country: 'DE', region: `${n % REGIONS}`, cdn: `cdn-${n % 5}` }) : null
  return event('Heartbeat', said, { context })
}

function heldBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
