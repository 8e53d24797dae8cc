/**
 * Sealing: what points at a person is encrypted with the profile's own key before it gets into the log, and destroying
 * the key erases it in every copy of the log (docs/adr/0006). AES-256-GCM; the profile and the shape of what is inside
 * are authenticated with it, so that sealed fields moved to another profile's event do not open.
 *
 * The living keys a sealer remembers are its only state, bounded in number and in time (PRODUCER_LIMITS.livingKeyMs); what
 * an opener opened is the only state of that.
 * What can fail: the vault, and then nothing is sealed and nothing may be appended.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { decodePersonal, encodePersonal, PERSONAL_LABEL, type Personal, type Sealed } from '../schemas/index.ts'
import type { RandomBytes } from './ids.ts'
import { PRODUCER_LIMITS } from './limits.ts'

/** What sealing and opening need of the vault (stores/vault.ts). */
export interface LivingKeys {
  current(profileIds: readonly string[]): Promise<readonly SecretKey[]>
}
export interface FoundKeys {
  open(
    keyIds: readonly string[],
  ): Promise<readonly ({ readonly state: 'alive'; readonly secret: Uint8Array } | { readonly state: 'destroyed' })[]>
}
interface SecretKey {
  readonly keyId: string
  readonly secret: Uint8Array
}

export interface PersonalOf {
  readonly profileId: string
  readonly personal: Personal
}

export interface Sealer {
  /** In the order given. What is sealed already, or says nothing, comes back as it is. */
  seal(batch: readonly PersonalOf[]): Promise<readonly Personal[]>
}

export interface SealerOptions {
  readonly vault: LivingKeys
  readonly random: RandomBytes
  readonly nowMs: () => number
}

const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

export function createSealer({ vault, random, nowMs }: SealerOptions): Sealer {
  const living = new Map<string, Living>()

  async function keysOf(profileIds: ReadonlySet<string>): Promise<ReadonlyMap<string, Living>> {
    const found = new Map<string, Living>()
    const missing: string[] = []
    const beganMs = nowMs()
    for (const profileId of profileIds) {
      const held = living.get(profileId)
      if (held !== undefined && held.untilMs > beganMs) found.set(profileId, held)
      else missing.push(profileId)
    }
    if (missing.length === 0) return found
    const keys = await vault.current(missing)
    missing.forEach((profileId, i) => {
      const key = keys[i]!
      const before = living.get(profileId)
      const last = before?.key.keyId === key.keyId ? before.last : undefined
      // From before the look-up on: the vault may have answered at any moment since.
      const held: Living = { key, untilMs: beganMs + PRODUCER_LIMITS.livingKeyMs, last }
      found.set(profileId, held)
      living.delete(profileId)
      living.set(profileId, held)
    })
    for (const oldest of living.keys()) {
      if (living.size <= PRODUCER_LIMITS.livingKeysMax) break
      living.delete(oldest)
    }
    return found
  }

  return {
    async seal(batch) {
      const wanted = new Set<string>()
      for (const { profileId, personal } of batch) if (needsSeal(personal)) wanted.add(profileId)
      if (wanted.size === 0) return batch.map(({ personal }) => personal)
      const keys = await keysOf(wanted)
      return batch.map(({ profileId, personal }) => {
        if (!needsSeal(personal)) return personal
        const held = keys.get(profileId)!
        const plain = encodePersonal(personal)
        if (held.last?.plain.equals(plain) !== true) {
          held.last = { plain, personal: sealedAs(sealWith(held.key, profileId, plain, random)) }
        }
        return held.last.personal
      })
    },
  }
}

/** A profile's key, and what it sealed last: a player says the same of itself with every heartbeat. */
interface Living {
  readonly key: SecretKey
  readonly untilMs: number
  last: { readonly plain: Buffer; readonly personal: Personal } | undefined
}

export type Opened = Personal | 'undecryptable'

export interface Opener {
  /** One look-up for all of them. In the order given; what is not sealed comes back as it is. */
  open(batch: readonly PersonalOf[]): Promise<readonly Opened[]>
}

/** It remembers what it opened, boundedly, and asks for the key all the same: destroyed is destroyed. */
export function createOpener(vault: FoundKeys): Opener {
  const remembered = new Map<string, { readonly profileId: string; readonly bytes: Uint8Array; opened: Opened }>()

  function openOne(secret: Uint8Array | undefined, profileId: string, sealed: Sealed): Opened {
    if (secret === undefined) return 'undecryptable'
    const name = sealed.keyId + Buffer.from(sealed.nonce).toString('latin1')
    const found = remembered.get(name)
    if (found?.profileId === profileId && Buffer.compare(found.bytes, sealed.bytes) === 0) return found.opened
    const opened = openWith(secret, profileId, sealed)
    remembered.set(name, { profileId, bytes: sealed.bytes, opened })
    const [oldest] = remembered.keys()
    if (remembered.size > PRODUCER_LIMITS.openedMax) remembered.delete(oldest!)
    return opened
  }

  return {
    async open(batch) {
      const keyIds = [...new Set(batch.flatMap(({ personal }) => personal.sealed?.keyId ?? []))]
      if (keyIds.length === 0) return batch.map(({ personal }) => personal)
      const found = await vault.open(keyIds)
      const secrets = new Map<string, Uint8Array>()
      found.forEach((key, i) => {
        if (key.state === 'alive') secrets.set(keyIds[i]!, key.secret)
      })
      if (secrets.size < keyIds.length) remembered.clear()
      return batch.map(({ profileId, personal }) => {
        const { sealed } = personal
        return sealed === null ? personal : openOne(secrets.get(sealed.keyId), profileId, sealed)
      })
    },
  }
}

function needsSeal({ accountId, deviceId, userAgent, address, custom, sealed }: Personal): boolean {
  if (sealed !== null) return false
  if (accountId !== null || deviceId !== null || userAgent !== null || address !== null) return true
  return Object.keys(custom).length > 0
}

function sealedAs(sealed: Sealed): Personal {
  return { accountId: null, deviceId: null, userAgent: null, address: null, custom: {}, sealed }
}

function sealWith({ keyId, secret }: SecretKey, profileId: string, plain: Buffer, random: RandomBytes): Sealed {
  const nonce = Buffer.alloc(NONCE_BYTES)
  random(nonce)
  const cipher = createCipheriv(CIPHER, secret, nonce, { authTagLength: TAG_BYTES }).setAAD(beside(profileId))
  return { keyId, nonce, bytes: Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]) }
}

function openWith(secret: Uint8Array | undefined, profileId: string, { nonce, bytes }: Sealed): Opened {
  if (secret === undefined || nonce.length !== NONCE_BYTES || bytes.length < TAG_BYTES) return 'undecryptable'
  const end = bytes.length - TAG_BYTES
  try {
    const decipher = createDecipheriv(CIPHER, secret, nonce, { authTagLength: TAG_BYTES })
      .setAAD(beside(profileId))
      .setAuthTag(bytes.subarray(end))
    return decodePersonal(Buffer.concat([decipher.update(bytes.subarray(0, end)), decipher.final()]))
  } catch {
    // Not authentic: another key, another profile, or not what was sealed.
    return 'undecryptable'
  }
}

function beside(profileId: string): Buffer {
  return Buffer.from(`${PERSONAL_LABEL}\0${profileId}`)
}
