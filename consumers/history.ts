/**
 * The story of one key: its events, folded again one after the other, and what each of them changed. The same fold as
 * the workers', from nothing, up to where the caller's records end; nothing is written.
 *
 * As in a worker, duplicates are nothing, what can't be decoded or folded is left out, what is of an erased profile can't
 * be opened and is left out, and an erasure takes what came before it.
 */
import type { LogRecord, TopicPartition } from '../log/log.ts'
import { createOpener, type FoundKeys } from '../producers/personal.ts'
import type { Cell, Keyed, Projection, StateCell } from '../projections/projection.ts'
import type { EventCodec, Personal, PlayheadEvent } from '../schemas/index.ts'
import { inside, isReplayed } from './replayed.ts'
import { keyText } from './state-cache.ts'

export interface HistoryRecord extends TopicPartition {
  readonly record: LogRecord
  readonly duplicate: boolean
}

/** A state or a row as named values; blobs are left out, they are nothing to read. */
export type Named = Readonly<Record<string, Cell>>

export interface Shown {
  /** Partition and clustering values, by their columns' names. */
  readonly key: Named
  readonly state: Named
  /** What stands in ClickHouse for it, by table. */
  readonly rows: Readonly<Record<string, readonly Named[]>>
}

export interface Change {
  /** `completed`, or `views.stalls` for a column of a row. */
  readonly what: string
  readonly from: Cell | undefined
  readonly to: Cell | undefined
}

export interface Step extends TopicPartition {
  readonly position: bigint
  readonly timestampMs: number
  readonly event: PlayheadEvent | undefined
  readonly fate: 'folded' | 'duplicate' | 'undecodable' | 'unfoldable' | 'undecryptable' | 'erases'
  readonly detail: string | undefined
  readonly key: Named | undefined
  readonly changes: readonly Change[]
}

export interface HistoryState {
  readonly key: readonly StateCell[]
  readonly state: unknown
}

export interface History {
  readonly states: readonly HistoryState[]
  readonly steps: readonly Step[]
}

export interface HistoryPorts {
  readonly codec: EventCodec
  readonly vault: FoundKeys
  /** Of the projection. */
  readonly name: string
  /** Which keys are asked for; the events of a partition's key may be of many. */
  wanted(key: Named): boolean
  /** Whether each step is told, with what it changed; else only what there is at the end. */
  readonly steps: boolean
}

export async function historyOf(
  { keyed }: Projection,
  records: Iterable<HistoryRecord> | AsyncIterable<HistoryRecord>,
  ports: HistoryPorts,
): Promise<History> {
  if (keyed === undefined) throw new TypeError('a journal has no states')
  const story = new Story(keyed as Keyed<unknown>, ports)
  for await (const each of records) await story.take(each)
  return { states: story.states(), steps: story.steps }
}

class Story {
  readonly steps: Step[] = []
  readonly #keyed: Keyed<unknown>
  readonly #ports: HistoryPorts
  readonly #opener
  readonly #states = new Map<string, { readonly key: readonly StateCell[]; readonly state: unknown }>()

  constructor(keyed: Keyed<unknown>, ports: HistoryPorts) {
    this.#keyed = keyed
    this.#ports = ports
    this.#opener = createOpener(ports.vault)
  }

  states(): readonly HistoryState[] {
    return [...this.#states.values()]
  }

  async take({ record, duplicate, topic, partition }: HistoryRecord): Promise<void> {
    const place = { topic, partition, position: record.position, timestampMs: record.timestampMs }
    const nothing = { ...place, event: undefined, detail: undefined, key: undefined, changes: [] }
    const { codec, name } = this.#ports
    const outer = codec.decode(record.value)
    const decoded = (outer.ok && isReplayed(outer.event) && inside(codec, outer.event, name)) || outer
    if (!decoded.ok) return this.#tell({ ...nothing, fate: 'undecodable', detail: decoded.detail })
    const erased = this.#keyed.erases?.(decoded.event)
    // A copy of an erasure is nothing, as to the workers: what came after the first one stays.
    if (erased !== undefined && !duplicate) {
      return this.#erase(erased, { ...nothing, event: decoded.event, fate: 'erases' })
    }
    const key = this.#keyed.key(decoded.event)
    const named = key && keyNamed(this.#keyed, key)
    if (key === undefined || named === undefined || !this.#ports.wanted(named)) return
    const said = { ...nothing, event: decoded.event, key: named }
    if (duplicate) return this.#tell({ ...said, fate: 'duplicate' })
    const event = await this.#opened(decoded.event)
    if (event === undefined) return this.#tell({ ...said, fate: 'undecryptable' })
    const text = keyText(key)
    const before = this.#states.get(text)
    try {
      const state = this.#keyed.fold(before?.state, event)
      const was = this.#ports.steps && before !== undefined ? shownOf(this.#keyed, key, before.state) : undefined
      this.#states.set(text, { key, state })
      if (!this.#ports.steps) return
      this.#tell({ ...said, fate: 'folded', changes: changesOf(was, shownOf(this.#keyed, key, state)) })
    } catch (error) {
      this.#tell({ ...said, fate: 'unfoldable', detail: (error as Error).message })
    }
  }

  #erase(partition: readonly StateCell[], step: Step): void {
    const gone = keyText(partition)
    for (const [text, { key }] of this.#states) {
      if (keyText(key.slice(0, partition.length)) === gone) this.#states.delete(text)
    }
    this.#tell(step)
  }

  #tell(step: Step): void {
    if (this.#ports.steps) this.steps.push(step)
  }

  async #opened(event: PlayheadEvent): Promise<PlayheadEvent | undefined> {
    const { personal, profileId } = event as { personal?: Personal | null; profileId?: string }
    if (this.#keyed.personal !== true || !personal?.sealed) return event
    const [opened] = await this.#opener.open([{ profileId: profileId ?? '', personal }])
    return opened === 'undecryptable' ? undefined : ({ ...event, personal: opened } as PlayheadEvent)
  }
}

export function shownOf(keyed: Keyed<unknown>, key: readonly StateCell[], state: unknown): Shown {
  const columns = keyed.shape.columns.map(({ name }) => name)
  const rows: Record<string, Named[]> = {}
  for (const { landing, cells } of keyed.rows(state)) {
    const held = rows[landing.target] ?? []
    held.push(named(landing.columns.slice(-cells.length), cells))
    rows[landing.target] = held
  }
  return { key: keyNamed(keyed, key), state: named(columns, keyed.toColumns(state)), rows }
}

function keyNamed({ shape: { partition, clustering } }: Keyed<unknown>, key: readonly StateCell[]): Named {
  return named(
    [...partition, ...clustering].map(({ name }) => name),
    key,
  )
}

function named(names: readonly string[], values: readonly (StateCell | Cell)[]): Named {
  const shown: Record<string, Cell> = {}
  for (const [i, name] of names.entries()) {
    const value = values[i] ?? null
    if (!(value instanceof Uint8Array)) shown[name] = value
  }
  return shown
}

/** By column; rows of a table that has several are counted, and told by the last of them. */
function changesOf(before: Shown | undefined, after: Shown): readonly Change[] {
  return [...columnChanges('', before?.state, after.state), ...tableChanges(before, after)]
}

function tableChanges(before: Shown | undefined, after: Shown): readonly Change[] {
  return Object.entries(after.rows).flatMap(([table, rows]) => {
    const were = before?.rows[table] ?? []
    if (rows.length === 1 && were.length <= 1) return columnChanges(`${table}.`, were[0], rows[0]!)
    return were.length === rows.length ? [] : [{ what: `${table} rows`, from: were.length, to: rows.length }]
  })
}

function columnChanges(prefix: string, before: Named | undefined, after: Named): readonly Change[] {
  return Object.entries(after).flatMap(([name, to]) => {
    const from = before?.[name]
    return textOf(from ?? null) === textOf(to) ? [] : [{ what: `${prefix}${name}`, from, to }]
  })
}

function textOf(cell: Cell): string {
  return JSON.stringify(cell, (_name, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
}
