/** Every limit of the reading of CDNs' logs, by name. Those of batches, retries and rejected lines are cli/import's. */
export const INGEST_LIMITS = {
  /** Files of one call. */
  filesMax: 10_000,
  /** What gunzip hands on at once. */
  unzippedBytes: 256 * 1024,
  /** Names of fields that are remembered, so that each is looked up once; a log has some dozens. */
  namesMax: 1_000,
  /** How deep objects in JSON lines are read: `httpRequest.requestUrl` is two. */
  depthMax: 4,
  /** Text of one field that goes into a dimension. */
  dimensionCharsMax: 256,
} as const
