/** Every limit of the vault's engines, by name, in one place. */
export const VAULT_LIMITS = {
  secretBytes: 32,
  /** Profile ids, in bytes: below LMDB's longest key. */
  profileIdBytesMax: 1_200,
  /** Attempts to agree with other makers, or with a retirement that goes on meanwhile, before the caller is asked back. */
  roundsMax: 5,
  /** Look-ups of one call that are under way at once (Cassandra). */
  inFlightMax: 64,
  keyIdCharsMax: 128,
  /** Keys of one page when a vault is read whole (Cassandra). */
  keysAtOnce: 512,
  /** Slots that a process takes for itself at a time (embedded): what is left of them when it ends stays empty. */
  slotsTaken: 256,
} as const
