/**
 * Takes a running engine's log, keys and tables to other engines.
 *
 * Phases: *copy* (the log, while everything runs) → *fold* (the copied log into the new engine's tables; what comes in is
 * copied on) → *cut* (writes are paused, the rest is copied, both are compared, the old log is closed for good and the
 * new one opened: cut.ts) → *done*. Called again, a migration goes on from the marks of its copy; a cut that was cut off
 * is undone, by the next call or by the first writer after its time, or finished if the old log was closed already.
 *
 * Who owns what: which of both logs takes appends stands in the logs (moves.ts) and nowhere else. Until the old one is
 * closed for good, everything on the new side may be thrown away.
 *
 * What can fail: every engine of both sides. Before the cut it is tried again; in the cut the old log takes writes again.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { LogBusy, LogUnavailable } from '../../log/errors.ts'
import { StoreUnavailable } from '../../stores/errors.ts'
import { UsageError } from '../args.ts'
import type { Progress } from '../progress.ts'
import { idsAt, reframer } from '../reframe.ts'
import type { Compared } from './compare.ts'
import { boundsOfTopics, bringAll, PartitionCopy, placeName } from './copy.ts'
import { Cut, finish } from './cut.ts'
import { type Folding, startFold, twinsOf } from './fold.ts'
import { KeyCopy } from './keys.ts'
import { MIGRATE_LIMITS } from './limits.ts'
import { prepareMoves, say, stateOf } from './moves.ts'
import { mustBeEmpty, mustBeWhole, mustFit, names, type OpenMigration } from './open.ts'
import { type MigrationState, type Phase, readState, stateFile, writeState } from './state.ts'

export interface Told {
  readonly phase: Phase
  /** How long nobody could write; undefined before the cut. */
  readonly pausedMs?: number
  readonly records: bigint
  readonly compared: readonly Compared[]
  /** Why it is not done, and what to do. */
  readonly why?: string
}

export interface MigrateOptions {
  /** Ends before the cut. */
  readonly untilCut: boolean
  /** Cuts although the tables are not the same. */
  readonly acceptDifferences: boolean
  readonly signal: AbortSignal
  say(line: string): void
  readonly bar: (unit: string) => Progress
  readonly nowMs: () => number
}

export async function migrate(open: OpenMigration, options: MigrateOptions): Promise<Told> {
  const file = stateFile(open.from.config.data)
  const state = await begin(open, file, options)
  const { id } = state
  const old = await stateOf(open.from.log)
  if (old.is === 'moved') return await finish(open, id, { file, state, ...options })
  if (old.is === 'sealed') {
    options.say('the cut of the call before was cut off: writes go on, on the old engine')
    await say(open.from.log, { kind: 'open', id, place: '', untilMs: 0 }, options.nowMs())
  }
  await fill(open, state, options)
  const running = new Migration(open, file, state, options)
  try {
    return await running.run()
  } finally {
    await running.close()
  }
}

async function begin(open: OpenMigration, file: string, { say: tell }: MigrateOptions): Promise<MigrationState> {
  const [from, to] = [await open.from.log.incarnation(), await open.to.log.incarnation()]
  const known = readState(file)
  const old = await stateOf(open.from.log)
  if (old.is === 'filling') throw new UsageError(`This log is being filled from ${old.place}: it can't be moved yet.`)
  if (known !== undefined && known.from === from) {
    if (known.to !== to) {
      throw new UsageError(`A migration to another log was begun: end that one, or remove ${file} to begin anew.`)
    }
    if (known.phase !== 'done') tell('going on with the migration that was begun')
    return known
  }
  if (old.is === 'moved') throw new UsageError(`This log has moved to ${old.place} already.`)
  await mustBeWhole(open)
  await mustFit(open)
  await mustBeEmpty(open)
  const state: MigrationState = { format: 1, id: randomUUID(), from, to, phase: 'copy', marks: {} }
  writeState(file, state)
  return state
}

/** From now on nobody but this migration writes to the new log. */
async function fill(open: OpenMigration, { id }: MigrationState, { nowMs }: MigrateOptions): Promise<void> {
  await prepareMoves(open.from.log)
  await mustFit(open)
  const found = await stateOf(open.to.log)
  if (found.is === 'filling' && found.id === id) return
  if (found.is !== 'open') {
    const why = found.is === 'moved' ? `has moved to ${found.place}` : `is part of another migration (${found.place})`
    throw new UsageError(`${open.to.place} ${why}: give an empty log to migrate to.`)
  }
  await mustBeEmpty(open)
  await say(open.to.log, { kind: 'fill', id, place: open.from.place, untilMs: 0 }, nowMs())
}

class Migration {
  readonly #open: OpenMigration
  readonly #file: string
  readonly #options: MigrateOptions
  #state: MigrationState
  #copies: readonly PartitionCopy[] = []
  #copied = 0n
  #savedAtMs = 0
  #folding: Folding | undefined
  #shown: Progress | undefined

  constructor(open: OpenMigration, file: string, state: MigrationState, options: MigrateOptions) {
    this.#open = open
    this.#file = file
    this.#state = state
    this.#options = options
  }

  async run(): Promise<Told> {
    const { signal, say: tell, untilCut } = this.#options
    await this.#openCopies()
    tell('copy: the log, while everything runs')
    this.#save('copy')
    await this.#again(() => this.#copyOn())
    if (signal.aborted) return this.#interrupted()
    tell(`copy: ${this.#copied} records are in the new log, read back and the same`)
    const keys = await this.#copyKeys()
    tell("fold: the new engine's tables, while everything runs")
    this.#save('fold')
    const twins = await twinsOf(this.#open.from.config, this.#open.from, this.#open.to.log)
    const { config, log, state, analytics } = this.#open.to
    const { vault } = this.#open.from
    const warn = (message: string) => tell(`  ${message}`)
    const folding = await startFold({ config, log, state, analytics, vault, twins, warn })
    this.#folding = folding
    await this.#again(() => this.#follow(folding))
    if (signal.aborted) return this.#interrupted()
    await this.#again(async () => await keys?.round())
    if (untilCut) return { phase: 'fold', records: this.#copied, compared: [] }
    this.#save('cut')
    const bring = () => this.#bring()
    const cut = new Cut(this.#open, this.#state.id, { bring, keys, folding, twins, ...this.#options })
    const told = await cut.run()
    if (told.why !== undefined) return { ...told, phase: 'cut', records: this.#copied }
    const { pausedMs } = await finish(this.#open, this.#state.id, {
      ...{ file: this.#file, state: this.#snapshot('cut'), folding, twins, pausedSinceMs: told.pausedSinceMs },
      ...this.#options,
    })
    return {
      phase: 'done',
      records: this.#copied,
      compared: told.compared,
      ...(pausedMs !== undefined && { pausedMs }),
    }
  }

  async close(): Promise<void> {
    this.#shown?.end()
    await this.#folding?.close()
  }

  async #openCopies(): Promise<void> {
    const { from, to, topics } = this.#open
    const frames = reframer(await idsAt(from.config.schemaRegistryUrl), await idsAt(to.config.schemaRegistryUrl))
    const copied = (records: number) => {
      this.#copied += BigInt(records)
      if (this.#options.nowMs() - this.#savedAtMs >= MIGRATE_LIMITS.saveEveryMs) this.#save(this.#state.phase)
    }
    const ports = { from: from.log, to: to.log, frames, signal: this.#options.signal, copied }
    this.#copies = topics.flatMap(({ topic, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => {
        const [source, target] = this.#state.marks[placeName({ topic, partition })] ?? ['0', '0']
        this.#copied += BigInt(target)
        const marks = { source: BigInt(source), target: BigInt(target) }
        return new PartitionCopy({ topic, partition }, partitions, marks, ports)
      }),
    )
  }

  /** Everything that is in the old log now. Answers how much that is. */
  async #bring(): Promise<bigint> {
    const bounds = await boundsOfTopics(this.#open.from.log, names(this.#open.topics))
    const total = bounds.reduce((sum, { start, end }) => sum + (end - start), 0n)
    this.#shown?.show(this.#copied, total)
    await bringAll(this.#copies, new Map(bounds.map((b) => [placeName(b), b.end])), this.#options.signal)
    return total
  }

  async #copyOn(): Promise<void> {
    this.#shown = this.#options.bar('records copied')
    const drawn = setInterval(() => void this.#shown?.show(this.#copied, total), MIGRATE_LIMITS.lookEveryMs)
    let total = 0n
    try {
      for (;;) {
        const before = this.#copied
        total = await this.#bring()
        if (this.#options.signal.aborted || this.#copied - before <= MIGRATE_LIMITS.cutLagMax) return
      }
    } finally {
      clearInterval(drawn)
      this.#shown.end()
    }
  }

  async #copyKeys(): Promise<KeyCopy | undefined> {
    const { from, to, sameStore } = this.#open
    if (sameStore) return undefined
    const keys = await KeyCopy.open(from.vault, to.vault)
    await this.#again(() => keys.round())
    this.#options.say(`keys: ${keys.held} keys of profiles are in the new vault`)
    return keys
  }

  /** Copies on, until the new tables are near enough to the end. */
  async #follow(folding: Folding): Promise<void> {
    const { signal, bar, nowMs, say: tell } = this.#options
    this.#shown = bar('events folded')
    let best = { lag: -1n, atMs: nowMs() }
    let complaint = ''
    while (!signal.aborted) {
      await this.#bring()
      const { lag, total } = await folding.lag()
      this.#shown.show(total - lag, total)
      if (best.lag < 0n || lag < best.lag) best = { lag, atMs: nowMs() }
      const [first = ''] = folding.complaints()
      if (first !== '' && first !== complaint) tell(`  ${first}`)
      complaint = first
      const settled = nowMs() - best.atMs > MIGRATE_LIMITS.nearerMs && lag <= MIGRATE_LIMITS.cutLagMax
      if (first === '' && (lag <= MIGRATE_LIMITS.cutLagEnough || settled)) break
      await sleep(MIGRATE_LIMITS.lookEveryMs)
    }
    this.#shown.end()
  }

  /** Until it works, or somebody says stop. */
  async #again(action: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await action()
      } catch (error) {
        const passes = error instanceof LogUnavailable || error instanceof LogBusy || error instanceof StoreUnavailable
        if (!passes || this.#options.signal.aborted) throw error
        this.#options.say(`  tried again: ${error.message}`)
        await sleep(MIGRATE_LIMITS.retryMs)
      }
    }
  }

  #snapshot(phase: Phase): MigrationState {
    const marks = this.#copies.map(({ place, marks: { source, target } }) => {
      return [placeName(place), [`${source}`, `${target}`]] as const
    })
    return { ...this.#state, phase, marks: Object.fromEntries(marks) }
  }

  #save(phase: Phase): void {
    this.#savedAtMs = this.#options.nowMs()
    this.#state = this.#snapshot(phase)
    writeState(this.#file, this.#state)
  }

  #interrupted(): Told {
    return {
      phase: this.#state.phase,
      records: this.#copied,
      compared: [],
      why: 'Interrupted. Call it again to go on.',
    }
  }
}
