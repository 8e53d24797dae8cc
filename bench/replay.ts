/**
 * What a rebuild costs, and what others notice of it: how fast one projection, and all of them, are folded again from an
 * embedded log; how long a resume takes meanwhile; how long `at T` takes; how many seeds are simulated in a minute.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { FOLDING } from '../cli/commands/up.ts'
import { usualProjections } from '../cli/projections.ts'
import { standingOf } from '../cli/replay/standing.ts'
import { generationOf } from '../consumers/generation.ts'
import { openEmbeddedLog } from '../log/embedded/index.ts'
import type { EventLog } from '../log/log.ts'
import { createCodec, type EventCodec } from '../schemas/index.ts'
import { ClickHouse } from '../stores/clickhouse/clickhouse.ts'
import { openEmbeddedState } from '../stores/embedded/index.ts'
import type { StateStore } from '../stores/state.ts'
import { startAnalyticsProcess } from '../test/consumers/analytics-process.ts'
import { type BenchOptions, type Measured, median } from './bench.ts'
import { runAt } from './replay-at.ts'
import type { Order } from './replay-child.ts'
import { runDuring } from './replay-during.ts'
import { BENCH_SETTINGS, fillEverything, fillHeartbeats } from './replay-log.ts'
import { runSeeds } from './replay-seeds.ts'

const CHILD = fileURLToPath(new URL('./replay-child.ts', import.meta.url))
/** Two cores: what one folds, the other folds beside it. */
const WORKERS = 2

export async function run(options: BenchOptions): Promise<readonly Measured[]> {
  return [
    await rebuildProgress(options),
    await rebuildAll(options),
    ...(await runDuring(options)),
    ...(await runAt(options)),
    ...(await runSeeds(options)),
  ]
}

async function rebuildProgress({ quick }: BenchOptions): Promise<Measured> {
  const events = quick ? 4_000 : 2_000_000
  return await inFolder(async (dir, log, state, codec) => {
    await fillHeartbeats(log, codec, events)
    const rates: number[] = []
    for (let round = 0; round < (quick ? 1 : 3); round++) {
      const order = { dir, projections: ['progress'], build: `round-${round}` }
      rates.push(events / (await secondsOf(order, WORKERS, log, state)))
    }
    const name = `rebuild of progress, ${events.toLocaleString('en')} events, ${WORKERS} workers`
    return { name, ours: median(rates), unit: 'events/s', bar: { atLeast: 200_000, of: 'ours' }, note: noteOf(rates) }
  })
}

async function rebuildAll({ quick }: BenchOptions): Promise<Measured> {
  const events = quick ? 2_000 : 500_000
  const projections = usualProjections(BENCH_SETTINGS).map(({ name }) => name)
  return await inFolder(async (dir, log, state, codec) => {
    const engine = await startAnalyticsProcess(join(dir, 'analytics'))
    const analytics = new ClickHouse({ ...engine.access, database: 'playhead' })
    try {
      await analytics.prepare()
      await fillEverything(log, codec, events)
      const rates: number[] = []
      for (let round = 0; round < (quick ? 1 : 2); round++) {
        const order = { dir, projections, build: `round-${round}`, access: engine.access }
        rates.push(events / (await secondsOf(order, WORKERS, log, state)))
      }
      const name = `rebuild of all ${projections.length} projections, ${events.toLocaleString('en')} events`
      return { name, ours: median(rates), unit: 'events/s', bar: { atLeast: 40_000, of: 'ours' }, note: noteOf(rates) }
    } finally {
      await analytics.close()
      await engine.stop()
    }
  })
}

function noteOf(rates: readonly number[]): string {
  return rates.map((rate) => Math.round(rate).toLocaleString('en')).join(' ')
}

async function inFolder<T>(
  use: (dir: string, log: EventLog, state: StateStore, codec: EventCodec) => Promise<T>,
): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'playhead-bench-replay-'))
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  const state = await openEmbeddedState({ dir: join(dir, 'state'), clock: Date.now })
  try {
    return await use(dir, log, state, await createCodec({}))
  } finally {
    await Promise.all([log.close(), state.close()])
    await rm(dir, { recursive: true, force: true })
  }
}

/** From the word to begin until every generation has come to the end of the log. */
async function secondsOf(order: Order, workers: number, log: EventLog, state: StateStore): Promise<number> {
  const incarnation = await log.incarnation()
  const generations = usualProjections(BENCH_SETTINGS)
    .filter(({ name }) => order.projections.includes(name))
    .map((projection) => generationOf(projection, incarnation, { name: order.build }))
  const children = await Promise.all(Array.from({ length: workers }, () => childOf(order)))
  try {
    const began = performance.now()
    for (const child of children) child.send('go')
    for (;;) {
      const standings = await Promise.all(generations.map((one) => standingOf(log, state.commits, one)))
      if (standings.every(({ complete }) => complete)) break
      await delay(20)
    }
    return (performance.now() - began) / 1_000
  } finally {
    await Promise.all(children.map(endOf))
  }
}

async function childOf(order: Order): Promise<ChildProcess> {
  const child = fork(CHILD, [JSON.stringify(order)], { execArgv: ['--import', 'tsx', ...FOLDING] })
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`a worker ended with ${code} before it was ready`)
  })
  await Promise.race([once(child, 'message'), failed])
  failed.catch(() => undefined)
  return child
}

async function endOf(child: ChildProcess): Promise<void> {
  const over = once(child, 'exit')
  child.disconnect()
  await over
}
