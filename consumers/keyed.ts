/**
 * A batch through a keyed fold: which states it needs, what is opened for it, what an erasure in it takes away, and the
 * states after.
 *
 * An erasure is decided by position (docs/adr/0006): of its partition, what lies at or before it is neither folded from
 * nor folded. A state's version says on which side it is: at most the erasure's position, it is from an earlier batch;
 * above, it is from this very batch, written by an owner that died, and holds only what came after.
 */

import type { LogRecord } from '../log/log.ts'
import type { Keyed, StateCell } from '../projections/projection.ts'
import type { EventCodec, Personal, PlayheadEvent } from '../schemas/index.ts'
import type { Decision } from './decide.ts'
import { type BatchFold, type Erasure, type Folding, unfoldable } from './fold.ts'
import { REPLAYED } from './replayed.ts'
import { type Held, keyText, type StateCache } from './state-cache.ts'

/** What an event is to this projection. */
interface Item {
  readonly event: PlayheadEvent
  readonly key: readonly StateCell[] | undefined
  /** The key as text; '' where there is none. */
  readonly text: string
  readonly erases: readonly StateCell[] | undefined
}

type Erasures = ReadonlyMap<string, Erasure>

/**
 * Whether a batch may be folded slice by slice, each event decoded, folded and let go: nothing in it can erase what came
 * before. (An event of a type that is not known yet might.)
 */
export function foldsInSlices(keyed: Keyed<unknown>, records: readonly LogRecord[], codec: EventCodec): boolean {
  const { erases, erasers } = keyed
  if (erases !== undefined && erasers === undefined) return false
  if (erasers === undefined) return true
  return records.every(({ value }) => {
    const type = codec.typeOf(value)
    return type === undefined || (type !== 'unknown' && type !== REPLAYED && !erasers.includes(type))
  })
}

/** A batch on its way through a keyed fold, slice by slice. */
export class KeyedSlices {
  readonly #keyed: Keyed<unknown>
  readonly #folding: Folding
  readonly #cache: StateCache<unknown>
  readonly #keys = new Map<string, readonly StateCell[]>()
  readonly #before = new Map<string, Held<unknown>>()
  readonly #after = new Map<string, unknown>()

  constructor(keyed: Keyed<unknown>, folding: Folding) {
    this.#keyed = keyed
    this.#folding = folding
    this.#cache = cacheOf(folding)
  }

  /** Answers what became of each record. `until` repeats what a store that is away refuses. */
  async take(
    decided: readonly Decision[],
    until: <T>(attempt: () => Promise<T>) => Promise<T>,
  ): Promise<readonly Decision[]> {
    const decisions = [...decided]
    const items = itemsOf(decisions, this.#keyed, this.#folding)
    if (this.#keyed.personal === true) await until(() => openItems(items, decisions, this.#folding))
    const unknown = new Map<string, readonly StateCell[]>()
    for (const item of items) {
      if (item?.erases !== undefined) throw new Error('an event erases that was not known to')
      if (item?.key !== undefined && !this.#keys.has(item.text)) unknown.set(item.text, item.key)
    }
    if (unknown.size > 0) {
      for (const [text, held] of await until(() => this.#cache.load(unknown))) this.#before.set(text, held)
      for (const [text, key] of unknown) this.#keys.set(text, key)
    }
    items.forEach((item, i) => {
      if (item?.key === undefined) return
      const { text, event } = item
      const held = this.#before.get(text)
      if (held !== undefined && decisions[i]!.position <= held.version) return
      try {
        const state = this.#after.has(text) ? this.#after.get(text) : held?.state
        this.#after.set(text, this.#keyed.fold(state, event))
      } catch (error) {
        decisions[i] = unfoldable(decisions[i]!, this.#folding, error)
      }
    })
    return decisions
  }

  finish(output: BatchFold): void {
    for (const [text, state] of this.#after) {
      output.change(this.#keyed, this.#cache, this.#keys.get(text)!, text, this.#before.get(text), state)
    }
  }
}

function cacheOf({ cache }: Folding): StateCache<unknown> {
  if (cache === undefined) throw new Error('a keyed projection needs its state table')
  return cache
}

export async function foldKeyed(
  decisions: Decision[],
  keyed: Keyed<unknown>,
  folding: Folding,
  output: BatchFold,
): Promise<void> {
  const { projection } = folding
  const cache = cacheOf(folding)
  const items = itemsOf(decisions, keyed, folding)
  if (keyed.personal === true) await openItems(items, decisions, folding)
  const erasures = erasuresOf(items, decisions)
  const keys = new Map<string, readonly StateCell[]>()
  for (const item of items) if (item?.key !== undefined) keys.set(item.text, item.key)
  const before = await cache.load(keys)
  /** States that go. What leads up to the erasure is folded into them all the same: what is parked must not depend on batching. */
  const going = new Map<string, unknown>()
  for (const [text, key] of erasures.size === 0 ? [] : keys) {
    const erasure = erasures.get(partitionText(keyed, key))
    const held = before.get(text)
    if (erasure === undefined || held === undefined || held.version > erasure.position) continue
    going.set(text, held.state)
    before.delete(text)
  }
  const after = new Map<string, unknown>()
  items.forEach((item, i) => {
    if (item?.key === undefined || item.erases !== undefined) return
    const { position } = decisions[i]!
    const { text, event, key } = item
    const held = before.get(text)
    if (held !== undefined && position <= held.version) return
    const goes = erasures.size > 0 && position < (erasures.get(partitionText(keyed, key))?.position ?? -1n)
    // A redo parks what its intent named, and these states may be gone already.
    if (goes && folding.redo) return
    const states = goes ? going : after
    try {
      states.set(text, keyed.fold(states.has(text) ? states.get(text) : held?.state, event))
    } catch (error) {
      decisions[i] = unfoldable(decisions[i]!, folding, error)
    }
  })
  for (const erasure of erasures.values()) {
    if (projection.landings.length > 0) await withdrawAll(keyed, cache, erasure, output)
    output.erase(erasure)
  }
  for (const [text, state] of after) output.change(keyed, cache, keys.get(text)!, text, before.get(text), state)
}

function itemsOf(decisions: Decision[], keyed: Keyed<unknown>, folding: Folding): (Item | undefined)[] {
  const cache = cacheOf(folding)
  return decisions.map((decision, i) => {
    const { event, fate } = decision
    if (event === undefined || fate !== 'folded') return undefined
    try {
      const key = keyed.key(event)
      const erases = keyed.erases?.(event)
      if (key === undefined && erases === undefined) return undefined
      const text = key === undefined ? '' : keyText(key)
      if (key !== undefined) cache.mustTake(key, text)
      if (erases !== undefined) cache.mustTakePartition(erases)
      return { event, key, text, erases }
    } catch (error) {
      decisions[i] = unfoldable(decision, folding, error)
      return undefined
    }
  })
}

/** One look-up in the vault for the batch. What can't be opened any more is counted, and left out. */
async function openItems(items: (Item | undefined)[], decisions: Decision[], { opener }: Folding): Promise<void> {
  const sealed: { readonly at: number; readonly profileId: string; readonly personal: Personal }[] = []
  items.forEach((item, at) => {
    const { personal, profileId } = (item?.event ?? {}) as { personal?: Personal | null; profileId?: string }
    if (personal?.sealed) sealed.push({ at, profileId: profileId ?? '', personal })
  })
  if (sealed.length === 0) return
  const opened = await opener.open(sealed)
  sealed.forEach(({ at }, i) => {
    const personal = opened[i]!
    if (personal !== 'undecryptable') {
      const item = items[at]!
      items[at] = { ...item, event: { ...item.event, personal } as PlayheadEvent }
      return
    }
    items[at] = undefined
    decisions[at] = { ...decisions[at]!, fate: 'undecryptable' }
  })
}

/** The last erasure of each partition: it takes the others with it. */
function erasuresOf(items: readonly (Item | undefined)[], decisions: readonly Decision[]): Erasures {
  const erasures = new Map<string, Erasure>()
  items.forEach((item, i) => {
    if (item?.erases === undefined) return
    erasures.set(keyText(item.erases), { partition: item.erases, position: decisions[i]!.position })
  })
  return erasures
}

/** The rows of every state that goes, also of those that no event of this batch concerns. */
async function withdrawAll(
  keyed: Keyed<unknown>,
  cache: StateCache<unknown>,
  { partition, position }: Erasure,
  output: BatchFold,
): Promise<void> {
  for await (const held of cache.partition(partition)) {
    if (held.version <= position) output.withdraw(keyed, held)
  }
}

function partitionText({ shape }: Keyed<unknown>, key: readonly StateCell[]): string {
  return keyText(key.slice(0, shape.partition.length))
}
