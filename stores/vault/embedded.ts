/**
 * The vault of one machine: an LMDB environment of its own and a file of secrets, which all roles open. Only their owner
 * may read them.
 *
 * A profile's entry names its living key and those that are retired; a key's entry says whose it is and in which slot its
 * secret lies (slots.ts). A secret is on the disk before any entry names it, and it is zeroed before its entry goes: what
 * a crash leaves in between is an empty or nameless slot, and both read as destroyed.
 *
 * What can fail: as in the state store, a write that did not fit changed nothing (StoreFull, StoreUnavailable).
 */
import { randomUUID } from 'node:crypto'
import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import { explain } from '../embedded/environment.ts'
import { StoreRefused, StoreUnavailable } from '../errors.ts'
import type { FoundKey, VaultKey } from '../vault.ts'
import { checkProfile, makeKey } from './keys.ts'
import { VAULT_LIMITS } from './limits.ts'
import type { KeptKey, MovableVault } from './movable.ts'
import { Slots } from './slots.ts'

/** Which keys there are, and their secrets. A backup copies them in this order. */
export const VAULT_FILES = { index: 'vault.mdb', secrets: 'vault.secrets' } as const

export interface EmbeddedVault extends MovableVault {
  /** Of this vault and all its backups, and of no other. */
  identity(): string
  /** Every key that is not destroyed. */
  keyIds(): readonly string[]
}

interface Profile {
  readonly living?: string
  readonly retired: readonly string[]
}

interface Entry {
  readonly profileId: string
  readonly slot: number
}

type Part = Database<unknown, string>

export async function openEmbeddedVault({ dir }: { readonly dir: string }): Promise<EmbeddedVault> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const path = join(dir, VAULT_FILES.index)
  const root = open<unknown, string>({
    path,
    encoding: 'json',
    maxDbs: 8,
    overlappingSync: false,
    // As in the state store: with it on, lmdb makes promises that nobody can catch.
    eventTurnBatching: false,
  })
  await Promise.all([chmod(path, 0o600), chmod(`${path}-lock`, 0o600)])
  const vault = new Vault(root, await Slots.open(join(dir, VAULT_FILES.secrets)))
  await vault.identify()
  return vault
}

class Vault implements EmbeddedVault {
  readonly #root: RootDatabase<unknown, string>
  readonly #slots: Slots
  readonly #profiles: Part
  readonly #keys: Part
  readonly #meta: Part
  #taken = { next: 0, end: 0 }
  #closing: Promise<void> | undefined

  constructor(root: RootDatabase<unknown, string>, slots: Slots) {
    this.#root = root
    this.#slots = slots
    const part = (name: string): Part => root.openDB<unknown, string>({ name, encoding: 'json' })
    this.#profiles = part('profiles')
    this.#keys = part('keys')
    this.#meta = part('meta')
  }

  async identify(): Promise<void> {
    if (this.#meta.get('identity') !== undefined) return
    const made = randomUUID()
    await this.#write(() => {
      if (this.#meta.get('identity') === undefined) void this.#meta.put('identity', made)
    })
  }

  identity(): string {
    this.#latest()
    return String(this.#meta.get('identity'))
  }

  keyIds(): readonly string[] {
    this.#latest()
    return [...this.#keys.getKeys()].filter((keyId) => this.#secret(keyId) !== undefined)
  }

  async current(profileIds: readonly string[]): Promise<readonly VaultKey[]> {
    for (const profileId of profileIds) checkProfile(profileId)
    this.#latest()
    const missing = new Set(profileIds.filter((profileId) => this.#living(profileId) === undefined))
    if (missing.size > 0) await this.#make([...missing])
    this.#latest()
    return profileIds.map((profileId) => this.#living(profileId) ?? this.#gone(profileId))
  }

  async open(keyIds: readonly string[]): Promise<readonly FoundKey[]> {
    this.#latest()
    return keyIds.map((keyId): FoundKey => {
      const secret = this.#secret(keyId)
      return secret === undefined ? { state: 'destroyed' } : { state: 'alive', secret }
    })
  }

  async retire(profileId: string): Promise<readonly string[]> {
    checkProfile(profileId)
    return this.#write(() => {
      const { living, retired } = this.#profile(profileId)
      if (living === undefined) return retired
      const all = [...retired, living]
      this.#keep(profileId, { retired: all })
      return all
    })
  }

  async destroy(keyIds: readonly string[]): Promise<void> {
    this.#latest()
    const entries = keyIds.flatMap((keyId) => this.#entry(keyId) ?? [])
    if (entries.length === 0) return
    await this.#slots.destroy(entries.map(({ slot }) => slot))
    await this.#write(() => {
      for (const keyId of keyIds) this.#remove(keyId)
    })
  }

  async retired(profileId: string): Promise<readonly string[]> {
    checkProfile(profileId)
    this.#latest()
    return this.#profile(profileId).retired
  }

  async *kept(): AsyncIterable<KeptKey> {
    for (const keyId of this.keyIds()) {
      const entry = this.#entry(keyId)
      const secret = entry && this.#slots.read(entry.slot)
      if (entry === undefined || secret === undefined) continue
      const { profileId } = entry
      yield { profileId, keyId, secret, state: this.#profile(profileId).living === keyId ? 'living' : 'retired' }
    }
  }

  async adopt(keys: readonly KeptKey[]): Promise<void> {
    for (const { profileId } of keys) checkProfile(profileId)
    this.#latest()
    const missing = keys.filter(({ keyId }) => this.#entry(keyId) === undefined)
    const first = missing.length === 0 ? 0 : await this.#take(missing.length)
    await this.#slots.write(missing.map(({ secret }, i) => [first + i, secret]))
    await this.#write(() => {
      for (const [i, { profileId, keyId }] of missing.entries()) {
        void this.#keys.put(keyId, { profileId, slot: first + i } satisfies Entry)
      }
      for (const key of keys) this.#settle(key)
    })
  }

  close(): Promise<void> {
    this.#closing ??= Promise.all([this.#root.close(), this.#slots.close()]).then(() => undefined)
    return this.#closing
  }

  /** Writes secrets first, then their names; where somebody else was faster, theirs is the profile's key. */
  async #make(profileIds: readonly string[]): Promise<void> {
    const first = await this.#take(profileIds.length)
    const made = profileIds.map((profileId, i) => ({ profileId, slot: first + i, ...makeKey() }))
    await this.#slots.write(made.map(({ slot, secret }) => [slot, secret]))
    const late = await this.#write(() =>
      made.filter(({ profileId, slot, keyId }) => {
        if (this.#living(profileId) !== undefined) return true
        void this.#keys.put(keyId, { profileId, slot } satisfies Entry)
        this.#keep(profileId, { ...this.#profile(profileId), living: keyId })
        return false
      }),
    )
    if (late.length > 0) await this.#slots.destroy(late.map(({ slot }) => slot))
  }

  /** So many slots in a row, that are nobody else's. */
  async #take(count: number): Promise<number> {
    if (this.#taken.end - this.#taken.next < count) {
      const wanted = Math.max(count, VAULT_LIMITS.slotsTaken)
      const next = await this.#write(() => {
        const free = (this.#meta.get('slots') as number | undefined) ?? 0
        void this.#meta.put('slots', free + wanted)
        return free
      })
      // Another call may have taken slots meanwhile; what it left is given up.
      this.#taken = { next, end: next + wanted }
    }
    const first = this.#taken.next
    this.#taken.next += count
    return first
  }

  /** Retired by somebody in the moment since it was made: the caller asks again. */
  #gone(profileId: string): VaultKey {
    throw new StoreUnavailable(`the key of profile ${profileId} was retired in the moment it was made; try again`)
  }

  #living(profileId: string): VaultKey | undefined {
    const { living } = this.#profile(profileId)
    const secret = living === undefined ? undefined : this.#secret(living)
    return living === undefined || secret === undefined ? undefined : { keyId: living, secret }
  }

  /** Within a write. */
  #remove(keyId: string): void {
    const entry = this.#entry(keyId)
    if (entry === undefined) return
    const { living, retired } = this.#profile(entry.profileId)
    void this.#keys.remove(keyId)
    this.#keep(entry.profileId, {
      ...(living !== undefined && living !== keyId && { living }),
      retired: retired.filter((id) => id !== keyId),
    })
  }

  /** Within a write. */
  #settle({ profileId, keyId, state }: KeptKey): void {
    const { living, retired } = this.#profile(profileId)
    const others = retired.filter((id) => id !== keyId)
    if (state === 'living') this.#keep(profileId, { living: keyId, retired: others })
    else {
      const stays = living !== undefined && living !== keyId
      this.#keep(profileId, { ...(stays && { living }), retired: [...others, keyId] })
    }
  }

  #keep(profileId: string, profile: Profile): void {
    if (profile.living === undefined && profile.retired.length === 0) void this.#profiles.remove(profileId)
    else void this.#profiles.put(profileId, profile)
  }

  #profile(profileId: string): Profile {
    return (this.#profiles.get(profileId) as Profile | undefined) ?? { retired: [] }
  }

  #entry(keyId: string): Entry | undefined {
    // LMDB takes no empty key, and no key that was ever given out is that long.
    if (keyId === '' || keyId.length > VAULT_LIMITS.keyIdCharsMax) return undefined
    return this.#keys.get(keyId) as Entry | undefined
  }

  #secret(keyId: string): Uint8Array | undefined {
    const entry = this.#entry(keyId)
    return entry && this.#slots.read(entry.slot)
  }

  #latest(): void {
    if (this.#closing !== undefined) throw new StoreRefused('this vault is closed')
    this.#root.resetReadTxn()
  }

  async #write<T>(action: () => T): Promise<T> {
    this.#latest()
    try {
      return await this.#root.transaction(action)
    } catch (error) {
      throw await explain(error)
    }
  }
}
