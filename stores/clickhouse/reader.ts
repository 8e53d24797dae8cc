/**
 * ClickHouse, read only and within a budget: what the API asks with. Each query is *waiting* (bounded in number and
 * time) → *running* (so many at once; ended by its limits) → answered. Limits go with each request and never stay on a
 * connection; a server whose profile lets readers set nothing (readonly = 1) is asked without them from then on, and its
 * own profile has to bound its readers (docs/qoe.md).
 *
 * What can fail: QueryTooHeavy (the same query will fail again: ask for less), ReadersBusy, TablesMissing and
 * StoreUnavailable (it may succeed later), StoreRefused (a mistake in our SQL).
 */
import { type ClickHouseClient, ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { StoreError, StoreRefused } from '../errors.ts'
import { type ClickHouseOptions, tlsOf } from './clickhouse.ts'
import { storeErrorOf } from './errors.ts'
import { READER_LIMITS } from './reader-limits.ts'

/** The query was stopped by a limit: of time, memory, rows read or rows answered. */
export class QueryTooHeavy extends StoreError {
  constructor(message: string, options?: ErrorOptions) {
    super('QUERY_TOO_HEAVY', message, options)
  }
}

/** As many run and wait as may. ClickHouse is well: nobody should stop asking it for this. */
export class ReadersBusy extends StoreError {
  constructor(message: string) {
    super('READERS_BUSY', message)
  }
}

/** The consumers make the tables when they start; until then there is nothing to read. */
export class TablesMissing extends StoreError {
  constructor(message: string, options?: ErrorOptions) {
    super('TABLES_MISSING', message, options)
  }
}

/** Codes of ClickHouse for a query that a limit ended: time, rows, bytes, memory, result, group by, sets. */
const TOO_HEAVY = new Set(['158', '159', '160', '241', '307', '396', '191'])
const READONLY = '164'
const MISSING = new Set(['60', '81'])

export type ReaderOptions = Pick<ClickHouseOptions, 'url' | 'username' | 'password' | 'tls'>

export class ClickHouseReader {
  readonly #client: ClickHouseClient
  readonly #where: string
  readonly #slots = new Slots()
  #setsLimits = true

  constructor({ url, username, password, tls }: ReaderOptions) {
    this.#where = new URL(url).host
    this.#client = createClient({
      url,
      username,
      password,
      request_timeout: READER_LIMITS.timeoutMs + READER_LIMITS.graceMs,
      max_open_connections: READER_LIMITS.queriesAtOnceMax,
      keep_alive: { idle_socket_ttl: 2_500 },
      // A list of titles outgrows what a URL may hold; the body has room.
      use_multipart_params_auto: true,
      log: { level: ClickHouseLogLevel.OFF },
      ...tlsOf(tls),
    })
  }

  /** Parameters are typed in the text and never spliced into it. */
  async query<T>(
    sql: string,
    parameters: Readonly<Record<string, unknown>>,
    timeoutMs: number = READER_LIMITS.timeoutMs,
  ): Promise<readonly T[]> {
    return await this.#slots.run(() => this.#run<T>(sql, parameters, Math.min(timeoutMs, READER_LIMITS.timeoutMs)))
  }

  async close(): Promise<void> {
    await this.#client.close()
  }

  async #run<T>(sql: string, parameters: Readonly<Record<string, unknown>>, timeoutMs: number): Promise<readonly T[]> {
    const patience = AbortSignal.timeout(timeoutMs + READER_LIMITS.graceMs)
    const limits = this.#setsLimits ? limitsOf(timeoutMs) : {}
    try {
      const answer = await this.#client.query({
        query: sql,
        query_params: { ...parameters },
        format: 'JSONEachRow',
        clickhouse_settings: limits,
        abort_signal: patience,
      })
      return await answer.json<T>()
    } catch (error) {
      if (this.#setsLimits && mayNotSet(error)) {
        this.#setsLimits = false
        return await this.#run(sql, parameters, timeoutMs)
      }
      throw readErrorOf(error, this.#where, patience.aborted)
    }
  }
}

function limitsOf(timeoutMs: number) {
  return {
    max_execution_time: Math.ceil(timeoutMs / 1000),
    max_memory_usage: String(READER_LIMITS.memoryBytesMax),
    max_rows_to_read: String(READER_LIMITS.rowsReadMax),
    max_result_rows: String(READER_LIMITS.resultRowsMax),
    max_result_bytes: String(READER_LIMITS.resultBytesMax),
    max_threads: READER_LIMITS.threadsMax,
  }
}

/** A write is refused with the same code, and says nothing of settings. */
function mayNotSet(error: unknown): boolean {
  return error instanceof ClickHouseError && error.code === READONLY && error.message.includes('Cannot modify')
}

function readErrorOf(error: unknown, where: string, gaveUp: boolean): StoreError {
  if (error instanceof ClickHouseError && TOO_HEAVY.has(error.code)) {
    return new QueryTooHeavy(`a limit ended a query at ${where} (code ${error.code})`, { cause: error })
  }
  if (error instanceof ClickHouseError && MISSING.has(error.code)) {
    return new TablesMissing(`a table that is asked for is not at ${where} yet`, { cause: error })
  }
  // For a writer it passes (a disk that is read-only for a while); for a reader it is for good.
  if (error instanceof ClickHouseError && error.code === READONLY) {
    return new StoreRefused(`a reader at ${where} may not do this`, { cause: error })
  }
  if (gaveUp) return new QueryTooHeavy(`a query at ${where} was given up: no answer in its time`, { cause: error })
  return storeErrorOf(error, 'query', where)
}

/** So many at once; the others wait in the order they came, and not for ever. */
class Slots {
  readonly #waiting = new Set<() => void>()
  #running = 0

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= READER_LIMITS.queriesAtOnceMax) await this.#turn()
    else this.#running += 1
    try {
      return await work()
    } finally {
      this.#leave()
    }
  }

  /** Resolves with the slot of one that left: the count stays as it is. */
  #turn(): Promise<void> {
    if (this.#waiting.size >= READER_LIMITS.waitingMax) return Promise.reject(busy())
    return new Promise((resolve, reject) => {
      const start = () => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(start)
        reject(busy())
      }, READER_LIMITS.waitMs)
      this.#waiting.add(start)
    })
  }

  #leave(): void {
    const [first] = this.#waiting
    if (first === undefined) {
      this.#running -= 1
      return
    }
    this.#waiting.delete(first)
    first()
  }
}

function busy(): ReadersBusy {
  return new ReadersBusy(`${READER_LIMITS.queriesAtOnceMax} analytics queries run and as many wait as may`)
}
