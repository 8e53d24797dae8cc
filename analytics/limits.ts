/** Every limit of analytics/, by name, in one place. `startAnalytics` takes another value for each. */
export interface AnalyticsLimits {
  /** SQL text, from the URL and from the body's head together. */
  readonly sqlBytesMax: number
  /** Rows in Values up to here may call functions: they are looked through first. */
  readonly valuesBytesMax: number
  /** A request's body, after decompression. */
  readonly bodyBytesMax: number
  /** Open HTTP connections; more are closed at once. */
  readonly connectionsMax: number
  readonly headersTimeoutMs: number
  /** How long a request may take to arrive, body and all. */
  readonly requestTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  /** Queries that wait for a free thread, per role; more get 503. */
  readonly queueMax: number
  readonly queueWaitMs: number
  /** Running queries, all roles; also held below Node's thread pool. */
  readonly queriesMax: number
  readonly sessionsMax: number
  readonly sessionTimeoutSeconds: number
  readonly sessionTimeoutMaxSeconds: number
  /** On close: how long running queries may still take before they are cancelled. */
  readonly drainMs: number
  readonly reader: QueryLimits
  readonly writer: QueryLimits
}

/** What one query may use. A request can only lower these. */
export interface QueryLimits {
  readonly executionSeconds: number
  readonly memoryBytes: number
  readonly resultRows: number
  readonly resultBytes: number
  readonly threads: number
  /** How far the system's scheduler puts its threads behind all others: 0 not at all, 19 most. */
  readonly nice: number
}

const MiB = 1024 * 1024

export const ANALYTICS_LIMITS: AnalyticsLimits = {
  sqlBytesMax: MiB,
  valuesBytesMax: 8 * MiB,
  bodyBytesMax: 512 * MiB,
  connectionsMax: 256,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 120_000,
  keepAliveTimeoutMs: 30_000,
  queueMax: 64,
  queueWaitMs: 10_000,
  queriesMax: 8,
  sessionsMax: 32,
  sessionTimeoutSeconds: 60,
  sessionTimeoutMaxSeconds: 3_600,
  drainMs: 10_000,
  reader: {
    executionSeconds: 30,
    memoryBytes: 1024 * MiB,
    resultRows: 10_000_000,
    resultBytes: 1024 * MiB,
    threads: 2,
    // Whoever asks too much slows neither inserts nor the rest of the machine: at 10 the API still felt it.
    nice: 19,
  },
  writer: {
    executionSeconds: 300,
    memoryBytes: 2048 * MiB,
    resultRows: 100_000_000,
    resultBytes: 4096 * MiB,
    threads: 2,
    nice: 0,
  },
}

/** A block may be this large, so that an insert of up to 100,000 rows is one block and its token means something. */
export const INSERT_BLOCK_ROWS = 1_048_449
