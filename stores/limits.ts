/** Every limit of stores/, by name, in one place. */
export const STORE_LIMITS = {
  upsertRowsMax: 10_000,
  /** Key text and blobs together; below LMDB's longest key with room for the table's prefix. */
  keyBytesMax: 1_200,
  valueBytesMax: 1_000_000,
  listRowsMax: 10_000,
  /** One insert is one block, or its deduplication token means nothing. */
  insertRowsMax: 100_000,
  insertBytesMax: 128 * 1024 * 1024,
  /** Blocks whose tokens ClickHouse remembers, in every target table. */
  tokenWindowBlocks: 10_000,
  analyticsConnectionsMax: 32,
  requestTimeoutMs: 30_000,
} as const
