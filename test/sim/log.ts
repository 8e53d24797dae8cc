/**
 * The simulated log as one process sees it: the port over `SimLogServer`, with everything lost, late or paused that the
 * process's faults say.
 *
 * States: *open* → *closing* (waiting reads end, appends under way are waited for, members leave) → *closed*. From
 * closing on, every call is refused as unavailable.
 */
import { setMaxListeners } from 'node:events'
import { LogUnavailable } from '../../log/errors.ts'
import { LOG_LIMITS } from '../../log/limits.ts'
import type {
  EventLog,
  GroupListener,
  Membership,
  MirroredCheckpoint,
  NewRecord,
  Placed,
  Position,
  ReadAnswer,
  ReadRequest,
  TopicPartition,
  TopicSpec,
} from '../../log/log.ts'
import { Admission } from './admission.ts'
import type { SimLogServer } from './log-server.ts'
import { Line, type SimProcess } from './process.ts'

export interface LogClientOptions {
  /** How long an append may stay ambiguous. */
  readonly appendTimeoutMs?: number
}

export function simLog(server: SimLogServer, process: SimProcess, options: LogClientOptions = {}): EventLog {
  return new SimLog(server, process, options)
}

/** Reads under way that are told when the log closes. */
const READS_MAX = 1_000

const lost = () => new LogUnavailable('the simulated log did not answer')

class SimLog implements EventLog {
  readonly engine = 'sim'
  readonly #server: SimLogServer
  readonly #process: SimProcess
  readonly #appendTimeoutMs: number
  readonly #admission = new Admission()
  /** Appends arrive in the order in which they were sent. */
  readonly #line = new Line()
  readonly #appends = new Set<Promise<unknown>>()
  readonly #members = new Set<Membership>()
  readonly #closing = new AbortController()
  #closed: Promise<void> | undefined

  constructor(server: SimLogServer, process: SimProcess, options: LogClientOptions) {
    this.#server = server
    this.#process = process
    this.#appendTimeoutMs = options.appendTimeoutMs ?? LOG_LIMITS.appendTimeoutMs
    setMaxListeners(READS_MAX, this.#closing.signal)
  }

  async incarnation(): Promise<string> {
    this.#mustBeOpen()
    return this.#server.incarnation
  }

  ensureTopics(specs: readonly TopicSpec[]) {
    return this.#call(() => this.#server.ensure(specs))
  }

  topics() {
    return this.#call(() => this.#server.specs())
  }

  bounds(topic: string) {
    return this.#call(() => this.#server.bounds(topic))
  }

  trim(place: TopicPartition, before: Position) {
    return this.#call(() => this.#server.trim(place, before))
  }

  /** Does not travel: nothing reads it but lag tools, and it would be half of all that happens. */
  async mirror(group: string, checkpoints: readonly MirroredCheckpoint[]) {
    this.#mustBeOpen()
    this.#server.mirror(group, checkpoints)
  }

  mirrored(group: string) {
    return this.#call(() => this.#server.mirrored(group))
  }

  async append(records: readonly NewRecord[]): Promise<readonly Placed[]> {
    this.#mustBeOpen()
    if (records.length === 0) return []
    const release = this.#admission.admit(records)
    // The caller may use its buffers again while the records travel.
    const append = this.#send(records.map((record) => ({ ...record, value: Buffer.from(record.value) })))
    this.#appends.add(append)
    try {
      return await append
    } finally {
      this.#appends.delete(append)
      release()
    }
  }

  #send(records: readonly NewRecord[]): Promise<readonly Placed[]> {
    return new Promise((resolve, reject) => {
      const arrive = () => {
        this.#server.append(records, (placed) => this.#process.tell(() => resolve(placed)))
        this.#server.world.after(this.#appendTimeoutMs, () => this.#process.tell(() => reject(lost())))
      }
      this.#process.call(arrive, lost, { line: this.#line, weather: this.#server.weather }).catch(reject)
    })
  }

  async read(request: ReadRequest): Promise<ReadAnswer> {
    const deadlineMs = this.#server.world.nowMs + request.waitMs
    const attempt = () => this.#call(() => this.#server.read(request))
    let answer = await attempt()
    while (mayGrow(answer, request) && (await this.#growth(request, answer.end, deadlineMs))) answer = await attempt()
    return answer
  }

  /** Whether there is more than was seen; false: the wait is over. */
  #growth({ topic, partition, signal }: ReadRequest, seen: Position, deadlineMs: number): Promise<boolean> {
    const { world } = this.#server
    const closing = this.#closing.signal
    if (world.nowMs >= deadlineMs || signal?.aborted === true || closing.aborted) return Promise.resolve(false)
    return new Promise((resolve) => {
      const done = (grown: boolean) => {
        stop()
        signal?.removeEventListener('abort', over)
        closing.removeEventListener('abort', over)
        resolve(grown)
      }
      const over = () => done(false)
      const stop = this.#server.watch({ topic, partition }, seen, () => this.#process.tell(() => done(true)))
      signal?.addEventListener('abort', over)
      closing.addEventListener('abort', over)
      world.after(deadlineMs - world.nowMs, () => {
        stop()
        this.#process.tell(over)
      })
    })
  }

  async join(group: string, topics: readonly string[], listener: GroupListener): Promise<Membership> {
    const joined = await this.#call(() => this.#server.group(group).join(this.#process, topics, listener))
    joined.known()
    if (this.#closed !== undefined) {
      await joined.leave()
      throw this.#refusal()
    }
    const member = {
      memberId: joined.memberId,
      assigned: () => joined.assigned(),
      leave: () => joined.leave().finally(() => this.#members.delete(member)),
    }
    this.#members.add(member)
    return member
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled(this.#appends)
    await Promise.all([...this.#members].map((member) => member.leave()))
  }

  async #call<T>(apply: () => T): Promise<T> {
    this.#mustBeOpen()
    return this.#process.call(apply, lost, { weather: this.#server.weather })
  }

  #mustBeOpen(): void {
    if (this.#closed !== undefined) throw this.#refusal()
  }

  #refusal(): LogUnavailable {
    return new LogUnavailable('this log has been closed')
  }
}

/** Nothing was found, and what is yet to come may be in reach. */
function mayGrow({ records, next }: ReadAnswer, { to }: ReadRequest): boolean {
  return records.length === 0 && (to === undefined || next <= to)
}
