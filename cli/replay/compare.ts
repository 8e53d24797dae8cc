/**
 * Two generations of one projection, side by side: how many rows, their digests, and the first keys that differ.
 *
 * A digest is a sum of row hashes over what a row says (not its version, which depends on batching), so it does not
 * depend on the order of a scan. While the log grows, one generation is a moment further than the other. But a row's
 * version says since when it stands: where both rows stand since before what both generations have passed, they are made
 * of the same events, and have to be the same. Others are *moving* and looked at again; what moves all the time is counted.
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
  /** Rows that were written all the time while they were looked at, and could not be compared. */
  readonly moving: number
  readonly equal: boolean
}

export interface ComparePorts {
  /** Up to where both have come, now. Answers for a row's key; undefined: its place in the log is not known. */
  passed(): Promise<(key: Key) => bigint | undefined>
  /** Whether both are at the end of the log, now. */
  atEnd(): Promise<boolean>
  readonly signal: AbortSignal
  /** Rows looked at so far. */
  looked(rows: number): void
}

export type Key = readonly ColumnValue[]

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
  const { differences, moving } = await settled([first, second], suspects, names, ports)
  const [a, b] = sides
  const equal = differences.length === 0
  return {
    rows: [a.rows, b.rows],
    // What differed for a moment only is no difference: then both are what the first was found to be.
    digests: equal ? [a.digest, a.digest] : [a.digest, b.digest],
    differences: differences.slice(0, REPLAY_LIMITS.differencesMax),
    differing: differences.length,
    moving,
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

interface Settled {
  readonly differences: readonly Difference[]
  readonly moving: number
}

/** What the suspects turn out to be, when they have come to rest. */
async function settled(
  tables: readonly [StateTable, StateTable],
  suspects: Map<string, Key>,
  names: readonly string[],
  ports: ComparePorts,
): Promise<Settled> {
  const differences: Difference[] = []
  for (let time = 0; suspects.size > 0 && time < REPLAY_LIMITS.settleTimes; time++) {
    if (time > 0) await sleep(REPLAY_LIMITS.settlePauseMs, undefined, { signal: ports.signal })
    const atEnd = await ports.atEnd()
    // Before the rows are read: what stands since before this was not written in between.
    const passed = await ports.passed()
    for (const page of pagesOf([...suspects.values()])) {
      const [ours, theirs] = await Promise.all(tables.map((table) => table.get(page)))
      for (const [i, key] of page.entries()) {
        const verdict = verdictOf([ours![i], theirs![i]], names, passed(key), atEnd)
        if (verdict !== 'moving') suspects.delete(keyText(key))
        if (verdict === 'differs') differences.push(differenceOf(key, ours![i], theirs![i], names))
      }
    }
  }
  return { differences: differences.sort((a, b) => (a.key < b.key ? -1 : 1)), moving: suspects.size }
}

function verdictOf(
  [ours, theirs]: readonly [StateRow | undefined, StateRow | undefined],
  names: readonly string[],
  passed: bigint | undefined,
  atEnd: boolean,
): 'same' | 'differs' | 'moving' {
  if (same(ours, theirs, names.length)) return 'same'
  if (passed === undefined) return atEnd ? 'differs' : 'moving'
  const stand = [ours, theirs].every((row) => row === undefined || row.version < passed)
  return stand ? 'differs' : 'moving'
}

function pagesOf(keys: readonly Key[]): readonly (readonly Key[])[] {
  const { comparePageRows: size } = REPLAY_LIMITS
  return Array.from({ length: Math.ceil(keys.length / size) }, (_, i) => keys.slice(i * size, (i + 1) * size))
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
