/** Every limit of schemas/, by name, in one place. */
export const SCHEMA_LIMITS = {
  /** Text without a `lengthMax` of its own, in UTF-16 units; checked on input, not on the wire. */
  textLengthMax: 1_024,
  itemsMax: 1_000,
  /** First size of the encoder's scratch buffer; a larger event gets a buffer of its own. */
  scratchBytes: 64 * 1024,
  /** Problems that are gathered for one bad input. */
  problemsMax: 10,
  /** Whole numbers up to here, of either sign, pass through Avro's zigzag in a double unchanged. */
  longMax: 2 ** 52 - 1,
  /** What ClickHouse's DateTime64(3) holds and JavaScript counts exactly: 1970 to 2299. */
  timestampMsMin: 0,
  timestampMsMax: 10_413_791_999_999,
  registryTimeoutMs: 5_000,
  registryAnswerBytesMax: 4 * 1024 * 1024,
  /** Unknown schema ids that are remembered as refused, so that a flood of garbage can't grow memory. */
  refusedIdsMax: 1_000,
  /** Schemas learnt from an external registry. */
  learntIdsMax: 10_000,
} as const
