/** The vault in memory: as one process of a simulated run sees it, or, without a process, for tests that need just any vault. */
import { StoreRefused, StoreUnavailable } from '../../stores/errors.ts'
import { checkProfile, makeKey } from '../../stores/vault/keys.ts'
import { VAULT_LIMITS } from '../../stores/vault/limits.ts'
import type { FoundKey, KeyVault, VaultKey } from '../../stores/vault.ts'
import type { SimProcess } from './process.ts'
import { Weather } from './weather.ts'
import { type SimWorld, uuidBy } from './world.ts'

export class SimVaultServer {
  readonly secrets = new Map<string, Uint8Array>()
  /** The destroyed ones too: what a check opens with, which asks what there was to read. */
  readonly gone = new Set<string>()
  readonly everMade = new Map<string, Uint8Array>()
  readonly weather = new Weather()
  readonly #make: () => VaultKey
  readonly profiles = new Map<string, { living: string | undefined; retired: string[] }>()

  constructor(make: () => VaultKey = makeKey) {
    this.#make = make
  }

  current(profileId: string): VaultKey {
    const profile = this.profiles.get(profileId) ?? { living: undefined, retired: [] }
    const secret = profile.living === undefined ? undefined : this.secrets.get(profile.living)
    if (profile.living !== undefined && secret !== undefined) return { keyId: profile.living, secret }
    const made = this.#make()
    this.everMade.set(made.keyId, made.secret)
    this.secrets.set(made.keyId, made.secret)
    this.profiles.set(profileId, { ...profile, living: made.keyId })
    return made
  }

  open(keyId: string): FoundKey {
    const secret = this.secrets.get(keyId)
    return secret === undefined ? { state: 'destroyed' } : { state: 'alive', secret }
  }

  retire(profileId: string): readonly string[] {
    const { living, retired } = this.profiles.get(profileId) ?? { living: undefined, retired: [] }
    const all = living === undefined ? retired : [...retired, living]
    this.profiles.set(profileId, { living: undefined, retired: all })
    return all
  }

  /** Whether one of its keys is destroyed. */
  isGoneOf(profileId: string): boolean {
    return this.gone.has(profileId)
  }

  destroy(keyId: string): void {
    this.secrets.delete(keyId)
    for (const [profileId, profile] of this.profiles) {
      if (profile.retired.includes(keyId) || profile.living === keyId) this.gone.add(profileId)
      profile.retired = profile.retired.filter((id) => id !== keyId)
      if (profile.living === keyId) profile.living = undefined
    }
  }
}

/** Keys that a seed decides. */
export function keysBy({ chance }: SimWorld): () => VaultKey {
  return () => ({
    keyId: uuidBy(chance),
    secret: Uint8Array.from({ length: VAULT_LIMITS.secretBytes }, () => chance.below(256)),
  })
}

export function simVault(
  server: SimVaultServer = new SimVaultServer(),
  process?: SimProcess,
): KeyVault & { close(): Promise<void> } {
  let closed = false
  const call = async <T>(apply: () => T): Promise<T> => {
    if (closed) throw new StoreRefused('this vault is closed')
    if (process === undefined) return apply()
    return process.call(apply, () => new StoreUnavailable('the simulated vault did not answer'), {
      weather: server.weather,
    })
  }
  return {
    async current(profileIds) {
      for (const profileId of profileIds) checkProfile(profileId)
      return call(() => profileIds.map((profileId) => server.current(profileId)))
    },
    open: (keyIds) => call(() => keyIds.map((keyId) => server.open(keyId))),
    async retire(profileId) {
      checkProfile(profileId)
      return call(() => server.retire(profileId))
    },
    destroy: (keyIds) =>
      call(() => {
        for (const keyId of keyIds) server.destroy(keyId)
      }),
    retired: (profileId) => call(() => server.profiles.get(profileId)?.retired ?? []),
    async close() {
      closed = true
    },
  }
}
