/**
 * Step 3, second half: a batch folded into what must be written for it. Nothing is written here.
 *
 * What a batch means is fixed by its records, the states before them and, in a redo, the parked positions of its
 * intent; so two workers that fold the same bounds make the same bytes (a redo over half-written states makes fewer
 * rows, and they are dropped with their token).
 */
import type { TopicPartition } from '../log/log.ts'
import type { Opener } from '../producers/personal.ts'
import type { Cell, Fate, Keyed, Landing, Projection, SignedRow } from '../projections/projection.ts'
import type { StateRow, Tally } from '../stores/state.ts'
import { BREATHE_EVERY, breathe } from './breathe.ts'
import { type Decision, type ParkedRecord, parkFolded } from './decide.ts'
import { Stalled } from './errors.ts'
import { rowHash32 } from './hash.ts'
import { foldKeyed } from './keyed.ts'
import { CONSUMER_LIMITS } from './limits.ts'
import { LandingBody } from './rows.ts'
import { type Held, NOTHING_STANDS, type Standing, type StateCache } from './state-cache.ts'

export interface FoldedBatch {
  readonly parked: readonly ParkedRecord[]
  readonly bodies: readonly LandingBody[]
  /** Before the upserts: partitions whose rows of this position or older go. */
  readonly erasures: readonly Erasure[]
  readonly upserts: readonly StateRow[]
  /** Into the cache once the upserts are acknowledged. */
  readonly states: ReadonlyMap<string, Held<unknown>>
  readonly tally: Tally
  readonly auditDelta: bigint
}

/** A partition of the state table, and the event that erases it. */
export interface Erasure {
  readonly partition: StateRow['key']
  readonly position: bigint
}

export interface Folding {
  readonly projection: Projection
  readonly place: TopicPartition
  readonly cache: StateCache<unknown> | undefined
  /** Opens what is sealed, for a fold that reads it. */
  readonly opener: Opener
  readonly term: bigint
  readonly to: bigint
  readonly redo: boolean
}

export async function foldBatch(decided: readonly Decision[], folding: Folding): Promise<FoldedBatch> {
  const batch = new BatchFold(folding)
  const decisions = [...decided]
  const { keyed } = folding.projection
  if (keyed !== undefined) await foldKeyed(decisions, keyed, folding, batch)
  for (let i = 0; i < decisions.length; i += BREATHE_EVERY) {
    batch.take(decisions.slice(i, i + BREATHE_EVERY))
    await breathe()
  }
  return batch.close()
}

/** Parks it; but a redo may park nothing that its intent did not name. */
export function unfoldable(decision: Decision, { place, redo }: Folding, error: unknown): Decision {
  const detail = error instanceof Error ? error.message : String(error)
  if (redo) {
    const at = `${place.topic}/${place.partition}/${decision.record.position}`
    throw new Stalled(
      'REDO_DIFFERS',
      `the event at ${at} folded when its batch was begun and doesn't now: ${detail}`,
      'run the release that began the batch, or repair the fold so that it takes this event again',
    )
  }
  return parkFolded(decision, place, detail)
}

/** A row as it stood: its text, if the batch before wrote it. */
interface Stood {
  readonly row: SignedRow
  readonly version: number
  readonly text: string | undefined
}

/** Standing rows while they are gathered. */
interface Growing {
  readonly rowVersions: number[]
  readonly texts: (string | undefined)[]
}

/** Collects what a batch means, table by table. A journal's rows may be taken slice by slice, and the slice let go. */
export class BatchFold {
  readonly #folding: Folding
  /** The version of what this batch writes. */
  readonly #to: number
  readonly #bodies = new Map<string, LandingBody>()
  readonly #upserts: StateRow[] = []
  readonly #erasures: Erasure[] = []
  readonly #states = new Map<string, Held<unknown>>()
  /** Hashes are 32 bits wide: a batch's sum stays exact in a number. */
  #audit = 0
  readonly #parked: ParkedRecord[] = []
  readonly #fates: Record<Fate, number> = { folded: 0, duplicate: 0, parked: 0, undecryptable: 0 }

  constructor(folding: Folding) {
    this.#folding = folding
    this.#to = Number(folding.to)
  }

  #insert(landing: Landing, rowKey: string, cells: readonly Cell[], version: bigint): void {
    this.#bodyOf(landing).add(cells)
    this.#audit += rowHash32(rowKey, version)
  }

  /** A changed state: of its rows, those that changed go out as they were and come in as they are. */
  change(
    keyed: Keyed<unknown>,
    cache: StateCache<unknown>,
    key: StateRow['key'],
    text: string,
    before: Held<unknown> | undefined,
    state: unknown,
  ): void {
    const { to } = this.#folding
    const held = { state, version: to, ...this.#exchange(before, keyed, state) }
    this.#states.set(text, held)
    this.#upserts.push(cache.rowOf(key, held))
  }

  /**
   * Answers the rows that stand now: their versions, and the text of those that this batch wrote, which is wanted again
   * when they change. Mostly they are the same rows in the same order but for a few at the end, and the same objects;
   * only from where that is not so they are looked up by name.
   */
  #exchange(before: Held<unknown> | undefined, keyed: Keyed<unknown>, state: unknown): Standing {
    const now = keyed.rows(state)
    const standing: Growing = { rowVersions: [], texts: [] }
    const old = before === undefined ? [] : keyed.rows(before.state)
    const { rowVersions, texts } = before ?? NOTHING_STANDS
    if (rowVersions.length !== old.length)
      throw new Error(`${old.length} rows stand under ${rowVersions.length} versions`)
    if (old === now) return { rowVersions, texts }
    const at = (i: number): Stood => ({ row: old[i]!, version: rowVersions[i]!, text: texts[i] })
    let same = 0
    for (; same < old.length && same < now.length; same++) {
      const next = now[same]!
      if (old[same] === next) {
        standing.rowVersions.push(rowVersions[same]!)
        standing.texts.push(undefined)
      } else if (old[same]!.rowKey === next.rowKey) this.#replace(at(same), next, standing)
      else break
    }
    const left = new Map(old.slice(same).map((row, i) => [row.rowKey, at(same + i)]))
    for (const next of now.slice(same)) {
      this.#replace(left.get(next.rowKey), next, standing)
      left.delete(next.rowKey)
    }
    for (const stood of left.values()) this.#takeBack(stood)
    return standing
  }

  /** `next` stands from now on, and `stood`, of the same name, no more; unless they are the same. */
  #replace(stood: Stood | undefined, next: SignedRow, standing: Growing): void {
    if (stood !== undefined) {
      const { row } = stood
      if (row === next || (row.landing === next.landing && sameCells(row.cells, next.cells))) {
        standing.rowVersions.push(stood.version)
        standing.texts.push(undefined)
        return
      }
      this.#takeBack(stood)
    }
    const text = this.#bodyOf(next.landing).textOf(next.cells)
    this.#signed(next, this.#to, 1, text)
    standing.rowVersions.push(this.#to)
    standing.texts.push(text)
  }

  #takeBack({ row, version, text }: Stood): void {
    this.#signed(row, version, -1, text ?? this.#bodyOf(row.landing).textOf(row.cells))
  }

  erase(erasure: Erasure): void {
    this.#erasures.push(erasure)
  }

  /** A state that goes: the rows that stood for it are taken back. */
  withdraw(keyed: Keyed<unknown>, { state, rowVersions, texts }: Held<unknown>): void {
    keyed.rows(state).forEach((row, i) => {
      this.#takeBack({ row, version: rowVersions[i]!, text: texts[i] })
    })
  }

  /** Counts what became of these records, and makes a journal's rows of them. */
  take(decisions: readonly Decision[]): void {
    const { journal } = this.#folding.projection
    for (const decision of decisions) {
      const { fate, parked, position } = decision
      this.#fates[fate]++
      if (parked !== undefined) this.#parked.push(parked)
      const row = journal?.row(decision)
      if (journal !== undefined && row !== undefined) {
        this.#insert(journal.landing, journal.rowKey(decision), row, position)
      }
    }
  }

  close(): FoldedBatch {
    const { folded, duplicate, parked, undecryptable } = this.#fates
    return {
      parked: this.#parked,
      bodies: [...this.#bodies.values()],
      erasures: this.#erasures,
      upserts: this.#upserts,
      states: this.#states,
      tally: {
        read: BigInt(folded + duplicate + parked + undecryptable),
        folded: BigInt(folded),
        duplicates: BigInt(duplicate),
        parked: BigInt(parked),
        undecryptable: BigInt(undecryptable),
      },
      auditDelta: BigInt(this.#audit),
    }
  }

  #signed({ landing, rowKey }: SignedRow, version: number, sign: 1 | -1, text: string): void {
    this.#bodyOf(landing).addSigned(this.#folding.place, rowKey, version, sign, text)
    const hash = rowHash32(rowKey, version)
    this.#audit += sign === 1 ? hash : -hash
  }

  #bodyOf(landing: Landing): LandingBody {
    let body = this.#bodies.get(landing.name)
    if (body === undefined) {
      body = new LandingBody(landing, this.#folding.term)
      this.#bodies.set(landing.name, body)
    }
    return body
  }
}

function sameCells(a: readonly Cell[], b: readonly Cell[]): boolean {
  return (
    a.length === b.length &&
    a.every((cell, i) => {
      const other = b[i]!
      if (Array.isArray(cell)) return Array.isArray(other) && sameCells(cell, other)
      return cell === other
    })
  )
}

export function addTally(a: Tally, b: Tally): Tally {
  return {
    read: a.read + b.read,
    folded: a.folded + b.folded,
    duplicates: a.duplicates + b.duplicates,
    parked: a.parked + b.parked,
    undecryptable: a.undecryptable + b.undecryptable,
  }
}

export const NO_TALLY: Tally = { read: 0n, folded: 0n, duplicates: 0n, parked: 0n, undecryptable: 0n }

export function tooManyParked(batch: FoldedBatch): boolean {
  return batch.parked.length > CONSUMER_LIMITS.parkedPerBatchMax
}
