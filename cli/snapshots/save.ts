/**
 * Takes a snapshot of one generation: its states, its dead letters, its rows in ClickHouse, and its commit records.
 *
 * What has to fit together. A commit record says that everything below its checkpoint is in every table. It is swapped
 * before a batch touches any table, and after: so if the records are idle, and have the same revisions when all is copied
 * as before, nobody wrote anything meanwhile, and the copy is of one moment. (A stale owner that wakes up writes what
 * stands already, or is refused.) That is how a generation with states *and* rows is copied; one that moved is copied anew.
 *
 * Two kinds need no rest. A journal's rows below a checkpoint never change, so they are cut there. And where there are
 * states alone, one that is further than the checkpoint is what a crash leaves, too: events at or below a state's version
 * are in it, and are skipped when they come again. The records are read first, so no state is behind its checkpoint; the
 * dead letters after the states, so none is missing whose event a state has passed.
 *
 * What can fail: log, store, ClickHouse, disk: nothing is left in the place where the snapshot was to be.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { DEAD_LETTERS } from '../../consumers/dead-letters.ts'
import { type Generation, stateTableOf } from '../../consumers/generation.ts'
import { rowHash } from '../../stores/canonical.ts'
import { specToText } from '../../stores/spec.ts'
import type { CommitKey, CommitRecord } from '../../stores/state.ts'
import type { OpenReplay } from '../replay/open.ts'
import { forgets } from '../tables.ts'
import { VERSION } from '../version.ts'
import { SnapshotError } from './errors.ts'
import { Draft } from './files.ts'
import { SNAPSHOT_LIMITS, SNAPSHOT_SIZES, type SnapshotSizes } from './limits.ts'
import { type Manifest, type Place, placeOf, writeManifest } from './manifest.ts'
import { proofOf } from './proof.ts'
import { lineOf } from './state-lines.ts'
import { tableLines } from './table-lines.ts'

type Committed = CommitKey & { readonly record: CommitRecord }

export interface Copying {
  readonly signal: AbortSignal
  /** Rows copied so far, of this attempt. */
  looked(rows: bigint): void
  /** Smaller ones, for tests. */
  readonly sizes?: SnapshotSizes
}

/** It was written to while it was copied. */
class Moved extends Error {}

export async function saveSnapshot(
  replay: OpenReplay,
  generation: Generation,
  folder: string,
  copying: Copying,
): Promise<Manifest> {
  const draft = await Draft.begin(folder)
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        const manifest = await new Copy(replay, generation, draft, copying).make()
        await writeManifest(draft.folder, manifest)
        await draft.finish()
        return manifest
      } catch (error) {
        if (!(error instanceof Moved)) throw error
        if (attempt === SNAPSHOT_LIMITS.attemptsMax) throw moving(generation, error)
      }
      await draft.clear()
      await sleep(SNAPSHOT_LIMITS.attemptPauseMs, undefined, { signal: copying.signal })
    }
  } catch (error) {
    await draft.discard()
    throw error
  }
}

function moving({ id, projection: { name } }: Generation, cause: Error): SnapshotError {
  return new SnapshotError(
    'SNAPSHOT_MOVING',
    `${id} is being written to, and its states and rows have to be of one moment. Let it rest: ` +
      `\`playhead generations pause ${id}\`; if it is what is read, build one beside it (\`playhead rebuild ${name} ` +
      `--name snapshot\`), pause that and save that. (${cause.message})`,
  )
}

class Copy {
  readonly #replay: OpenReplay
  readonly #generation: Generation
  readonly #draft: Draft
  readonly #copying: Copying
  readonly #needsRest: boolean
  readonly #sizes: SnapshotSizes
  #rows = 0n

  constructor(replay: OpenReplay, generation: Generation, draft: Draft, copying: Copying) {
    this.#replay = replay
    this.#generation = generation
    this.#draft = draft
    this.#copying = copying
    this.#sizes = copying.sizes ?? SNAPSHOT_SIZES
    const { keyed, landings } = generation.projection
    this.#needsRest = keyed !== undefined && landings.length > 0
  }

  async make(): Promise<Manifest> {
    const { id, projection } = this.#generation
    const before = await this.#records()
    if (before.length === 0) throw new SnapshotError('SNAPSHOT_UNFIT', `${id} has folded nothing yet: nothing to save.`)
    const states = await this.#states(before)
    await this.#letters()
    const landings = Object.fromEntries(projection.landings.map(({ name, columns }) => [name, columns]))
    const audits = new Map<Committed, bigint>()
    for (const committed of before) audits.set(committed, await this.#rowsOf(committed, before))
    const exact = (await this.#stands(before)) || states === null
    const places: Place[] = []
    for (const committed of before) {
      const proof = await proofOf(this.#replay.log, committed, committed.record.checkpoint)
      places.push({ ...placeOf(committed), audit: `${audits.get(committed)!}`, proof })
    }
    return {
      ...{ format: 1, madeAt: new Date().toISOString(), version: VERSION },
      ...{ projection: projection.name, foldVersion: projection.foldVersion, parameters: projection.parameters ?? {} },
      ...{ generation: id, incarnation: this.#generation.incarnation, exact, places, states, landings },
      files: [...this.#draft.files],
    }
  }

  async #records(): Promise<readonly Committed[]> {
    return await this.#replay.state.commits.list(this.#generation.id)
  }

  /** Whether nothing was written since; where that is needed, Moved if something was. */
  async #stands(before: readonly Committed[]): Promise<boolean> {
    const nameOf = ({ topic, partition, record }: Committed) => `${topic}/${partition} ${record.revision}`
    const now = (await this.#records()).map(nameOf)
    const same = now.length === before.length && before.every((one) => now.includes(nameOf(one)))
    const begun = before.find(({ record }) => record.intent !== undefined)
    if (!this.#needsRest || (same && begun === undefined)) return same && begun === undefined
    const where = begun === undefined ? '' : `${begun.topic}/${begun.partition}: `
    throw new Moved(
      begun === undefined ? 'it moved while it was copied' : `${where}a batch was begun and is not finished`,
    )
  }

  async #states(before: readonly Committed[]): Promise<Manifest['states']> {
    const spec = stateTableOf(this.#generation)
    if (spec === undefined) return null
    if (this.#needsRest) await this.#stands(before)
    const table = await this.#replay.state.table(spec)
    let [rows, sum, files] = [0, 0n, 0]
    let lines: string[] = []
    const flush = async () => {
      if (lines.length > 0) await this.#write(`states/${numbered(++files)}.ndjson.gz`, lines, { kind: 'states' })
      lines = []
      if (this.#needsRest) await this.#stands(before)
    }
    for await (const row of table.scan()) {
      lines.push(lineOf(spec, row))
      sum = BigInt.asUintN(64, sum + rowHash(spec, row, { version: 'with' }))
      rows++
      if (lines.length === this.#sizes.statesPerFile) await flush()
    }
    await flush()
    return { spec: specToText(spec), rows, digest: sum.toString(16).padStart(16, '0') }
  }

  async #letters(): Promise<void> {
    const { id } = this.#generation
    const table = await this.#replay.state.table(DEAD_LETTERS)
    const limit = this.#sizes.lettersPerFile
    let after: readonly (string | number | bigint)[] | undefined
    for (let files = 1; ; files++) {
      const page = await table.list({ partition: [id], limit, ...(after && { after }) })
      const lines = page.map((row) => lineOf(DEAD_LETTERS, row))
      if (lines.length > 0) await this.#write(`letters/${numbered(files)}.ndjson.gz`, lines, { kind: 'letters' })
      if (page.length < limit) return
      after = page.at(-1)!.key.slice(1) as string[]
    }
  }

  /** Answers the audit's sum of what was copied: it is what the commit record says, or the tables are not sound. */
  async #rowsOf(committed: Committed, before: readonly Committed[]): Promise<bigint> {
    const { config, analytics } = this.#replay
    const { projection } = this.#generation
    if (projection.landings.length === 0) return committed.record.audit
    const { topic, partition, record } = committed
    const store = analytics()
    let found = 0n
    for (const landing of projection.landings) {
      const target = `${store.database}_${this.#generation.id}.${landing.target}`
      let files = 0
      const range = { end: record.checkpoint, rowsMax: this.#sizes.rowsPerFile }
      for await (const lines of tableLines(store, this.#generation, landing, committed, range)) {
        const path = `rows/${landing.target}/${topic}-${partition}-${numbered(++files)}.tsv.gz`
        const into = { landing: landing.name, topic, partition }
        await this.#write(path, lines, { kind: 'rows', into })
        if (this.#needsRest) await this.#stands(before)
      }
      if (record.checkpoint > 0n) found += (await store.audit(target, committed, 0n, record.checkpoint - 1n)).sum
    }
    if (this.#needsRest) await this.#stands(before)
    if (found === record.audit || forgets(this.#generation, config)) return found
    throw new SnapshotError(
      'SNAPSHOT_UNFIT',
      `${this.#generation.id} ${topic}/${partition}: the rows in ClickHouse are not what was committed (audit). ` +
        `A snapshot of it would keep the fault: build it anew, \`playhead rebuild ${projection.name}\`.`,
    )
  }

  async #write(path: string, lines: readonly string[], more: Parameters<Draft['write']>[2]): Promise<void> {
    this.#copying.signal.throwIfAborted()
    await this.#draft.write(path, lines, more)
    this.#rows += BigInt(lines.length)
    this.#copying.looked(this.#rows)
  }
}

function numbered(n: number): string {
  return `${n}`.padStart(5, '0')
}
