/** Every limit of cli/tape/, by name. */
export const TAPE_LIMITS = {
  /** Of a recording or a tape; a session of an hour takes a few megabytes. */
  fileBytesMax: 64 * 1024 * 1024,
} as const
