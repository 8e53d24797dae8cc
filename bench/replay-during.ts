/** What a viewer notices of a rebuild: the latency of a resume by four callers, quiet and while two projections are built. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Operator } from '../cli/replay/operator.ts'
import { standingOf } from '../cli/replay/standing.ts'
import type { Generation } from '../consumers/generation.ts'
import { openEmbeddedLog } from '../log/embedded/index.ts'
import type { EventLog } from '../log/log.ts'
import { createCodec } from '../schemas/index.ts'
import { openEmbeddedState } from '../stores/embedded/index.ts'
import type { StateStore } from '../stores/state.ts'
import { profileToken, put, type Target, withTarget } from './api.ts'
import { type BenchOptions, type Measured, median } from './bench.ts'
import { load, requestBytes } from './http-load.ts'
import { fillWithAudience } from './qoe-audience.ts'

const BUILT = ['progress', 'views']
const WHO = { by: 'bench', reason: null }

interface Engine {
  readonly target: Target
  readonly log: EventLog
  readonly state: StateStore
  readonly operator: Operator
}

export async function runDuring({ quick }: BenchOptions): Promise<readonly Measured[]> {
  const [events, rounds, durationMs] = quick ? [5_000, 1, 200] : [600_000, 3, 3_000]
  const dir = await mkdtemp(join(tmpdir(), 'playhead-bench-during-'))
  try {
    return await withTarget('up', dir, async (target) => {
      const log = await openEmbeddedLog({ dir: join(target.data, 'log') })
      const state = await openEmbeddedState({ dir: join(target.data, 'state'), clock: Date.now })
      try {
        const codec = await createCodec()
        const settings = { positionDays: 90, historyDays: 365, definitions: [] }
        const operator = await Operator.open({ settings, log, state, codec, nowMs: Date.now })
        await fillWithAudience(log, codec, { sessions: events / 100, events })
        return [await measure({ target, log, state, operator }, rounds, durationMs)]
      } finally {
        await Promise.all([log.close(), state.close()])
      }
    })
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

async function measure(engine: Engine, rounds: number, durationMs: number): Promise<Measured> {
  const { target, operator } = engine
  // The reports first, then the viewer: what is put has to be folded before it is read.
  for (const { read } of await operator.plans()) await until(engine, read, ({ complete }) => complete)
  const token = { Authorization: `Bearer ${await profileToken(target, 'ann')}` }
  await put(target, token)
  const request = () => requestBytes('GET', '/v1/profiles/ann/progress/title-1', token)
  const p99 = async () => (await load({ port: target.port, connections: 4, durationMs, status: 200, request })).p99Ms
  await p99()
  const quiet: number[] = []
  const ratios: number[] = []
  for (let round = 0; round < rounds; round++) {
    const calm = await p99()
    const builds = await Promise.all(
      BUILT.map((projection) => operator.rebuild({ projection, parameters: {}, build: { name: `r${round}` } }, WHO)),
    )
    for (const build of builds) await until(engine, build, ({ done }) => done > 0n)
    const during = await p99()
    const left = await Promise.all(builds.map((build) => standingOf(engine.log, engine.state.commits, build)))
    // All came to its end meanwhile: the machine is faster than this log is long.
    if (left.every(({ complete }) => complete)) console.log('  the rebuild was over before the resumes were')
    quiet.push(calm)
    ratios.push(during / calm)
    for (const build of builds) await operator.act(await operator.find(build.id), 'pause', WHO)
    await delay(1_000)
  }
  const name = 'GET progress, p99 during a rebuild of progress and views ÷ quiet'
  const note = `quiet ${median(quiet).toFixed(2)} ms, ${ratios.map((ratio) => ratio.toFixed(2)).join(' ')}`
  return { name, ours: median(ratios), unit: '×', bar: { atMost: 2, of: 'ours' }, note }
}

type Standing = Awaited<ReturnType<typeof standingOf>>

async function until({ log, state }: Engine, generation: Generation, is: (standing: Standing) => boolean) {
  while (!is(await standingOf(log, state.commits, generation))) await delay(50)
}
