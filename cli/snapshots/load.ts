/**
 * Makes a new generation of a snapshot: its tables begin as the snapshot's, and its checkpoints stand where the snapshot's
 * stood. The consumers do the rest when the book says so.
 *
 * States of a load: *beside* (tables that nobody knows of are filled) → *committed* (its commit records are there, one
 * after the other: only now, since they say that everything below is in every table) → *asked for* (the event; from here
 * on it is a generation like any other). What was cut off before it was committed is dropped and begun again under the
 * same name; what was cut off after is finished.
 *
 * Rows go in by the landing tables, as a consumer's do, so that the cubes behind them count them too.
 *
 * What can fail: log, store, ClickHouse: they are tried again until they answer or the caller gives up.
 */
import { randomUUID } from 'node:crypto'
import { DEAD_LETTERS } from '../../consumers/dead-letters.ts'
import { type Generation, stateTableOf } from '../../consumers/generation.ts'
import { realWorld, untilDone } from '../../consumers/retry.ts'
import { generationRequested, type Who } from '../../producers/generations.ts'
import { mintEventId } from '../../producers/ids.ts'
import { rowHash } from '../../stores/canonical.ts'
import type { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import { identifier } from '../../stores/clickhouse/sql.ts'
import { STORE_LIMITS } from '../../stores/limits.ts'
import { ownerName, type StateRow, type StateTable, type TableSpec } from '../../stores/state.ts'
import type { OpenReplay } from '../replay/open.ts'
import { forgets, prepareTables } from '../tables.ts'
import { SnapshotError } from './errors.ts'
import { readLines } from './files.ts'
import { fitted } from './fit.ts'
import { SNAPSHOT_SIZES, type SnapshotSizes } from './limits.ts'
import { damaged, type Manifest, type Place, recordOf, type SnapshotFile } from './manifest.ts'
import { proveLog } from './proof.ts'
import type { Copying } from './save.ts'
import { rowOf } from './state-lines.ts'

export interface Loading extends Copying {
  /** Tells it from others of the same fold and parameters. */
  readonly name: string
  readonly who: Who
}

/** `manifest`: of a snapshot in `folder` that was verified. */
export async function loadSnapshot(
  replay: OpenReplay,
  folder: string,
  manifest: Manifest,
  loading: Loading,
): Promise<Generation> {
  const generation = await fitted(replay, manifest, loading.name)
  await proveLog(replay.log, manifest)
  const load = new Load(replay, generation, folder, manifest, loading)
  if (await load.isNew()) await load.fill()
  await load.commit()
  await ask(replay, generation, loading)
  return generation
}

class Load {
  readonly #replay: OpenReplay
  readonly #generation: Generation
  readonly #folder: string
  readonly #manifest: Manifest
  readonly #loading: Loading
  readonly #sizes: SnapshotSizes
  #rows = 0n
  #inserts = 0
  /** Tokens of a load that was cut off may be remembered. */
  readonly #attempt = `snapshot-${randomUUID()}`

  constructor(replay: OpenReplay, generation: Generation, folder: string, manifest: Manifest, loading: Loading) {
    this.#replay = replay
    this.#generation = generation
    this.#folder = folder
    this.#manifest = manifest
    this.#loading = loading
    this.#sizes = loading.sizes ?? SNAPSHOT_SIZES
  }

  /** False: it was committed, and only the last step is missing. */
  async isNew(): Promise<boolean> {
    const { id } = this.#generation
    const { operator, state } = this.#replay
    if ((await operator.list()).some((one) => one.id === id)) throw taken(id)
    const found = await state.commits.list(id)
    const ours = new Map(this.#manifest.places.map((place) => [nameOf(place), place.checkpoint]))
    if (found.some((one) => one.record.revision !== 1n || ours.get(nameOf(one)) !== `${one.record.checkpoint}`)) {
      throw taken(id)
    }
    return found.length === 0
  }

  async fill(): Promise<void> {
    const { state, analytics, config } = this.#replay
    const spec = stateTableOf(this.#generation)
    const hasRows = this.#generation.projection.landings.length > 0
    // What a load that was cut off left: nobody knows of it.
    if (spec !== undefined) await this.#until('states', () => state.drop(spec.name))
    if (hasRows) {
      const prepare = () => prepareTables(analytics(), this.#generation, config, undefined)
      await this.#until('ClickHouse', async () => emptyTables(analytics(), await prepare()))
      for (const place of this.#manifest.places) await this.#own(place)
    }
    await this.#fillLetters()
    if (spec !== undefined) await this.#fillStates(spec)
    for (const file of this.#filesOf('rows')) await this.#insert(file)
    if (hasRows && !forgets(this.#generation, config))
      for (const place of this.#manifest.places) await this.#audit(place)
  }

  async commit(): Promise<void> {
    const { commits } = this.#replay.state
    for (const place of this.#manifest.places) {
      const key = { generation: this.#generation.id, topic: place.topic, partition: place.partition }
      const { swapped } = await this.#until('commit record', () => commits.swap(key, undefined, recordOf(place)))
      if (!swapped && (await commits.read(key))?.checkpoint !== BigInt(place.checkpoint)) throw taken(key.generation)
    }
  }

  async #fillLetters(): Promise<void> {
    const table = await this.#replay.state.table(DEAD_LETTERS)
    for (const file of this.#filesOf('letters')) {
      const lines = await readLines(this.#folder, file)
      const rows = lines.map((line) => rowOf(DEAD_LETTERS, line))
      await this.#upsert(
        table,
        rows.map((row) => ({ ...row, key: [this.#generation.id, ...row.key.slice(1)] })),
      )
    }
  }

  async #fillStates(spec: TableSpec): Promise<void> {
    const table = await this.#until('states', () => this.#replay.state.table(spec))
    let sum = 0n
    for (const file of this.#filesOf('states')) {
      const rows = (await readLines(this.#folder, file)).map((line) => rowOf(spec, line))
      for (const row of rows) sum = BigInt.asUintN(64, sum + rowHash(spec, row, { version: 'with' }))
      await this.#upsert(table, rows)
    }
    // A column that was added since is null, and nulls at the end are not in the digest.
    if (sum.toString(16).padStart(16, '0') !== this.#manifest.states?.digest) throw damaged(`${this.#folder} (states)`)
  }

  async #upsert(table: StateTable, rows: readonly StateRow[]): Promise<void> {
    const { upsertRows } = this.#sizes
    for (let i = 0; i < rows.length; i += upsertRows) {
      const some = rows.slice(i, i + upsertRows)
      await this.#until('states', () => table.upsert(some))
      this.#looked(some.length)
    }
  }

  /** The first term is the load's; whoever takes the partition over has a later one. */
  async #own(place: Place): Promise<void> {
    const owner = { generation: this.#generation.id, topic: place.topic, partition: place.partition }
    if ((await this.#until('owners', () => this.#replay.analytics().own(owner, 1n))) === 'refused') {
      throw taken(this.#generation.id)
    }
  }

  async #insert(file: SnapshotFile): Promise<void> {
    const store = this.#replay.analytics()
    const { landing, topic, partition } = file.into!
    const owner = { generation: this.#generation.id, topic, partition }
    const lines = await readLines(this.#folder, file)
    const { insertRows } = this.#sizes
    for (let i = 0; i < lines.length; i += insertRows) {
      const some = lines.slice(i, i + insertRows)
      const insert = {
        ...{ table: `${store.database}_${owner.generation}.${landing}`, owner, term: 1n, rows: some.length },
        token: `${ownerName(owner)}/${this.#attempt}-${++this.#inserts}`,
        columns: ['term', ...(this.#manifest.landings[landing] ?? [])],
        body: Buffer.from(some.map((line) => `1\t${line}\n`).join('')),
      }
      if (insert.body.length > STORE_LIMITS.insertBytesMax) throw new Error(`${file.path}: rows of too many bytes`)
      if ((await this.#until('ClickHouse', () => store.insert(insert))) === 'refused') throw taken(owner.generation)
      this.#looked(some.length)
    }
  }

  async #audit({ topic, partition, checkpoint, audit }: Place): Promise<void> {
    const store = this.#replay.analytics()
    const { id, projection } = this.#generation
    const last = BigInt(checkpoint) - 1n
    let found = 0n
    for (const { target } of last < 0n ? [] : projection.landings) {
      const owner = { generation: id, topic, partition }
      const table = `${store.database}_${id}.${target}`
      found += (await this.#until('audit', () => store.audit(table, owner, 0n, last))).sum
    }
    if (found !== BigInt(audit)) {
      throw new Error(`${id} ${topic}/${partition}: the rows that were loaded are not those of the snapshot`)
    }
  }

  #filesOf(kind: SnapshotFile['kind']): readonly SnapshotFile[] {
    return this.#manifest.files.filter((file) => file.kind === kind)
  }

  #looked(rows: number): void {
    this.#rows += BigInt(rows)
    this.#loading.looked(this.#rows)
  }

  #until<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    const waiting = { waitingFor: undefined, retries: 0 }
    return untilDone(what, attempt, realWorld, this.#loading.signal, waiting)
  }
}

async function emptyTables(store: ClickHouse, database: string): Promise<void> {
  const tables = await store.query<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = {database:String} AND engine LIKE '%MergeTree'`,
    { database },
  )
  for (const { name } of tables) await store.command(`TRUNCATE TABLE ${identifier(database)}.${identifier(name)} SYNC`)
}

async function ask({ codec, log }: OpenReplay, { id, projection }: Generation, { name, who }: Loading): Promise<void> {
  const random = (bytes: Uint8Array) => void globalThis.crypto.getRandomValues(bytes)
  const ports = { codec, mint: () => mintEventId(Date.now(), random) }
  const arrival = { source: 'engine', appId: 'playhead', environment: 'engine', receivedAtMs: Date.now() } as const
  const { name: projectionName, foldVersion, parameters = {} } = projection
  const asked = { projection: projectionName, generationId: id, foldVersion, parameters, build: name }
  await log.append([generationRequested(ports, arrival, { ...asked, untilMs: null, recordsPerSecond: null }, who)])
}

function nameOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`
}

function taken(id: string): SnapshotError {
  return new SnapshotError('SNAPSHOT_PLACE', `There is a generation ${id} already: give this one another --name.`)
}
