/**
 * One simulated run: the engine (two or three consumer processes with the real projections, a process that serves readers,
 * players that post, an operator who builds and promotes) over simulated log and stores, and a stretch of faults chosen by
 * the seed; then calm, until everything is folded; then the invariants. The same seed is the same run, to the last event.
 */
import type { Generation } from '../../consumers/generation.ts'
import { lendClock } from './ambient.ts'
import { bookOf, runningOf } from './book.ts'
import { type Engine, openEngine, type Planted } from './engine.ts'
import { Host } from './host.ts'
import { SimOperator } from './operator.ts'
import { Players } from './players.ts'
import { CALM, type Faults, SimProcess } from './process.ts'
import { Reader } from './reader.ts'
import { trouble } from './trouble.ts'

export interface Run {
  readonly engine: Engine
  /** What the engine still had to do when its time was up although the faults had ended. */
  readonly unrest: string | undefined
  /** Hex of what players were told is safe. */
  readonly acknowledged: ReadonlySet<string>
}

/** How long things go wrong, and how many posts there are meanwhile: small worlds find most, and sooner. */
const SIZES = [
  { faultyMs: 10_000, posts: 12 },
  { faultyMs: 20_000, posts: 24 },
  { faultyMs: 30_000, posts: 36 },
] as const
/** Longer than a process may sleep, a clock may be wrong for and a drop may wait. */
const CALM_MS = 400_000
const LOOK_MS = 1_000

/** `undisturbed`: the control, in which nothing goes wrong but what players do. */
export async function simulate(seed: number, planted: Planted = {}, undisturbed = false): Promise<Run> {
  lendClock()
  const engine = await openEngine(seed, planted)
  const { world } = engine
  const { chance } = world
  const faults: Faults = {
    lostRequest: chance.of([0, 0.01, 0.05]),
    lostAnswer: chance.of([0, 0.01, 0.05]),
    lateRequest: chance.of([0, 0.005, 0.02]),
    delayMsMax: chance.of([2, 20, 200]),
  }
  const { faultyMs, posts } = chance.of(SIZES)
  const hit = chance.of([0, 0.005, 0.02])
  let now = undisturbed ? CALM : faults
  const conditions = () => now
  const options = { faults: conditions, failpointChance: () => (now === CALM ? 0 : hit) }
  const hosts = Array.from({ length: chance.between(2, 3) }, (_, i) => new Host(`consumers-${i}`, engine, options))
  const reader = new Reader(engine, conditions)
  const server = new SimProcess('players', world, conditions)
  const players = new Players(engine, server, posts, (wish, place) => {
    if (chance.happens(0.4)) reader.look(wish, place)
  })
  const operator = new SimOperator(engine, new SimProcess('operator', world, conditions))
  for (const one of [...hosts, reader]) one.start()
  players.start()
  operator.start(chance.between(0, 2))
  if (!undisturbed) {
    const clocks = () => [server, ...hosts.flatMap(({ process }) => process ?? [])]
    trouble(engine, { mortals: [...hosts, ...hosts, reader], clocks }, world.nowMs + faultyMs)
  }
  await world.run(() => false, faultyMs)
  now = CALM
  for (const one of [...hosts, reader]) one.start()
  const working = { engine, hosts, players, operator }
  const unrest = await rest(working)
  for (const one of [...hosts, reader]) one.crash()
  return { engine, unrest, acknowledged: players.acknowledged }
}

interface Working {
  readonly engine: Engine
  readonly hosts: readonly Host[]
  readonly players: Players
  readonly operator: SimOperator
}

/** Looked at now and then: it asks for more than one look at everything would cost at each event. */
async function rest(working: Working): Promise<string | undefined> {
  const { world } = working.engine
  const endMs = world.nowMs + CALM_MS
  for (;;) {
    let over = false
    world.after(LOOK_MS, () => {
      over = true
    })
    await world.run(() => over, LOOK_MS)
    const left = unrestOf(working)
    if (left === undefined || world.nowMs >= endMs) return left
  }
}

/** Nothing, when everything sent is in the log, and all that is to run has folded all there is for it, and is idle. */
function unrestOf({ engine, hosts, players, operator }: Working): string | undefined {
  if (!players.done()) return 'players still send'
  if (!operator.done()) return 'the operator still waits'
  if (hosts.some(({ up, process }) => !up || process?.alive !== true)) return 'a consumers process is not up'
  if (engine.log.unsynced() > 0) return 'the log has not synced'
  const dropped = [...bookOf(engine).values()].flatMap(({ generations }) =>
    generations.filter(({ status }) => status === 'dropped').map(({ id }) => id),
  )
  const tables = [...engine.state.tables.keys(), ...engine.analytics.targets.keys()]
  const stands = dropped.find((id) => tables.some((name) => name.startsWith(id)))
  if (stands !== undefined) return `tables of ${stands}, which was dropped, stand`
  for (const generation of runningOf(engine)) {
    const behind = behindAt(engine, generation)
    if (behind !== undefined) return `${generation.id} has not folded ${behind}`
  }
  return undefined
}

/** The first place of which it has not folded all there is. */
function behindAt({ log, state }: Engine, { id, projection, build }: Generation): string | undefined {
  for (const topic of projection.topics) {
    for (const [partition, { records }] of log.tails(topic).entries()) {
      const record = state.commit({ generation: id, topic, partition })
      const place = `${topic}/${partition}`
      if (record === undefined) return `${place}: nobody took it over`
      if (record.intent !== undefined) return `${place}: a batch is begun and not ended`
      const next = records[Number(record.checkpoint)]
      const over = next === undefined || (build?.untilMs !== undefined && next.timestampMs > build.untilMs)
      if (!over) return `${place} from ${record.checkpoint} to ${records.length}`
    }
  }
  return undefined
}
