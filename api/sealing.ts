/**
 * Sealing where the vault may be away. What a player sent is sealed or not stored at all: the caller gets 503 and sends
 * it again. What the engine adds of itself (the account of a token, the device of a report) is left out instead, because
 * a viewer's position must not be lost for it; how often that happened is counted.
 */
import type { Personal } from '../schemas/index.ts'
import type { Sealer } from './context.ts'
import { isAway } from './position.ts'

const NOTHING: Personal = { accountId: null, deviceId: null, userAgent: null, address: null, custom: {}, sealed: null }

export function orLeftOut(sealer: Sealer, leftOut: (count: number) => void): Sealer {
  return {
    async seal(batch) {
      try {
        return await sealer.seal(batch)
      } catch (error) {
        if (!isAway(error)) throw error
        leftOut(batch.length)
        return batch.map(() => NOTHING)
      }
    },
  }
}
