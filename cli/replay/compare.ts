/**
 * Two generations of one projection, side by side: how many rows, their digests, and the first keys that differ.
 *
 * States first. A digest is a sum of row hashes over what a row says (not its version, which depends on batching), so it
 * does not depend on the order of a scan. While the log grows, one generation is a moment further than the other: a row
 * that differs is looked at again until both have passed where the log ended, and only then is it a difference.
 * A projection without states is a journal: its rows in ClickHouse are compared position by position, up to where both
 * have come.
 */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Generation } from '../../consumers/generation.ts'
import type { ColumnValue, StateRow, StateTable } from '../../stores/state.ts'
import { REPLAY_LIMITS } from './limits.ts'

export interface Difference {
  /** Partition and clustering values, as people write them. */
  readonly key: string
  readonly what: 'only in the first' | 'only in the second' | 'differs'
  /** Columns that are not the same. */
  readonly columns: readonly string[]
}

export interface Comparison {
  readonly rows: readonly [bigint, bigint]
  readonly digests: readonly [string, string]
  readonly differences: readonly Difference[]
  /** More than are named. */
  readonly differing: number
  readonly equal: boolean
}

export interface ComparePorts {
  /** Whether both have passed what the log ended with when they are asked. */
  passed(): Promise<boolean>
  readonly signal: AbortSignal
  /** Rows looked at so far. */
  looked(rows: number): void
}

type Key = readonly ColumnValue[]

export async function compareStates(
  { projection }: Generation,
  [first, second]: readonly [StateTable, StateTable],
  ports: ComparePorts,
): Promise<Comparison> {
  // The column behind the projection's own is the runtime's.
  const names = (projection.keyed?.shape.columns ?? []).map(({ name }) => name)
  const sides = [new Side(names.length), new Side(names.length)] as const
  const suspects = new Map<string, Key>()
  await scan(
    first,
    second,
    (row, other) => {
      sides[0].add(row)
      if (!same(row, other, names.length)) suspects.set(keyText(row.key), row.key)
      ports.looked(1)
    },
    ports.signal,
  )
  await scan(
    second,
    first,
    (row, other) => {
      sides[1].add(row)
      if (other === undefined) suspects.set(keyText(row.key), row.key)
      ports.looked(1)
    },
    ports.signal,
  )
  const differences = await settled([first, second], suspects, names, ports)
  const [a, b] = sides
  const equal = differences.length === 0
  return {
    rows: [a.rows, b.rows],
    // What differed for a moment only is no difference: then both are what the first was found to be.
    digests: equal ? [a.digest, a.digest] : [a.digest, b.digest],
    differences: differences.slice(0, REPLAY_LIMITS.differencesMax),
    differing: differences.length,
    equal,
  }
}

class Side {
  rows = 0n
  #sum = 0n
  readonly #columns: number

  constructor(columns: number) {
    this.#columns = columns
  }

  add({ key, columns }: StateRow): void {
    this.rows += 1n
    const text = canonical([...key, ...columns.slice(0, this.#columns)])
    const hash = createHash('sha256').update(text).digest()
    this.#sum = BigInt.asUintN(128, this.#sum + ((hash.readBigUInt64BE(0) << 64n) | hash.readBigUInt64BE(8)))
  }

  get digest(): string {
    return this.#sum.toString(16).padStart(32, '0')
  }
}

async function scan(
  table: StateTable,
  other: StateTable,
  each: (row: StateRow, other: StateRow | undefined) => void,
  signal: AbortSignal,
): Promise<void> {
  let page: StateRow[] = []
  const look = async () => {
    const others = await other.get(page.map(({ key }) => key))
    for (const [i, row] of page.entries()) each(row, others[i])
    page = []
  }
  for await (const row of table.scan()) {
    signal.throwIfAborted()
    page.push(row)
    if (page.length >= REPLAY_LIMITS.comparePageRows) await look()
  }
  if (page.length > 0) await look()
}

/** Those that still differ when both generations have passed the end of the log as it was at some moment after. */
async function settled(
  tables: readonly [StateTable, StateTable],
  suspects: Map<string, Key>,
  names: readonly string[],
  ports: ComparePorts,
): Promise<readonly Difference[]> {
  const [first, second] = tables
  for (let time = 0; suspects.size > 0; time++) {
    const passed = await ports.passed()
    const keys = [...suspects.values()]
    const found: Difference[] = []
    for (let from = 0; from < keys.length; from += REPLAY_LIMITS.comparePageRows) {
      const page = keys.slice(from, from + REPLAY_LIMITS.comparePageRows)
      const [ours, theirs] = await Promise.all([first.get(page), second.get(page)])
      for (const [i, key] of page.entries()) {
        if (same(ours[i], theirs[i], names.length)) suspects.delete(keyText(key))
        else found.push(differenceOf(key, ours[i], theirs[i], names))
      }
    }
    if (passed || time >= REPLAY_LIMITS.settleTimes) return found.sort((a, b) => (a.key < b.key ? -1 : 1))
    await sleep(REPLAY_LIMITS.settlePauseMs, undefined, { signal: ports.signal })
  }
  return []
}

function differenceOf(
  key: Key,
  ours: StateRow | undefined,
  theirs: StateRow | undefined,
  names: readonly string[],
): Difference {
  if (ours === undefined) return { key: keyText(key), what: 'only in the second', columns: [] }
  if (theirs === undefined) return { key: keyText(key), what: 'only in the first', columns: [] }
  const columns = names.filter(
    (_, i) => canonical([ours.columns[i] ?? null]) !== canonical([theirs.columns[i] ?? null]),
  )
  return { key: keyText(key), what: 'differs', columns }
}

function same(a: StateRow | undefined, b: StateRow | undefined, columns: number): boolean {
  if (a === undefined || b === undefined) return a === b
  return canonical(a.columns.slice(0, columns)) === canonical(b.columns.slice(0, columns))
}

function keyText(key: Key): string {
  return key
    .map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value)))
    .join(' / ')
}

/** Each value with its kind and length before it, so that no two lists are one text. */
function canonical(values: readonly ColumnValue[]): string {
  return values
    .map((value) => {
      const text = value instanceof Uint8Array ? Buffer.from(value).toString('base64') : String(value)
      return `${value === null ? 'null' : value instanceof Uint8Array ? 'blob' : typeof value}:${text.length}:${text}`
    })
    .join('|')
}
