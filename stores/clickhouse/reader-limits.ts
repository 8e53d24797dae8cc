/** Every limit of a reader, by name. */
export const READER_LIMITS = {
  timeoutMs: 10_000,
  /** The server ends a query by itself; who waits gives up this much later. */
  graceMs: 2_000,
  memoryBytesMax: 512 * 1024 * 1024,
  rowsReadMax: 50_000_000,
  resultRowsMax: 200_000,
  resultBytesMax: 64 * 1024 * 1024,
  threadsMax: 2,
  /** All else on the machine keeps its share while these run. */
  queriesAtOnceMax: 3,
  waitingMax: 64,
  waitMs: 5_000,
} as const
