/**
 * Copies the keys of personal fields from one vault to another, as they are: what is sealed in the log stays readable.
 * Until the cut the lives of keys are the old vault's business; each round makes the new one the same again, so that a key
 * that was retired or destroyed meanwhile is so there, too.
 */
import type { KeptKey, MovableVault } from '../../stores/vault/movable.ts'
import { MIGRATE_LIMITS } from './limits.ts'

/** What the new vault has, as of which round. */
interface Known {
  state: KeptKey['state']
  round: number
}

export class KeyCopy {
  readonly #from: MovableVault
  readonly #to: MovableVault
  readonly #known = new Map<string, Known>()
  #round = 0

  private constructor(from: MovableVault, to: MovableVault) {
    this.#from = from
    this.#to = to
  }

  static async open(from: MovableVault, to: MovableVault): Promise<KeyCopy> {
    const copy = new KeyCopy(from, to)
    for await (const { keyId, state } of to.kept()) copy.#known.set(keyId, { state, round: 0 })
    return copy
  }

  /** How many keys the new vault has had before anything was copied to it. */
  get held(): number {
    return this.#known.size
  }

  async round(): Promise<void> {
    this.#round += 1
    let batch: KeptKey[] = []
    const adopt = async () => {
      await this.#to.adopt(batch)
      for (const { keyId, state } of batch) this.#known.set(keyId, { state, round: this.#round })
      batch = []
    }
    for await (const key of this.#from.kept()) {
      const known = this.#known.get(key.keyId)
      if (known !== undefined) known.round = this.#round
      if (known?.state === key.state) continue
      batch.push(key)
      if (batch.length >= MIGRATE_LIMITS.keysAtOnce) await adopt()
    }
    if (batch.length > 0) await adopt()
    const gone = [...this.#known].filter(([, { round }]) => round < this.#round).map(([keyId]) => keyId)
    if (gone.length > 0) await this.#to.destroy(gone)
    for (const keyId of gone) this.#known.delete(keyId)
  }
}
