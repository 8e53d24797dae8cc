/** Every limit of the title folds, by name: what the longest catalogue record may take of a row (stores' valueBytesMax). */
export const TITLE_LIMITS = {
  /** Of a list's JSON, in UTF-16 units; entries beyond are left out. */
  listLengthMax: 16_000,
  /** The same for a map. */
  mapLengthMax: 48_000,
} as const
