/**
 * The delivery protocol: exactly once in effect, for one partition of one generation. Steps and names are those of
 * docs/delivery.md and of the model in test/model/, which finds a loss or a doubling for each step left out.
 *
 * Who owns what. The commit record {term, revision, checkpoint, intent?} is changed only by compare-and-set on its
 * revision; whoever raised the term last owns the partition. ClickHouse's `owners` is written before it and refuses the rows of older terms; states
 * carry their version, so an older write never wins.
 *
 * States of a partition: *idle* (checkpoint c, no intent: everything below c is in every table) → *begun* (intent
 * [from..to]: any part of the batch may be written) → idle at to + 1. A crash anywhere leaves one of the two; the next
 * owner takes over and, if the partition is begun, redoes exactly that batch.
 *
 * What can fail: every call; it is retried until it answers (untilDone) or until somebody else turns out to own the
 * partition (StaleOwner), and then this object must not be used again.
 */
import type { EventLog, LogRecord, Position, TopicPartition } from '../log/log.ts'
import { createOpener, type FoundKeys, type Opener } from '../producers/personal.ts'
import type { EventCodec, EventType } from '../schemas/index.ts'
import type { AnalyticsStore } from '../stores/analytics.ts'
import { STORE_LIMITS } from '../stores/limits.ts'
import {
  type CommitKey,
  type CommitRecord,
  type CommitStore,
  type Intent,
  ownerName,
  type StateTable,
} from '../stores/state.ts'
import { BREATHE_EVERY } from './breathe.ts'
import type { DeadLetters } from './dead-letters.ts'
import { type Decision, decide } from './decide.ts'
import { type DuplicateWindow, readBackWindow } from './duplicates.ts'
import { StaleOwner, Stalled } from './errors.ts'
import type { AtFailpoint } from './failpoints.ts'
import { addTally, BatchFold, type FoldedBatch, type Folding, foldBatch, NO_TALLY, tooManyParked } from './fold.ts'
import type { Generation } from './generation.ts'
import { foldsInSlices, KeyedSlices } from './keyed.ts'
import { CONSUMER_LIMITS } from './limits.ts'
import { untilDone, type Waiting, type World } from './retry.ts'
import type { LandingBody } from './rows.ts'
import { StateCache } from './state-cache.ts'
import { type OnForgottenToken, type TokenPorts, TokenWindow } from './tokens.ts'

export interface DeliveryPorts {
  readonly log: EventLog
  readonly commits: CommitStore
  readonly states: StateTable | undefined
  readonly deadLetters: DeadLetters
  readonly analytics: AnalyticsStore
  readonly codec: EventCodec
  readonly vault: FoundKeys
  readonly world: World
  readonly at: AtFailpoint
  /** The analytics database of the generation: its landing tables and their targets. */
  readonly database: string
  /** Its tables drop rows that grew old. */
  readonly forgets?: boolean
}

/** A batch on its way: decided, and folded already where that needs no state. */
export type Prepared = { readonly to: bigint } & (
  | { readonly kind: 'folded'; readonly batch: FoldedBatch }
  | { readonly kind: 'decided'; readonly decisions: readonly Decision[] }
  /** To be decided and folded slice by slice. */
  | { readonly kind: 'read'; readonly records: readonly LogRecord[] }
)

export class Delivery {
  readonly key: CommitKey
  readonly waiting: Waiting = { waitingFor: undefined, retries: 0 }
  readonly #generation: Generation
  readonly #place: TopicPartition
  readonly #ports: DeliveryPorts
  readonly #signal: AbortSignal
  readonly #owner: string
  readonly #cache: StateCache<unknown> | undefined
  readonly #opener: Opener
  readonly #tokens: TokenWindow
  #record: CommitRecord | undefined
  #window: DuplicateWindow | undefined
  readonly #reads: ReadonlySet<EventType> | undefined

  constructor(generation: Generation, place: TopicPartition, ports: DeliveryPorts, signal: AbortSignal) {
    this.#generation = generation
    this.#place = place
    this.#ports = ports
    this.#signal = signal
    this.key = { generation: generation.id, ...place }
    this.#owner = ownerName(this.key)
    const { keyed, landings, reads } = generation.projection
    this.#reads = reads && new Set(reads)
    const { states } = ports
    this.#cache =
      keyed === undefined || states === undefined
        ? undefined
        : new StateCache(states, { keyed, landings }, ports.world.nowMs)
    this.#opener = createOpener(ports.vault)
    const { analytics, database, world } = ports
    const until: TokenPorts['until'] = (what, attempt) => this.#until(what, attempt)
    this.#tokens = new TokenWindow(this.key, landings, { analytics, database, nowMs: world.nowMs, until })
  }

  get hasRecord(): boolean {
    return this.#record !== undefined
  }

  /** The commit record as this term last wrote or read it. */
  get record(): CommitRecord {
    if (this.#record === undefined) throw new Error('take over first')
    return this.#record
  }

  /**
   * Step 2. Empty the cache; write the next term to `owners` and wait; raise the term in the record, if nobody else did.
   * The record as it was raised says what is begun. (`owners` first: a take-over that hangs in between has already shut
   * the older owner's rows out. docs/adr/0005.)
   */
  async takeOver(): Promise<void> {
    const { commits, analytics, at } = this.#ports
    await at('take-over.begun')
    this.#cache?.clear()
    for (;;) {
      const found = await this.#until('commit record', () => commits.read(this.key))
      const start = found ?? (await this.#firstRecord())
      const next = { ...start, term: start.term + 1n, revision: start.revision + 1n }
      if (this.#generation.projection.landings.length > 0) {
        const owned = await this.#until('owners', () => analytics.own(this.key, next.term))
        if (owned === 'refused') throw new StaleOwner('owners')
      }
      await at('take-over.owners-written')
      const swap = await this.#until('commit record', () => commits.swap(this.key, found, next))
      if (!swap.swapped) continue
      this.#record = next
      break
    }
    await at('take-over.term-raised')
    const from = (this.record.intent?.from ?? this.record.checkpoint) as Position
    this.#window = await this.#until('log', () => readBackWindow(this.#ports.log, this.#place, from))
  }

  /** A batch that an earlier owner (or we, before a crash) began: the same bounds, the same parked events, again. */
  async redo(onForgotten: OnForgottenToken = 'stall'): Promise<void> {
    const { intent } = this.record
    if (intent === undefined) return
    await this.#ports.at('redo.begun')
    const records = await this.#readExactly(intent)
    const batch = await this.#fold(await this.#decide(records, intent), intent.to, intent)
    const missing = await this.#tokens.missing(batch.bodies, intent, onForgotten)
    await this.#write(batch, intent, missing)
    await this.#advance(batch, intent)
  }

  /**
   * Step 3, as far as it needs no state: what becomes of each record, and a journal's rows. It may run while the batch
   * before is being written; batches are prepared in the order in which they are delivered.
   */
  async prepare(records: readonly LogRecord[]): Promise<Prepared> {
    const last = records[records.length - 1]
    if (last === undefined) throw new Error('an empty batch')
    const to = last.position
    const { keyed } = this.#generation.projection
    if (keyed !== undefined) {
      if (foldsInSlices(keyed, records, this.#ports.codec)) return { kind: 'read', to, records }
      return { kind: 'decided', to, decisions: await this.#decide(records, undefined) }
    }
    const batch = new BatchFold(this.#folding(to, undefined))
    for (let i = 0; i < records.length; i += BREATHE_EVERY) {
      batch.take(await this.#decide(records.slice(i, i + BREATHE_EVERY), undefined))
    }
    return { kind: 'folded', to, batch: batch.close() }
  }

  /** The rest of step 3, and steps 4 to 8, for records that start at the checkpoint. */
  async deliver(prepared: Prepared): Promise<FoldedBatch> {
    const { at } = this.#ports
    await at('batch.read')
    const { to } = prepared
    const from = this.record.checkpoint
    const batch = await this.#batchOf(prepared)
    if (batch.bodies.some(({ rows }) => rows > STORE_LIMITS.insertRowsMax)) return await this.#inHalves(prepared)
    if (tooManyParked(batch)) throw this.#tooManyParked(batch)
    await at('batch.folded')
    const intent: Intent = {
      from,
      to,
      parked: batch.parked.map((p) => p.record.position),
      audit: this.record.audit + batch.auditDelta,
      blocks: await this.#tokens.blocks(),
    }
    const begun: CommitRecord = { ...this.record, revision: this.record.revision + 1n, intent }
    await this.#swap('intent', begun)
    await at('intent.set')
    await this.#write(batch, intent, batch.bodies)
    await this.#advance(batch, intent)
    return batch
  }

  async #batchOf(prepared: Prepared): Promise<FoldedBatch> {
    switch (prepared.kind) {
      case 'folded':
        return prepared.batch
      case 'decided':
        return await this.#fold(prepared.decisions, prepared.to, undefined)
      case 'read':
        return await this.#foldInSlices(prepared.records, prepared.to)
    }
  }

  async #foldInSlices(records: readonly LogRecord[], to: bigint): Promise<FoldedBatch> {
    const folding = this.#folding(to, undefined)
    const output = new BatchFold(folding)
    const slices = new KeyedSlices(this.#generation.projection.keyed!, folding)
    for (let i = 0; i < records.length; i += BREATHE_EVERY) {
      const decided = await this.#decide(records.slice(i, i + BREATHE_EVERY), undefined)
      output.take(await slices.take(decided, (attempt) => this.#until('states', attempt)))
    }
    slices.finish(output)
    return output.close()
  }

  /** More rows than an insert may have: the batch is delivered as two. Its ids are not seen any more when it comes again. */
  async #inHalves(prepared: Prepared): Promise<FoldedBatch> {
    const records = prepared.kind === 'read' ? prepared.records : []
    if (records.length < 2) {
      throw new Stalled(
        'TOO_MANY_ROWS',
        `${this.#owner}: what the batch up to ${prepared.to} means has more rows than an insert may have (insertRowsMax)`,
        'report it with this message: no batch of this projection should mean so many',
      )
    }
    const { log } = this.#ports
    this.#window = await this.#until('log', () => readBackWindow(log, this.#place, this.record.checkpoint as Position))
    const half = records.length >> 1
    await this.deliver(await this.prepare(records.slice(0, half)))
    return await this.deliver(await this.prepare(records.slice(half)))
  }

  async #firstRecord(): Promise<CommitRecord> {
    const { topic, partition } = this.#place
    const bounds = await this.#until('log', () => this.#ports.log.bounds(topic))
    const start = bounds.find((b) => b.partition === partition)?.start ?? 0n
    if (start > 0n) {
      throw new Stalled(
        'LOG_TRIMMED',
        `${this.#owner}: it folds from the log's beginning, and the log begins at ${start} now`,
        'set PLAYHEAD_ARCHIVE to the archive of what is gone, and start the consumers again',
      )
    }
    return { term: 0n, revision: 0n, checkpoint: start, tally: NO_TALLY, audit: 0n }
  }

  async #readExactly(intent: Intent): Promise<LogRecord[]> {
    const records: LogRecord[] = []
    const { batchBytesMax: bytesMax, batchRecordsMax: recordsMax } = CONSUMER_LIMITS
    let next = intent.from as Position
    while (next <= intent.to) {
      const from = next
      const request = { ...this.#place, from, to: intent.to as Position, bytesMax, recordsMax, waitMs: 0 }
      const answer = await this.#until('log', () => this.#ports.log.read(request))
      records.push(...answer.records)
      if (answer.next > next) next = answer.next
      else throw this.#gap(next, intent)
    }
    if (records[records.length - 1]?.position !== intent.to) throw this.#gap(intent.to, intent)
    return records
  }

  #gap(at: bigint, { from, to }: Intent): Stalled {
    return new Stalled(
      'LOG_GAP',
      `${this.#owner}: the batch ${from}-${to} was begun, and the log no longer has position ${at}`,
      'restore the log from its archive, or rebuild the projection',
    )
  }

  async #decide(records: readonly LogRecord[], redo: Intent | undefined): Promise<readonly Decision[]> {
    const { codec } = this.#ports
    const decisions = await decide(records, this.#place, {
      codec,
      window: this.#window!,
      reads: this.#reads,
      name: this.#generation.projection.name,
      obey: redo === undefined ? undefined : new Set(redo.parked),
      learn: (id) => this.#until('schema registry', () => codec.learn(id)),
    })
    if (redo !== undefined) {
      const parked = decisions.flatMap((d) => (d.parked ? [d.record.position] : []))
      this.#obeys(parked, redo)
    }
    return decisions
  }

  async #fold(decisions: readonly Decision[], to: bigint, redo: Intent | undefined): Promise<FoldedBatch> {
    return this.#until('states', () => foldBatch(decisions, this.#folding(to, redo)))
  }

  #folding(to: bigint, redo: Intent | undefined): Folding {
    return {
      projection: this.#generation.projection,
      place: this.#place,
      cache: this.#cache,
      opener: this.#opener,
      term: this.record.term,
      to,
      redo: redo !== undefined,
    }
  }

  #obeys(parked: readonly bigint[], intent: Intent): void {
    const named = new Set(intent.parked)
    const unnamed = parked.find((position) => !named.has(position))
    if (unnamed === undefined) return
    throw new Stalled(
      'REDO_DIFFERS',
      `${this.#owner}: position ${unnamed} could be decoded when its batch was begun and can't be now`,
      'run the release that began the batch, or give back the schema it was written with',
    )
  }

  /** Steps 5 to 7. */
  async #write(batch: FoldedBatch, intent: Intent, bodies: readonly LandingBody[]): Promise<void> {
    const { deadLetters, states, at } = this.#ports
    const { generation, topic, partition } = this.key
    if (batch.parked.length > 0) {
      await this.#until('dead letters', () => deadLetters.park(generation, topic, partition, batch.parked))
    }
    await at('dead-letters.written')
    await this.#insert(bodies, intent)
    await at('rows.inserted')
    if (states !== undefined) await this.#erase(states, batch)
    await at('states.erased')
    if (states !== undefined) await this.#upsert(states, batch)
    await at('states.upserted')
  }

  /** Repeats an insert until it is acknowledged, but never beyond what its token can be trusted for. */
  async #insert(bodies: readonly LandingBody[], intent: Intent): Promise<void> {
    const { analytics, database } = this.#ports
    for (const [i, body] of bodies.entries()) {
      if (i > 0) await this.#ports.at('rows.half-inserted')
      let attempts = 0
      const answer = await this.#until(`analytics (${body.landing.name})`, async () => {
        if (attempts++ > 0 && (await this.#tokens.forgotten(intent))) throw this.#tokens.stall(intent)
        return analytics.insert({
          table: `${database}.${body.landing.name}`,
          owner: this.key,
          term: this.record.term,
          token: `${this.#owner}/${intent.from}-${intent.to}`,
          columns: body.columns,
          body: body.bytes(),
          rows: body.rows,
        })
      })
      if (answer === 'refused') throw new StaleOwner('landing tables')
    }
  }

  /**
   * After the rows were taken back, for a redo finds them by their states; before the upserts, which are newer than what
   * is erased and stay.
   */
  async #erase(states: StateTable, { erasures }: FoldedBatch): Promise<void> {
    for (const [i, { partition, position }] of erasures.entries()) {
      if (i > 0) await this.#ports.at('states.half-erased')
      await this.#until('states', () => states.erase(partition, position))
      this.#cache?.forget(partition)
    }
  }

  async #upsert(states: StateTable, batch: FoldedBatch): Promise<void> {
    const size = STORE_LIMITS.upsertRowsMax
    for (let i = 0; i < batch.upserts.length; i += size) {
      const rows = batch.upserts.slice(i, i + size)
      await this.#until('states', () => states.upsert(rows))
    }
    this.#cache?.remember(batch.states)
  }

  /** Step 8. */
  async #advance(batch: FoldedBatch, intent: Intent): Promise<void> {
    const { term, revision, tally } = this.record
    const done: CommitRecord = {
      term,
      revision: revision + 1n,
      checkpoint: intent.to + 1n,
      tally: addTally(tally, batch.tally),
      audit: intent.audit,
    }
    await this.#swap('checkpoint', done)
    await this.#ports.at('checkpoint.set')
  }

  async #swap(what: string, next: CommitRecord): Promise<void> {
    const swap = await this.#until(what, () => this.#ports.commits.swap(this.key, this.record, next))
    if (!swap.swapped) throw new StaleOwner(what)
    this.#record = next
  }

  #tooManyParked(batch: FoldedBatch): Stalled {
    const first = batch.parked[0]!
    return new Stalled(
      'TOO_MANY_PARKED',
      `${this.#owner}: ${batch.parked.length} events of one batch can't be folded, the first at ${first.record.position}: ${first.detail}`,
      'that many is a fault of this release or of its registry, not of the events: mend it and restart the consumers; nothing was skipped',
    )
  }

  #until<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    return untilDone(what, attempt, this.#ports.world, this.#signal, this.waiting)
  }
}
