/** A vault whose keys can be taken to another one. */
import type { KeyVault } from '../vault.ts'

export interface KeptKey {
  readonly profileId: string
  readonly keyId: string
  /** Never logged. */
  readonly secret: Uint8Array
  readonly state: 'living' | 'retired'
}

export interface MovableVault extends KeyVault {
  /** Every key that is not destroyed. */
  kept(): AsyncIterable<KeptKey>
  /** Makes these keys what they are elsewhere: those that are missing are added, under their ids. Durable when it resolves. */
  adopt(keys: readonly KeptKey[]): Promise<void>
  close(): Promise<void>
}
