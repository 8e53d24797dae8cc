/**
 * The vault: one secret for each profile, with which its personal fields are sealed in the log. It is truth, like the
 * log, and is backed up together with it. Destroying a key is what makes an erasure final: every copy of the log, every
 * backup of it included, says nothing personal of the profile any more.
 *
 * States of a profile's key: *none* → *alive* (made by whoever seals first; two makers agree on one) → *destroyed*, for
 * good; a profile that comes back after its erasure gets a new key id.
 *
 * What can fail: any call may reject with StoreUnavailable; the caller retries it. Nobody guesses: a key is destroyed
 * only if the vault said so.
 */
export interface VaultKey {
  /** Random, never reused: what the log holds beside the sealed bytes. */
  readonly keyId: string
  /** 32 bytes, for AES-256-GCM. Never logged. */
  readonly secret: Uint8Array
}

export type FoundKey = { readonly state: 'alive'; readonly secret: Uint8Array } | { readonly state: 'destroyed' }

export interface KeyVault {
  /** The living key of each profile, made where there is none; in the order asked. Durable when it resolves. */
  current(profileIds: readonly string[]): Promise<readonly VaultKey[]>
  /** By key id, in the order asked. An id that the vault never gave out is `destroyed`: the secret exists nowhere. */
  open(keyIds: readonly string[]): Promise<readonly FoundKey[]>
  /** Retires the profile's living key: the next `current` makes another. What it sealed can still be opened. */
  retire(profileId: string): Promise<readonly string[]>
  /** Destroys these keys, for good. Durable when it resolves. Repeating it changes nothing. */
  destroy(keyIds: readonly string[]): Promise<void>
  /** Keys of the profile that are retired and not yet destroyed. */
  retired(profileId: string): Promise<readonly string[]>
}
