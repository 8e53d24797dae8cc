/**
 * History of a synthetic audience into the embedded log, durable: the model, the events, their encoding and the append.
 * Beside it the model alone, so that it can be told which of the two costs.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeHistory } from '../cli/simulate/history.ts'
import { openEmbeddedLog } from '../log/embedded/index.ts'
import type { EventLog } from '../log/log.ts'
import { createCodec, type EventCodec } from '../schemas/index.ts'
import { createAudience } from '../simulator/index.ts'
import { type BenchOptions, type Measured, median } from './bench.ts'

const DAY_MS = 86_400_000
const FROM_MS = Date.UTC(2026, 10, 20)

export async function run({ quick }: BenchOptions): Promise<Measured[]> {
  const [views, rounds] = quick ? [20, 1] : [2_000, 5]
  const dir = await mkdtemp(join(tmpdir(), 'playhead-bench-'))
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  const codec = await createCodec({})
  try {
    await log.ensureTopics([{ topic: 'playback-events', partitions: 4 }])
    const written: number[] = []
    const made: number[] = []
    for (let round = 0; round <= rounds; round++) {
      const [withLog, alone] = [await history(log, codec, round, views), model(round, views)]
      // The first round only warms up.
      if (round === 0 && !quick) continue
      written.push(withLog)
      made.push(alone)
    }
    return [
      {
        name: 'simulator, history into the embedded log',
        ours: median(written),
        unit: 'events/s',
        bar: { atLeast: 100_000, of: 'ours' },
        note: `the model alone ${Math.round(median(made)).toLocaleString('en')} events/s`,
      },
    ]
  } finally {
    await log.close()
    await rm(dir, { recursive: true, force: true })
  }
}

function audienceOf(round: number, views: number) {
  return createAudience({ seed: `bench ${round}`, fromMs: FROM_MS, untilMs: FROM_MS + DAY_MS, views })
}

async function history(log: EventLog, codec: EventCodec, round: number, views: number): Promise<number> {
  const began = performance.now()
  const signal = new AbortController().signal
  const { events } = await writeHistory({ audience: audienceOf(round, views), log, codec, signal, nowMs: Date.now })
  return (1_000 * events) / (performance.now() - began)
}

function model(round: number, views: number): number {
  const began = performance.now()
  let events = 0
  for (const _ of audienceOf(round, views)) events++
  return (1_000 * events) / (performance.now() - began)
}
