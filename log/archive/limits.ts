/** Every limit of log/archive/, by name, in one place. */
export const ARCHIVE_LIMITS = {
  /** A block before it is deflated: what a reader inflates to find one record. */
  blockBytesMax: 256 * 1024,
  blockRecordsMax: 4_096,
  /** A day of a partition is several files beyond this: little is done again when a run is cut off. */
  fileBytesMax: 128 * 1024 * 1024,
  fileRecordsMax: 2_000_000,
  /** A block that claims more, on disk or inflated, is damaged. */
  blockReadBytesMax: 64 * 1024 * 1024,
  headerBytesMax: 64 * 1024,
  manifestBytesMax: 256 * 1024 * 1024,
  /** Finished files wait this long to be noted together: a manifest is written whole each time. */
  noteEveryMs: 1_000,
  readRecordsMax: 5_000,
  readBytesMax: 4 * 1024 * 1024,
  /** Blocks kept decoded, and files whose blocks are known, by a reader of the archive. */
  openBlocksMax: 24,
  openFilesMax: 64,
  /** The live log's bounds are asked for no more often than this while the archive is read. */
  boundsEveryMs: 500,
} as const
