/**
 * Randomness in small portions. Every event id wants ten bytes and a call into the system costs more than all the rest
 * of stamping an event, so the system is asked for many at once. Each byte is handed out once.
 */
import type { RandomBytes } from './ids.ts'
import { PRODUCER_LIMITS } from './limits.ts'

export function pooledRandom(fill: RandomBytes): RandomBytes {
  const pool = Buffer.alloc(PRODUCER_LIMITS.randomPoolBytes)
  let next = pool.length
  return (bytes) => {
    if (bytes.length > pool.length) {
      fill(bytes)
      return
    }
    if (next + bytes.length > pool.length) {
      fill(pool)
      next = 0
    }
    bytes.set(pool.subarray(next, next + bytes.length))
    // What was handed out is nobody else's, and not to be found in memory later.
    pool.fill(0, next, next + bytes.length)
    next += bytes.length
  }
}
