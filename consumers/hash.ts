/** The audit's hash of one row: murmur3 (x86, 32 bits, seed 0) over UTF-8, as ClickHouse's murmurHash3_32 computes it. */
const encoder = new TextEncoder()
const scratch = new Uint8Array(4096)

export function rowHash(rowKey: string, version: bigint): bigint {
  return BigInt(rowHash32(rowKey, version))
}

export function rowHash32(rowKey: string, version: bigint | number): number {
  const text = `${rowKey}:${version}`
  const length = ascii(text)
  if (length === text.length) return murmur3(scratch, length)
  const bytes = encoder.encode(text)
  return murmur3(bytes, bytes.length)
}

/** Most keys are short and ASCII; answers how many of their bytes it wrote. */
function ascii(text: string): number {
  const end = Math.min(text.length, scratch.length)
  for (let i = 0; i < end; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return i
    scratch[i] = code
  }
  return end
}

export function murmur3(bytes: Uint8Array, length: number): number {
  let h = 0
  const whole = length & ~3
  for (let i = 0; i < whole; i += 4) {
    const k = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    h ^= scramble(k)
    h = (h << 13) | (h >>> 19)
    h = (Math.imul(h, 5) + 0xe6546b64) | 0
  }
  let tail = 0
  for (let i = length - 1; i >= whole; i--) tail = (tail << 8) | bytes[i]!
  if (whole < length) h ^= scramble(tail)
  h ^= length
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

function scramble(k: number): number {
  const a = Math.imul(k, 0xcc9e2d51)
  return Math.imul((a << 15) | (a >>> 17), 0x1b873593)
}
