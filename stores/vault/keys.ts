/** What the vault's engines have in common: how a key is made, and what may be asked for. */
import { randomBytes, randomUUID } from 'node:crypto'
import { StoreRefused } from '../errors.ts'
import type { VaultKey } from '../vault.ts'
import { VAULT_LIMITS } from './limits.ts'

/** Secrets are the one thing whose randomness is never an argument: a predictable one would seal nothing. */
export function makeKey(): VaultKey {
  return { keyId: randomUUID(), secret: randomBytes(VAULT_LIMITS.secretBytes) }
}

export function checkProfile(profileId: string): void {
  const bytes = Buffer.byteLength(profileId)
  if (bytes > 0 && bytes <= VAULT_LIMITS.profileIdBytesMax) return
  throw new StoreRefused(
    `a profile id of ${bytes} bytes: from 1 to profileIdBytesMax (${VAULT_LIMITS.profileIdBytesMax})`,
  )
}
