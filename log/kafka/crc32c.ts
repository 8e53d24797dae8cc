/** CRC-32C (Castagnoli), as Kafka's record batches carry it; eight bytes a step ("slicing by 8"). */

const POLYNOMIAL = 0x82f63b78
const table = new Int32Array(8 * 256)
for (let i = 0; i < 256; i++) {
  let c = i
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ POLYNOMIAL : c >>> 1
  table[i] = c
}
for (let i = 256; i < table.length; i++) {
  const before = table[i - 256]!
  table[i] = (before >>> 8) ^ table[before & 0xff]!
}

export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let c = -1
  let i = start
  for (const whole = end - 7; i < whole; i += 8) {
    c ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    c =
      table[1792 + (c & 0xff)]! ^
      table[1536 + ((c >>> 8) & 0xff)]! ^
      table[1280 + ((c >>> 16) & 0xff)]! ^
      table[1024 + (c >>> 24)]! ^
      table[768 + bytes[i + 4]!]! ^
      table[512 + bytes[i + 5]!]! ^
      table[256 + bytes[i + 6]!]! ^
      table[bytes[i + 7]!]!
  }
  for (; i < end; i++) c = (c >>> 8) ^ table[(c ^ bytes[i]!) & 0xff]!
  return ~c >>> 0
}
