/**
 * The vault of a cluster, two tables beside the states.
 *
 * `erasure_profiles` says which key of a profile is living and which are retired; it changes only by conditional writes
 * on one row, so that two makers agree. `erasure_keys` holds the secrets; a secret is written once, with write time 1,
 * before any profile names it, and destroyed once, with write time 2: no clock of any process decides between the two,
 * and an insert that arrives late brings nothing back.
 *
 * States of a key: *written* (nobody names it; a maker that lost the race leaves it so, or removes it) → *living* →
 * *retired* → *destroyed* (its row stays without the secret, so that a destruction that was cut off can be finished).
 *
 * What can fail: every call (StoreUnavailable). A conditional write whose answer was lost may be applied later; so the
 * key that it names is left alone, and the caller's next attempt finds it. Bytes of destroyed secrets leave the nodes'
 * disks with compaction, `gc_grace_seconds` later.
 */
import { StoreUnavailable } from '../errors.ts'
import { checkProfile, makeKey } from '../vault/keys.ts'
import { VAULT_LIMITS } from '../vault/limits.ts'
import type { KeptKey, MovableVault } from '../vault/movable.ts'
import type { FoundKey, VaultKey } from '../vault.ts'
import { inParallel } from './parallel.ts'
import { prepareKeyspace, type Replication, tableName } from './schema.ts'
import { type CassandraPlace, openSession, type Session } from './session.ts'

export interface CassandraVaultOptions extends CassandraPlace {
  readonly replication?: Replication
}

export type CassandraVault = MovableVault

interface Profile {
  readonly living: string | undefined
  readonly retired: readonly string[]
}

const WRITTEN = 1n
const DESTROYED = 2n

export async function openCassandraVault(options: CassandraVaultOptions): Promise<CassandraVault> {
  const session = await openSession(options)
  try {
    await prepareKeyspace(session, options.replication)
  } catch (error) {
    await session.close()
    throw error
  }
  return new Vault(session)
}

class Vault implements CassandraVault {
  readonly #session: Session
  readonly #profiles: string
  readonly #keys: string

  constructor(session: Session) {
    this.#session = session
    this.#profiles = tableName(session, 'erasure_profiles')
    this.#keys = tableName(session, 'erasure_keys')
  }

  async current(profileIds: readonly string[]): Promise<readonly VaultKey[]> {
    for (const profileId of profileIds) checkProfile(profileId)
    const distinct = new Set(profileIds)
    const found = new Map(
      await inParallel([...distinct], VAULT_LIMITS.inFlightMax, async (id) => [id, await this.#currentOf(id)] as const),
    )
    return profileIds.map((profileId) => found.get(profileId)!)
  }

  open(keyIds: readonly string[]): Promise<readonly FoundKey[]> {
    return inParallel(keyIds, VAULT_LIMITS.inFlightMax, async (keyId): Promise<FoundKey> => {
      const secret = await this.#secret(keyId)
      return secret === undefined ? { state: 'destroyed' } : { state: 'alive', secret }
    })
  }

  async retire(profileId: string): Promise<readonly string[]> {
    checkProfile(profileId)
    const retire = `UPDATE ${this.#profiles} SET key_id = null, retired = retired + ? WHERE profile_id = ? IF key_id = ?`
    for (let round = 0; round < VAULT_LIMITS.roundsMax; round++) {
      const { living, retired } = await this.#serial(profileId)
      if (living === undefined) return retired
      if (await this.#session.swap(retire, [[living], profileId, living])) return [...retired, living].sort()
    }
    throw contended()
  }

  async destroy(keyIds: readonly string[]): Promise<void> {
    const destroy = `UPDATE ${this.#keys} USING TIMESTAMP ${DESTROYED} SET secret = null WHERE key_id = ?`
    await inParallel(keyIds, VAULT_LIMITS.inFlightMax, async (keyId) => {
      if (keyId === '') return
      const [row] = await this.#session.read(`SELECT profile_id FROM ${this.#keys} WHERE key_id = ?`, [keyId])
      if (row === undefined) return
      await this.#session.write([{ query: destroy, params: [keyId] }])
      await this.#strike(row.get('profile_id') as string, keyId)
    })
  }

  async retired(profileId: string): Promise<readonly string[]> {
    checkProfile(profileId)
    return (await this.#serial(profileId)).retired
  }

  async *kept(): AsyncIterable<KeptKey> {
    const select = `SELECT key_id, profile_id, secret FROM ${this.#keys}`
    let next: string | undefined
    do {
      const page = await this.#session.readPage(select, [], next, VAULT_LIMITS.keysAtOnce)
      const found = await inParallel(page.rows, VAULT_LIMITS.inFlightMax, async (row): Promise<KeptKey | undefined> => {
        const [keyId, profileId] = [row.get('key_id') as string, row.get('profile_id') as string]
        const secret = row.get('secret') as Buffer | null
        if (secret === null) return undefined
        const { living, retired } = await this.#serial(profileId)
        const state = living === keyId ? 'living' : retired.includes(keyId) ? 'retired' : undefined
        // One that nobody names is a maker's that lost the race: it sealed nothing.
        return state && { profileId, keyId, secret, state }
      })
      for (const key of found) if (key !== undefined) yield key
      next = page.next
    } while (next !== undefined)
  }

  async adopt(keys: readonly KeptKey[]): Promise<void> {
    const insert = `INSERT INTO ${this.#keys} (key_id, profile_id, secret) VALUES (?, ?, ?) USING TIMESTAMP ${WRITTEN}`
    for (const { profileId } of keys) checkProfile(profileId)
    await inParallel(keys, VAULT_LIMITS.inFlightMax, async (key) => {
      const { keyId, profileId, secret } = key
      await this.#session.write([{ query: insert, params: [keyId, profileId, Buffer.from(secret)] }])
      await this.#settle(key)
    })
  }

  close(): Promise<void> {
    return this.#session.close()
  }

  /** Names an adopted key in its profile's row, as what it is. */
  async #settle({ profileId, keyId, state }: KeptKey): Promise<void> {
    const live = `UPDATE ${this.#profiles} SET key_id = ?, retired = retired - ? WHERE profile_id = ? IF key_id = ?`
    const rest = `UPDATE ${this.#profiles} SET key_id = ?, retired = retired + ? WHERE profile_id = ? IF key_id = ?`
    for (let round = 0; round < VAULT_LIMITS.roundsMax; round++) {
      const { living, retired } = await this.#serial(profileId)
      const now = living ?? null
      const named = retired.includes(keyId)
      if (state === 'living' ? living === keyId && !named : living !== keyId && named) return
      const next = state === 'living' ? keyId : living === keyId ? null : now
      if (await this.#session.swap(state === 'living' ? live : rest, [next, [keyId], profileId, now])) return
    }
    throw contended()
  }

  async #currentOf(profileId: string): Promise<VaultKey> {
    const select = `SELECT key_id FROM ${this.#profiles} WHERE profile_id = ?`
    const [row] = await this.#session.read(select, [profileId])
    const known = (row?.get('key_id') as string | null | undefined) ?? undefined
    const key = known === undefined ? undefined : await this.#keyOf(known)
    return key ?? this.#agree(profileId)
  }

  /** Makes a key unless there is one; the first whose name got into the profile's row is everybody's. */
  async #agree(profileId: string): Promise<VaultKey> {
    const insert = `INSERT INTO ${this.#keys} (key_id, profile_id, secret) VALUES (?, ?, ?) USING TIMESTAMP ${WRITTEN}`
    const name = `UPDATE ${this.#profiles} SET key_id = ? WHERE profile_id = ? IF key_id = null`
    for (let round = 0; round < VAULT_LIMITS.roundsMax; round++) {
      const { living } = await this.#serial(profileId)
      const found = living === undefined ? undefined : await this.#keyOf(living)
      if (found !== undefined) return found
      // Destroyed while it was living, and cut off before its name was struck.
      if (living !== undefined) await this.#strike(profileId, living)
      const made = makeKey()
      await this.#session.write([{ query: insert, params: [made.keyId, profileId, Buffer.from(made.secret)] }])
      if (await this.#session.swap(name, [made.keyId, profileId])) return made
      await this.#session.write([
        { query: `DELETE FROM ${this.#keys} USING TIMESTAMP ${DESTROYED} WHERE key_id = ?`, params: [made.keyId] },
      ])
    }
    throw contended()
  }

  /** Takes a destroyed key's name out of its profile's row. */
  async #strike(profileId: string, keyId: string): Promise<void> {
    const strike = `UPDATE ${this.#profiles} SET retired = retired - ? WHERE profile_id = ? IF EXISTS`
    const unname = `UPDATE ${this.#profiles} SET key_id = null WHERE profile_id = ? IF key_id = ?`
    const { living, retired } = await this.#serial(profileId)
    if (living === keyId) await this.#session.swap(unname, [profileId, keyId])
    if (retired.includes(keyId)) await this.#session.swap(strike, [[keyId], profileId])
  }

  async #keyOf(keyId: string): Promise<VaultKey | undefined> {
    const secret = await this.#secret(keyId)
    return secret && { keyId, secret }
  }

  async #secret(keyId: string): Promise<Uint8Array | undefined> {
    if (keyId === '') return undefined
    const [row] = await this.#session.read(`SELECT secret FROM ${this.#keys} WHERE key_id = ?`, [keyId])
    return (row?.get('secret') as Buffer | null | undefined) ?? undefined
  }

  async #serial(profileId: string): Promise<Profile> {
    const select = `SELECT key_id, retired FROM ${this.#profiles} WHERE profile_id = ?`
    const [row] = await this.#session.readSerial(select, [profileId])
    const living = (row?.get('key_id') as string | null | undefined) ?? undefined
    return { living, retired: [...((row?.get('retired') as string[] | null | undefined) ?? [])] }
  }
}

function contended(): StoreUnavailable {
  return new StoreUnavailable(`a profile's key changed under us ${VAULT_LIMITS.roundsMax} times; try again`)
}
