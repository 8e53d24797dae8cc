/**
 * One partition of one generation, from the moment it is assigned to the moment it is let go.
 *
 * States: *taking-over* → *redoing* (only if a batch was begun) → *reading* ↔ *delivering* → *stopped*. A build that ends
 * at a moment is *complete* when the log's clock has passed it, and stays so. From any of them: *stalled* (red: see errors.ts; an unexpected error is tried again from take-over, the others stay down until an
 * operator acts) and *stale* (somebody else owns it; if the group still says it is ours, take over again after a pause).
 *
 * Ownership: the worker owns its Delivery; nothing else touches the partition's tables. `drain` lets the batch under way
 * finish; `abandon` stops at once, and the next owner redoes what was half done.
 */
import type { Position, ReadAnswer, TopicPartition } from '../log/log.ts'
import type { CommitRecord } from '../stores/state.ts'
import { AUDIT_FROM_START, type AuditFinding, audit } from './audit.ts'
import { Delivery, type DeliveryPorts, type Prepared } from './delivery.ts'
import { Abandoned, StaleOwner, Stalled } from './errors.ts'
import type { Generation } from './generation.ts'
import { CONSUMER_LIMITS } from './limits.ts'
import { mayPass, untilDone } from './retry.ts'

export type WorkerState =
  | 'taking-over'
  | 'redoing'
  | 'reading'
  | 'delivering'
  | 'complete'
  | 'stale'
  | 'stalled'
  | 'stopped'

export interface WorkerStatus extends TopicPartition {
  readonly generation: string
  readonly state: WorkerState
  readonly checkpoint: bigint
  readonly end: bigint
  readonly lag: bigint
  readonly record: CommitRecord | undefined
  /** Records the log handed over, counted apart from the tally: the two must agree. */
  readonly read: bigint
  readonly inFlight: bigint
  readonly stalled: Stalled | undefined
  /** What the last audit found wrong; undefined when rows and record agree. */
  readonly finding: AuditFinding | undefined
  readonly waitingFor: string | undefined
  readonly retries: number
  readonly lastMovedMs: number
}

interface Read extends ReadAnswer {
  /** What comes next is after the moment at which the build ends. */
  readonly cut: boolean
}

interface Ahead {
  readonly answer: Read
  /** Undefined: nothing was there to read. */
  readonly prepared: Prepared | undefined
}

export interface WorkerLogger {
  info(what: object, message: string): void
  warn(what: object, message: string): void
  error(what: object, message: string): void
}

export class PartitionWorker {
  readonly place: TopicPartition
  readonly #generation: Generation
  readonly #ports: DeliveryPorts
  readonly #logger: WorkerLogger
  readonly #draining = new AbortController()
  readonly #abandoned = new AbortController()
  #delivery: Delivery | undefined
  #state: WorkerState = 'taking-over'
  #stalled: Stalled | undefined
  #end = 0n
  #read = 0n
  #inFlight = 0n
  #retriesBefore = 0
  /** Longer where an audit takes long: a keyed projection's looks at all of its rows. */
  #auditEveryMs: number = CONSUMER_LIMITS.auditEveryMs
  #audited = { atMs: 0, mark: AUDIT_FROM_START }
  #finding: AuditFinding | undefined
  #lastMovedMs: number
  #done: Promise<void> | undefined

  constructor(generation: Generation, place: TopicPartition, ports: DeliveryPorts, logger: WorkerLogger) {
    this.#generation = generation
    this.place = place
    this.#ports = ports
    this.#logger = logger
    this.#lastMovedMs = ports.world.nowMs()
    this.#audited.atMs = this.#lastMovedMs
  }

  start(): void {
    this.#done ??= this.#run()
  }

  /** Finishes the batch under way, then stops; after drainMs it is abandoned, and not waited for if it hangs. */
  async drain(): Promise<void> {
    this.#draining.abort()
    const finished = new AbortController()
    const patience = this.#ports.world.sleep(CONSUMER_LIMITS.drainMs, finished.signal)
    await Promise.race([this.#done, patience])
    this.abandon()
    finished.abort()
  }

  abandon(): void {
    this.#draining.abort()
    this.#abandoned.abort()
  }

  status(): WorkerStatus {
    const record = this.#delivery?.hasRecord === true ? this.#delivery.record : undefined
    const checkpoint = record?.checkpoint ?? 0n
    return {
      ...this.place,
      generation: this.#generation.id,
      state: this.#state,
      checkpoint,
      end: this.#end,
      lag: this.#end > checkpoint ? this.#end - checkpoint : 0n,
      record,
      read: this.#read,
      inFlight: this.#inFlight,
      stalled: this.#stalled,
      finding: this.#finding,
      waitingFor: this.#delivery?.waiting.waitingFor,
      retries: this.#retriesBefore + (this.#delivery?.waiting.retries ?? 0),
      lastMovedMs: this.#lastMovedMs,
    }
  }

  async #run(): Promise<void> {
    let failures = 0
    while (!this.#draining.signal.aborted) {
      try {
        await this.#own()
        failures = 0
      } catch (error) {
        await this.#ended(error, failures++)
      }
    }
    this.#state = 'stopped'
  }

  /** One ownership: take over, redo, then batch after batch until told to stop. */
  async #own(): Promise<void> {
    this.#retriesBefore += this.#delivery?.waiting.retries ?? 0
    const delivery = new Delivery(this.#generation, this.place, this.#ports, this.#abandoned.signal)
    this.#delivery = delivery
    this.#state = 'taking-over'
    await delivery.takeOver()
    this.#stalled = undefined
    this.#read = delivery.record.tally.read
    this.#state = 'redoing'
    if (delivery.record.intent !== undefined) {
      await delivery.redo()
      this.#read = delivery.record.tally.read
      this.#moved()
    }
    await this.#deliverOn(delivery)
  }

  async #deliverOn(delivery: Delivery): Promise<void> {
    const { world } = this.#ports
    let next = delivery.record.checkpoint as Position
    let ahead: Promise<Ahead> | undefined
    while (!this.#draining.signal.aborted) {
      this.#state = 'reading'
      const begunMs = world.nowMs()
      const { answer, prepared } = await (ahead ?? this.#prepareFrom(delivery, next))
      ahead = undefined
      this.#end = answer.end
      next = answer.next
      if (prepared === undefined && answer.cut) return await this.#complete()
      if (prepared === undefined) {
        this.#moved()
        await this.#auditIfDue(delivery)
        continue
      }
      this.#state = 'delivering'
      this.#inFlight = BigInt(answer.records.length)
      this.#read += this.#inFlight
      const full = answer.next < answer.end
      if (full) ahead = this.#prepareAhead(delivery, next)
      await delivery.deliver(prepared)
      this.#inFlight = 0n
      this.#moved()
      await this.#auditIfDue(delivery)
      // A clock that was set back meanwhile does not make it longer.
      const tookMs = Math.max(0, world.nowMs() - begunMs)
      const rest = this.#restMs(full, answer.records.length) - tookMs
      if (rest > 0) await world.sleep(rest, this.#draining.signal)
    }
    await ahead
  }

  /** How long a batch has to take, with what follows it. */
  #restMs(full: boolean, records: number): number {
    const { projection, build } = this.#generation
    const pacedMs = build?.recordsPerSecond === undefined ? 0 : (records * 1_000) / build.recordsPerSecond
    return Math.max(full ? 0 : projection.batchMs, pacedMs)
  }

  /** All that there is to fold is folded; it keeps the partition, so that nobody else looks at it again. */
  async #complete(): Promise<void> {
    this.#state = 'complete'
    while (!this.#draining.signal.aborted) {
      this.#moved()
      await this.#ports.world.sleep(CONSUMER_LIMITS.completeLookMs, this.#draining.signal)
    }
  }

  async #prepareFrom(delivery: Delivery, next: Position): Promise<Ahead> {
    const answer = await this.#readFrom(next)
    return { answer, prepared: answer.records.length === 0 ? undefined : await delivery.prepare(answer.records) }
  }

  /** While the batch before is being written; its failure is met when it is awaited. */
  #prepareAhead(delivery: Delivery, next: Position): Promise<Ahead> {
    const ahead = this.#prepareFrom(delivery, next)
    ahead.catch((error: unknown) =>
      this.#logger.warn({ ...this.place, error: String(error) }, 'preparing ahead failed'),
    )
    return ahead
  }

  async #readFrom(from: Position): Promise<Read> {
    const { log, world } = this.#ports
    const { batchBytesMax: bytesMax, readWaitMs: waitMs } = CONSUMER_LIMITS
    const { keyed, batchRecordsMax } = this.#generation.projection
    const usual = keyed === undefined ? CONSUMER_LIMITS.batchRecordsMax : CONSUMER_LIMITS.keyedBatchRecordsMax
    const recordsMax = batchRecordsMax ?? usual
    const request = { ...this.place, from, bytesMax, recordsMax, waitMs, signal: this.#draining.signal }
    const waiting = this.#delivery!.waiting
    const answer = await untilDone('log', () => log.read(request), world, this.#abandoned.signal, waiting)
    return upTo(answer, this.#generation.build?.untilMs)
  }

  /** Between two batches, when nothing of ours is under way. A journal is audited from where it was audited before. */
  async #auditIfDue(delivery: Delivery): Promise<void> {
    const { analytics, database, world, forgets } = this.#ports
    const begunMs = world.nowMs()
    // Rows that grew too old are gone and still in the sum.
    if (forgets || begunMs - this.#audited.atMs < this.#auditEveryMs) return
    const { projection } = this.#generation
    const { record, key } = delivery
    const mark = projection.keyed === undefined ? this.#audited.mark : AUDIT_FROM_START
    try {
      const finding = await audit(analytics, this.#generation, database, key, record, mark)
      this.#finding = finding
      if (finding !== undefined)
        this.#logger.error({ ...finding.key, finding: shown(finding) }, 'audit: rows are not what was committed')
      const audited = { checkpoint: record.checkpoint, sum: record.audit }
      this.#audited = { atMs: world.nowMs(), mark: finding === undefined ? audited : AUDIT_FROM_START }
      const pausedMs = (world.nowMs() - begunMs) * CONSUMER_LIMITS.auditPauses
      this.#auditEveryMs = Math.max(CONSUMER_LIMITS.auditEveryMs, pausedMs)
    } catch (error) {
      if (!mayPass(error)) throw error
      this.#audited = { ...this.#audited, atMs: world.nowMs() }
      this.#logger.warn({ ...this.place, error: error.message }, 'audit put off')
    }
  }

  #moved(): void {
    this.#lastMovedMs = this.#ports.world.nowMs()
  }

  async #ended(error: unknown, failures: number): Promise<void> {
    const { world } = this.#ports
    this.#inFlight = 0n
    if (error instanceof Abandoned) return
    if (error instanceof StaleOwner) {
      this.#state = 'stale'
      this.#logger.info({ ...this.place, generation: this.#generation.id }, error.message)
      await world.sleep(CONSUMER_LIMITS.stalePauseMs * (1 + world.random()), this.#draining.signal)
      return
    }
    this.#state = 'stalled'
    this.#stalled = error instanceof Stalled ? error : unexpected(error)
    const { code, message, remedy } = this.#stalled
    this.#logger.error({ ...this.place, generation: this.#generation.id, code, remedy, err: error }, message)
    const pauseMs = Math.min(CONSUMER_LIMITS.retryMaxMs * 2 ** Math.min(failures, 4), CONSUMER_LIMITS.restartAfterMs)
    const before = this.#delivery?.hasRecord === true ? this.#delivery.record.revision : undefined
    do await world.sleep(pauseMs, this.#draining.signal)
    while (code !== 'UNEXPECTED' && !this.#draining.signal.aborted && !(await this.#repaired(before)))
  }

  /** An operator's repair shows in the commit record: then this worker may try again. */
  async #repaired(before: bigint | undefined): Promise<boolean> {
    try {
      const record = await this.#ports.commits.read({ generation: this.#generation.id, ...this.place })
      return record?.revision !== before
    } catch (error) {
      if (!mayPass(error)) throw error
      return false
    }
  }
}

/** The log's clock is the running maximum of the records' times: what follows the first later record is later too. */
function upTo(answer: ReadAnswer, untilMs: number | undefined): Read {
  const later = untilMs === undefined ? -1 : answer.records.findIndex(({ timestampMs }) => timestampMs > untilMs)
  if (later < 0) return { ...answer, cut: false }
  const next = answer.records[later]!.position
  return { records: answer.records.slice(0, later), next, end: next, cut: true }
}

function unexpected(error: unknown): Stalled {
  const message = error instanceof Error ? error.message : String(error)
  return new Stalled(
    'UNEXPECTED',
    message,
    'it is tried again by itself; if it stays, report it with `playhead diagnose`',
    {
      cause: error,
    },
  )
}

function shown({ checkpoint, expected, found }: AuditFinding): Record<string, string> {
  return { checkpoint: String(checkpoint), expected: String(expected), found: String(found) }
}
