/** What goes wrong until the calm begins: crashes, pauses past the session, power cuts, bad weather at an engine, clocks that jump. */
import type { Engine } from './engine.ts'
import type { SimProcess } from './process.ts'

/** What may die and is started again. */
export interface Mortal {
  readonly process: SimProcess | undefined
  crash(): void
  start(): void
}

export interface Victims {
  readonly mortals: readonly Mortal[]
  /** Those whose clocks may jump. */
  readonly clocks: () => readonly SimProcess[]
}

const MINUTE_MS = 60_000
const TEAR_PATIENCE = 500

export function trouble(engine: Engine, { mortals, clocks }: Victims, untilMs: number): void {
  const { world, log, state, analytics, vault } = engine
  const { chance } = world
  const weathers = { log: log.weather, state: state.weather, analytics: analytics.weather, vault: vault.weather }
  const happenings: readonly (() => void)[] = [
    () => crash(),
    () => crash(),
    () => crash(),
    () => pause(),
    () => pause(),
    () => tear(engine, TEAR_PATIENCE),
    () => weather('slow'),
    () => weather('failing'),
    () => weather('full'),
    () => jump(),
  ]

  function crash(): void {
    const mortal = chance.of(mortals)
    world.count('crashes')
    world.note(`crash of ${mortal.process?.name}`)
    mortal.crash()
    world.after(chance.between(0, 4_000), () => mortal.start())
  }

  function pause(): void {
    const { process } = chance.of(mortals)
    world.count('pauses')
    world.note(`pause of ${process?.name}`)
    process?.pause(chance.of([500, 12_000, 25_000]))
  }

  function weather(kind: 'slow' | 'failing' | 'full'): void {
    const where = chance.of(kind === 'full' ? (['log', 'state', 'analytics'] as const) : NAMES)
    const at = weathers[where]
    const names = { slow: 'a slow engine', failing: 'a failing engine', full: 'a full disk' }
    world.count(names[kind])
    world.note(`${names[kind]}: ${where}`)
    if (kind === 'slow') at.slowMs = chance.of([200, 3_000])
    else if (kind === 'failing') at.failing = chance.of([0.5, 1])
    else at.full = true
    world.after(chance.between(500, 8_000), () => at.clear())
  }

  function jump(): void {
    const all = clocks()
    if (all.length === 0) return
    const process = chance.of(all)
    const ms = chance.of([-60, -5, 1, 60]) * MINUTE_MS
    world.count(ms < 0 ? 'clocks that jumped back' : 'clocks that jumped ahead')
    world.note(`the clock of ${process.name} jumps by ${ms} ms`)
    process.skewMs = ms
  }

  const next = () => {
    if (world.nowMs >= untilMs) {
      for (const at of Object.values(weathers)) at.clear()
      return
    }
    chance.of(happenings)()
    world.after(chance.between(100, 4_000), next)
  }
  world.after(chance.between(200, 3_000), next)
}

const NAMES = ['log', 'state', 'analytics', 'vault'] as const

/** Once something is not synced; if that takes too long, not at all. */
function tear(engine: Engine, patience: number): void {
  const { world, log } = engine
  if (patience === 0) return
  if (log.unsynced() === 0) {
    world.after(1, () => tear(engine, patience - 1))
    return
  }
  world.count('power cuts under the log')
  world.note(`power cut under the log, ${log.unsynced()} records not synced`)
  log.tear()
}
