/**
 * What an operator may do with generations, wherever they ask from: each act is an event in the log, and what follows
 * from it is done by whoever runs the consumers. So nothing here has to be finished by the one who asked.
 */
import { ReplayRefused } from '../../api/replay/ports.ts'
import { type Book, openBook } from '../../consumers/book.ts'
import { type Build, type Generation, generationOf } from '../../consumers/generation.ts'
import type { EventLog } from '../../log/log.ts'
import {
  type GenerationPorts,
  generationActed,
  generationPromoted,
  generationRequested,
  type Who,
} from '../../producers/generations.ts'
import { mintEventId } from '../../producers/ids.ts'
import type { Arrival } from '../../producers/stamp.ts'
import { GENERATION_ACTIONS, type GenerationRow } from '../../projections/generations/row.ts'
import { type EventCodec, nearest } from '../../schemas/index.ts'
import type { StateStore } from '../../stores/state.ts'
import { whatIsGone } from '../archive/whole.ts'
import { generationFrom, type ProjectionPlan, planOf } from '../generations.ts'
import { type FoldSettings, foldOf, parameterNames } from '../projections.ts'

export type GenerationState = 'read' | 'building' | 'paused' | 'resting' | 'dropped' | 'strange'

/** One generation as people are shown it. */
export interface Shown {
  readonly projection: string
  readonly id: string
  readonly state: GenerationState
  readonly row: GenerationRow
  /** Undefined: this release can't make it. */
  readonly generation: Generation | undefined
}

export interface OperatorPorts {
  readonly settings: FoldSettings
  readonly log: EventLog
  readonly state: StateStore
  readonly codec: EventCodec
  readonly nowMs: () => number
}

export interface Asked {
  readonly projection: string
  readonly parameters: Readonly<Record<string, number>>
  readonly build: Build
}

/** What can't be done, and what can instead: the same for those who ask through the API. */
export class Refused extends ReplayRefused {}

export class Operator {
  readonly incarnation: string
  readonly #ports: OperatorPorts
  readonly #book: () => Promise<Book>

  private constructor(ports: OperatorPorts, incarnation: string, book: () => Promise<Book>) {
    this.#ports = ports
    this.incarnation = incarnation
    this.#book = book
  }

  static async open(ports: OperatorPorts): Promise<Operator> {
    const incarnation = await ports.log.incarnation()
    return new Operator(ports, incarnation, await openBook(ports.state, incarnation))
  }

  async plans(): Promise<readonly ProjectionPlan[]> {
    return planOf(this.#ports.settings, await this.#book(), this.incarnation)
  }

  /** Every generation of the book, oldest first, by projection. */
  async list(): Promise<readonly Shown[]> {
    const book = await this.#book()
    const { settings } = this.#ports
    const plans = planOf(settings, book, this.incarnation)
    return plans.flatMap(({ name, read, running }) =>
      (book.get(name)?.generations ?? []).map((row): Shown => {
        const generation = generationFrom(name, row, settings, this.incarnation)
        const state = stateOf(row, generation, {
          read: row.id === read.id,
          runs: running.some(({ id }) => id === row.id),
        })
        return { projection: name, id: row.id, state, row, generation }
      }),
    )
  }

  /** By its id, or the beginning of it that no other has. */
  async find(id: string): Promise<Shown> {
    const all = await this.list()
    const found = all.filter((one) => one.id === id || one.id.startsWith(id))
    const exact = found.find((one) => one.id === id)
    if (exact !== undefined) return exact
    if (found.length === 1) return found[0]!
    if (found.length > 1) {
      throw new Refused('UNKNOWN', `"${id}" could be any of ${found.map((one) => one.id).join(', ')}: say more of it.`)
    }
    const near = nearest(
      id,
      all.map((one) => one.id),
    )
    const hint = near === undefined ? '`playhead generations` lists them.' : `Did you mean ${near}?`
    throw new Refused('UNKNOWN', `There is no generation "${id}". ${hint}`)
  }

  /** Ids of what was read, the last one last. */
  async promotions(projection: string): Promise<string[]> {
    return ((await this.#book()).get(projection)?.promotions ?? []).map(({ id }) => id)
  }

  async plan(projection: string): Promise<ProjectionPlan> {
    const plans = await this.plans()
    const found = plans.find(({ name }) => name === projection)
    if (found !== undefined) return found
    const names = plans.map(({ name }) => name)
    const near = nearest(projection, names)
    const hint = near === undefined ? `There are ${names.join(', ')}.` : `Did you mean ${near}?`
    throw new Refused('UNKNOWN', `There is no projection "${projection}". ${hint}`)
  }

  /** Asks for a new generation, built from the log's start beside the one that is read. */
  async rebuild({ projection, parameters, build }: Asked, who: Who): Promise<Generation> {
    const { read } = await this.plan(projection)
    const { foldVersion } = read.projection
    const names = parameterNames(projection)
    for (const name of Object.keys(parameters)) {
      if (names.includes(name)) continue
      const has = names.length === 0 ? 'It has none.' : `It has ${names.join(', ')}.`
      throw new Refused('INVALID', `${projection} has no parameter "${name}". ${has}`, 'parameters')
    }
    const gone = await whatIsGone(this.#ports.log, read.projection.topics)
    if (gone !== undefined) throw new Refused('NOT_NOW', gone)
    const given = { ...read.projection.parameters, ...parameters }
    const folded = foldOf(projection, foldVersion, given, this.#ports.settings)!
    const generation = generationOf(folded, this.incarnation, build)
    const asked = {
      ...{ projection, generationId: generation.id, foldVersion, parameters: folded.parameters ?? {} },
      ...{ build: build.name, untilMs: build.untilMs ?? null, recordsPerSecond: build.recordsPerSecond ?? null },
    }
    await this.#ports.log.append([generationRequested(this.#events, this.#arrival(), asked, who)])
    return generation
  }

  async promote(shown: Shown, digest: string | null, who: Who): Promise<void> {
    const { read } = await this.plan(shown.projection)
    const promotion = { projection: shown.projection, generationId: shown.id, previousGenerationId: read.id, digest }
    await this.#ports.log.append([generationPromoted(this.#events, this.#arrival(), promotion, who, false)])
  }

  async act(shown: Shown, action: keyof typeof GENERATION_ACTIONS, who: Who, recordsPerSecond?: number): Promise<void> {
    const rate = action === 'rate' ? { recordsPerSecond: `${recordsPerSecond ?? ''}` } : {}
    const details = { generation: shown.id, ...rate }
    const record = generationActed(
      this.#events,
      this.#arrival(),
      shown.projection,
      GENERATION_ACTIONS[action],
      details,
      who,
    )
    await this.#ports.log.append([record])
  }

  get #events(): GenerationPorts {
    const { codec, nowMs } = this.#ports
    const random = (bytes: Uint8Array) => void globalThis.crypto.getRandomValues(bytes)
    return { codec, mint: () => mintEventId(nowMs(), random) }
  }

  #arrival(): Arrival {
    return { source: 'engine', appId: 'playhead', environment: 'engine', receivedAtMs: this.#ports.nowMs() }
  }
}

function stateOf(
  { status }: GenerationRow,
  generation: Generation | undefined,
  { read, runs }: { readonly read: boolean; readonly runs: boolean },
): GenerationState {
  if (status === 'dropped') return 'dropped'
  if (read) return 'read'
  if (generation === undefined) return 'strange'
  if (status === 'paused') return 'paused'
  return runs ? 'building' : 'resting'
}
