/**
 * The secrets of an embedded vault: a file of slots of 32 bytes, written in place. LMDB would leave copies of a removed
 * value behind, in pages it has set free and in the gaps of pages it still uses; here a secret has one place, and
 * destroying it writes over that place.
 *
 * States of a slot: *zero* → *written*, once, before anything names it → *zero*, for good. A slot lies within one sector of
 * a disk, so it is never half written; and none is ever used twice, so a name never leads to somebody else's secret.
 */
import { readSync } from 'node:fs'
import { constants, type FileHandle, open } from 'node:fs/promises'
import { storeFailure } from '../embedded/environment.ts'
import { VAULT_LIMITS } from './limits.ts'

const SIZE = VAULT_LIMITS.secretBytes

export class Slots {
  readonly #file: FileHandle
  /** A sync that has not begun yet, for all who wrote before it begins. */
  #nextSync: Promise<void> | undefined
  #lastSync: Promise<void> = Promise.resolve()

  private constructor(file: FileHandle) {
    this.#file = file
  }

  static async open(path: string): Promise<Slots> {
    return new Slots(await open(path, constants.O_RDWR | constants.O_CREAT, 0o600))
  }

  /** Undefined: nothing was written there, or it was destroyed. */
  read(slot: number): Uint8Array | undefined {
    const secret = Buffer.alloc(SIZE)
    const length = readSync(this.#file.fd, secret, 0, SIZE, slot * SIZE)
    return length === SIZE && secret.some((byte) => byte !== 0) ? secret : undefined
  }

  /** Durable when it resolves. */
  async write(secrets: readonly (readonly [slot: number, secret: Uint8Array])[]): Promise<void> {
    try {
      for (const [slot, secret] of secrets) await this.#file.write(secret, 0, SIZE, slot * SIZE)
      await this.#sync()
    } catch (error) {
      throw storeFailure(error)
    }
  }

  destroy(slots: readonly number[]): Promise<void> {
    const zero = Buffer.alloc(SIZE)
    return this.write(slots.map((slot) => [slot, zero]))
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  /** One sync at a time; whoever comes meanwhile shares the next. */
  #sync(): Promise<void> {
    this.#nextSync ??= this.#lastSync.then(() => {
      this.#nextSync = undefined
      const sync = this.#file.datasync()
      // Its failure is met by those who await it, and must not keep the next from beginning.
      this.#lastSync = sync.catch(() => undefined)
      return sync
    })
    return this.#nextSync
  }
}
