/**
 * Which partition a key lives in: exactly what Kafka's Java client answers, so that both engines, and programs by
 * others that write to our topics, put a key's records into the same partition.
 */

const SEED = 0x9747b28c
const M = 0x5bd1e995

/** Kafka's murmur2 (32 bits, signed), over a key's bytes. */
export function murmur2(bytes: Uint8Array, length: number = bytes.length): number {
  let h = SEED ^ length
  const whole = length & ~3
  for (let i = 0; i < whole; i += 4) {
    let k = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    k = Math.imul(k, M)
    k ^= k >>> 24
    h = Math.imul(h, M) ^ Math.imul(k, M)
  }
  const rest = length - whole
  if (rest >= 3) h ^= bytes[whole + 2]! << 16
  if (rest >= 2) h ^= bytes[whole + 1]! << 8
  if (rest >= 1) h = Math.imul(h ^ bytes[whole]!, M)
  h = Math.imul(h ^ (h >>> 13), M)
  return h ^ (h >>> 15)
}

/** For a key that is already encoded. */
export function partitionOfBytes(key: Uint8Array, partitions: number, length: number = key.length): number {
  // Java's toPositive drops the sign bit; Math.abs would send other keys elsewhere.
  return (murmur2(key, length) & 0x7fffffff) % partitions
}

// Three bytes of UTF-8 for each UTF-16 unit is the worst case; longer keys take the slow path.
const SCRATCH_UNITS = 512
const scratch = Buffer.allocUnsafeSlow(SCRATCH_UNITS * 3)

export function partitionOf(key: string, partitions: number): number {
  if (key.length > SCRATCH_UNITS) return partitionOfBytes(Buffer.from(key, 'utf8'), partitions)
  return partitionOfBytes(scratch, partitions, scratch.write(key, 0, 'utf8'))
}
