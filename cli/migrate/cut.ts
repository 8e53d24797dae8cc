/**
 * The cut: the time in which nobody writes.
 *
 * Steps: seal the old log, and wait until no writer believes it open (gate.ts) → copy the rest, and the keys → wait for the
 * new tables → compare → close the old log for good. Whatever goes wrong or takes too long before that last step
 * opens the old log again. After it there is no way but forward (*finish*): the new log is told what is read, and
 * opened. Killed in between, both refuse writes until the command is called again.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { generationPromoted, generationRequested } from '../../producers/generations.ts'
import { mintEventId } from '../../producers/ids.ts'
import { openCodec } from '../engines.ts'
import { standingOf } from '../replay/standing.ts'
import { type Compared, compareTwins } from './compare.ts'
import { type Folding, startFold, type Twin, twinsOf } from './fold.ts'
import type { KeyCopy } from './keys.ts'
import { MIGRATE_LIMITS } from './limits.ts'
import { lookedAt } from './look.ts'
import { say, stateOf } from './moves.ts'
import type { OpenMigration } from './open.ts'
import type { MigrateOptions, Told } from './run.ts'
import { type MigrationState, writeState } from './state.ts'

interface CutPorts extends MigrateOptions {
  bring(): Promise<bigint>
  readonly keys: KeyCopy | undefined
  readonly folding: Folding
  readonly twins: readonly Twin[]
}

interface CutTold {
  readonly compared: readonly Compared[]
  readonly pausedSinceMs: number
  readonly pausedMs?: number
  readonly why?: string
}

/** Why a cut is undone; nothing is broken. */
class Undone extends Error {}

export class Cut {
  readonly #open: OpenMigration
  readonly #id: string
  readonly #ports: CutPorts
  #untilMs = 0
  #compared: readonly Compared[] = []

  constructor(open: OpenMigration, id: string, ports: CutPorts) {
    this.#open = open
    this.#id = id
    this.#ports = ports
  }

  /** Without `why` the old log is closed for good, and the new one not open yet. */
  async run(): Promise<CutTold> {
    const { nowMs, say: tell } = this.#ports
    const pausedSinceMs = nowMs()
    tell('cut: writes are paused')
    try {
      await this.#steps(pausedSinceMs)
      return { compared: this.#compared, pausedSinceMs }
    } catch (error) {
      const now = await this.#undo()
      if (now === 'moved') return { compared: this.#compared, pausedSinceMs }
      const pausedMs = nowMs() - pausedSinceMs
      tell(`cut: undone after ${seconds(pausedMs)}, writes go on, on the old engine`)
      if (!(error instanceof Undone)) throw error
      return { compared: this.#compared, pausedSinceMs, pausedMs, why: error.message }
    }
  }

  async #steps(sinceMs: number): Promise<void> {
    const { from, to } = this.#open
    const { nowMs, bring, keys, say: tell } = this.#ports
    this.#untilMs = sinceMs + MIGRATE_LIMITS.pauseMaxMs
    const seal = { kind: 'seal', id: this.#id, place: to.place, untilMs: this.#untilMs } as const
    const sealed = await say(from.log, seal, sinceMs)
    if (sealed.is !== 'sealed' || sealed.id !== this.#id) throw new Undone('Another migration moves this log.')
    await sleep(MIGRATE_LIMITS.leaseMs + MIGRATE_LIMITS.leaseMarginMs)
    this.#inTime()
    const records = await bring()
    await keys?.round()
    await this.#until(async () => (await this.#ports.folding.lag()).lag === 0n, this.#latestMs)
    await this.#until(() => this.#oldHasPassed(), nowMs() + MIGRATE_LIMITS.oldConsumersMs, false)
    await this.#compare()
    this.#inTime()
    const moved = await say(from.log, { kind: 'move', id: this.#id, place: to.place, untilMs: 0 }, nowMs())
    if (moved.is !== 'moved')
      throw new Undone('The cut came too late: a writer opened the old log again. Call it again.')
    tell(`cut: ${records} records are on both sides; the old log takes no more`)
  }

  async #compare(): Promise<void> {
    const { from, to } = this.#open
    const { twins, nowMs, acceptDifferences } = this.#ports
    const timeMs = Math.min(MIGRATE_LIMITS.compareMaxMs, this.#latestMs - nowMs())
    this.#compared = await compareTwins(
      { ...from, log: lookedAt(from.log) },
      { ...to, log: lookedAt(to.log) },
      twins,
      AbortSignal.timeout(Math.max(1, timeMs)),
    )
    const differing = this.#compared.filter(({ equal }) => equal === false)
    if (differing.length === 0 || acceptDifferences) return
    const words = differing.map(({ name, why }) => `${name}: ${why}`).join('\n  ')
    throw new Undone(
      `The new tables are not what the old ones are:\n  ${words}\n\`playhead verify\` says which are as the log says; --accept-differences goes on all the same.`,
    )
  }

  get #latestMs(): number {
    return this.#untilMs - MIGRATE_LIMITS.pauseReserveMs
  }

  #inTime(): void {
    const { signal, nowMs } = this.#ports
    if (signal.aborted) throw new Undone('Interrupted. Call it again to go on.')
    if (nowMs() < this.#latestMs) return
    const why = this.#ports.folding.complaints()[0] ?? 'more was to be done than fits'
    throw new Undone(`It would have taken longer than ${seconds(MIGRATE_LIMITS.pauseMaxMs)} (${why}): call it again.`)
  }

  async #until(done: () => Promise<boolean>, deadlineMs: number, must = true): Promise<void> {
    while (!(await done())) {
      this.#inTime()
      if (!must && this.#ports.nowMs() > deadlineMs) return
      await sleep(MIGRATE_LIMITS.lookEveryMs)
    }
  }

  async #oldHasPassed(): Promise<boolean> {
    const { state } = this.#open.from
    const log = lookedAt(this.#open.from.log)
    const standings = await Promise.all(this.#ports.twins.map(({ old }) => standingOf(log, state.commits, old)))
    return standings.every(({ complete }) => complete)
  }

  /** What the old log is then. If even this fails, the first writer after the pause's time opens it. */
  async #undo(): Promise<string> {
    const { log } = this.#open.from
    const { nowMs, say: tell } = this.#ports
    try {
      return (await say(log, { kind: 'open', id: this.#id, place: '', untilMs: 0 }, nowMs())).is
    } catch (error) {
      tell(`the old log can't be reached: it takes writes again by itself (${String(error)})`)
      return 'unknown'
    }
  }
}

interface FinishPorts extends MigrateOptions {
  readonly file: string
  readonly state: MigrationState
  readonly folding?: Folding
  readonly twins?: readonly Twin[]
  readonly pausedSinceMs?: number
}

/** The old log is closed for good: the new one is told what is read, and opened. */
export async function finish(open: OpenMigration, id: string, ports: FinishPorts): Promise<Told> {
  const { from, to } = open
  const { nowMs, say: tell, file, state, pausedSinceMs } = ports
  const now = await stateOf(to.log)
  if (now.is === 'filling' && now.id === id) {
    const twins = ports.twins ?? (await twinsOf(from.config, from, to.log))
    const folding = ports.folding ?? (await startFold({ ...to, vault: from.vault, twins, warn: tell }))
    try {
      await tellWhatIsRead(open, twins, nowMs)
      // Else a new engine that starts now would not know, and say something else.
      const enoughMs = nowMs() + MIGRATE_LIMITS.bookWaitMs
      while ((await folding.lag()).lag > 0n && nowMs() < enoughMs) await sleep(MIGRATE_LIMITS.lookEveryMs)
    } finally {
      if (ports.folding === undefined) await folding.close()
    }
    await say(to.log, { kind: 'open', id, place: '', untilMs: 0 }, nowMs())
  }
  const pausedMs = pausedSinceMs === undefined ? undefined : nowMs() - pausedSinceMs
  writeState(file, { ...state, phase: 'done' })
  const records = Object.values(state.marks).reduce((sum, [, target]) => sum + BigInt(target), 0n)
  return { phase: 'done', records, compared: [], ...(pausedMs !== undefined && { pausedMs }) }
}

async function tellWhatIsRead({ from, to }: OpenMigration, twins: readonly Twin[], nowMs: () => number): Promise<void> {
  const codec = await openCodec(to.config)
  const events = { codec, mint: () => mintEventId(nowMs(), (bytes) => void globalThis.crypto.getRandomValues(bytes)) }
  const arrival = { source: 'engine', appId: 'playhead', environment: 'engine', receivedAtMs: nowMs() } as const
  const who = { by: null, reason: `it was read before the log moved here from ${from.place}` }
  const records = twins.flatMap(({ name, now: { id, projection } }) => {
    const { foldVersion, parameters = {} } = projection
    const own = { projection: name, generationId: id, foldVersion, parameters }
    const asked = { ...own, build: null, untilMs: null, recordsPerSecond: null }
    const promotion = { projection: name, generationId: id, previousGenerationId: null, digest: null }
    return [generationRequested(events, arrival, asked, who), generationPromoted(events, arrival, promotion, who, true)]
  })
  await to.log.append(records)
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
