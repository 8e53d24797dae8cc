/**
 * The states a worker may fold from: those that this term wrote and saw acknowledged, else read from the store. A take
 * over empties the cache; a batch puts its states in only after step 7 was acknowledged.
 */
import type { Keyed } from '../projections/projection.ts'
import type { ColumnValue, StateRow, StateTable } from '../stores/state.ts'
import { checkKey, checkPartition } from '../stores/values.ts'
import { CONSUMER_LIMITS } from './limits.ts'
import { decodeRowVersions, encodeRowVersions, NO_ROWS, type RowVersions } from './row-versions.ts'

export interface Held<S> extends Standing {
  readonly state: S
  /** The last position folded into it: events at or below are in it already. */
  readonly version: bigint
}

/** The rows that stand for a state, in their order. */
export interface Standing {
  readonly rowVersions: RowVersions
  /** Of those that the last batch wrote, which will most likely change next: their cells as text. */
  readonly texts: readonly (string | undefined)[]
}

export const NOTHING_STANDS: Standing = { rowVersions: NO_ROWS, texts: [] }

/** What stands in the column of a projection without rows. */
const NONE = -1n

const BETWEEN = '\u0000\u0000'

/** Different keys, different texts: what a player puts into an id must not make two rows one. */
export function keyText(key: readonly ColumnValue[]): string {
  return key.length === 1 ? partText(key[0]!) : key.map(partText).join(BETWEEN)
}

function partText(part: ColumnValue): string {
  const text = String(part)
  return text.includes('\u0000') ? text.replaceAll('\u0000', '\u0000\u0001') : text
}

export class StateCache<S> {
  readonly #held = new Map<string, Held<S>>()
  readonly #table: StateTable
  readonly #keyed: Keyed<S>
  readonly #hasRows: boolean
  readonly #nowMs: () => number

  constructor(
    table: StateTable,
    { keyed, landings }: { readonly keyed: Keyed<S>; readonly landings: readonly unknown[] },
    nowMs: () => number,
  ) {
    this.#nowMs = nowMs
    this.#table = table
    this.#keyed = keyed
    this.#hasRows = landings.length > 0
  }

  clear(): void {
    this.#held.clear()
  }

  /** Throws where no row can have such a key: no try again would help. */
  mustTake(key: readonly ColumnValue[], text: string): void {
    if (!this.#held.has(text)) checkKey(this.#table.spec, key)
  }

  mustTakePartition(partition: readonly ColumnValue[]): void {
    checkPartition(this.#table.spec, partition)
  }

  /** The states of these keys (by their text); absent where there is none yet. */
  async load(keys: ReadonlyMap<string, readonly ColumnValue[]>): Promise<Map<string, Held<S>>> {
    const found = new Map<string, Held<S>>()
    const missing: [string, readonly ColumnValue[]][] = []
    for (const [text, key] of keys) {
      const held = this.#held.get(text)
      if (held === undefined) missing.push([text, key])
      else found.set(text, held)
    }
    if (missing.length === 0) return found
    const rows = await this.#table.get(missing.map(([, key]) => key))
    missing.forEach(([text], i) => {
      const row = rows[i]
      if (row !== undefined) found.set(text, this.#heldOf(row))
    })
    return found
  }

  /** Every state of a partition, as the store has it: the cache knows only some. */
  async *partition(partition: readonly ColumnValue[]): AsyncIterable<Held<S>> {
    const width = partition.length
    let after: readonly ColumnValue[] | undefined
    do {
      const limit = CONSUMER_LIMITS.erasedPageRows
      const rows = await this.#table.list({ partition, limit, ...(after && { after }) })
      for (const row of rows) yield this.#heldOf(row)
      const last = rows[rows.length - 1]
      // Without clustering columns a partition is one row, and there is nothing to go on after.
      after = rows.length === limit && last !== undefined && last.key.length > width ? last.key.slice(width) : undefined
    } while (after !== undefined)
  }

  /** Once its erasure was acknowledged. Forgetting one too many costs a read. */
  forget(partition: readonly ColumnValue[]): void {
    const text = keyText(partition)
    for (const key of this.#held.keys()) {
      if (key === text || key.startsWith(text + BETWEEN)) this.#held.delete(key)
    }
  }

  /** Only after the store acknowledged them. */
  remember(states: ReadonlyMap<string, Held<S>>): void {
    for (const [text, held] of states) {
      this.#held.delete(text)
      this.#held.set(text, held)
    }
    const most = this.#keyed.cachedStatesMax ?? CONSUMER_LIMITS.cachedStatesMax
    for (const oldest of this.#held.keys()) {
      if (this.#held.size <= most) return
      this.#held.delete(oldest)
    }
  }

  rowOf(key: readonly ColumnValue[], held: Held<S>): StateRow {
    const { keptMs } = this.#keyed
    const expiresAtMs = keptMs === undefined ? this.#keyed.expiresAtMs?.(held.state) : this.#nowMs() + keptMs
    return {
      key,
      version: held.version,
      columns: [...this.#keyed.toColumns(held.state), this.#hasRows ? encodeRowVersions(held.rowVersions) : NONE],
      ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    }
  }

  #heldOf(row: StateRow): Held<S> {
    const last = row.columns[row.columns.length - 1]
    if (this.#hasRows !== last instanceof Uint8Array)
      throw new TypeError('a state row without the versions of its rows')
    const rowVersions = last instanceof Uint8Array ? decodeRowVersions(last) : NO_ROWS
    const state = this.#keyed.fromColumns(row.columns.slice(0, -1), row.key)
    return { state, version: row.version, rowVersions, texts: NOTHING_STANDS.texts }
  }
}
