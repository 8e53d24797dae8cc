/**
 * Text from bytes. Most strings of an event are short and come again and again (application, environment, profile,
 * title), so the last short string of each hash is kept and handed out again instead of being made anew: cheaper than
 * a call into the engine, and a batch of events shares its strings.
 */
const SHORT_BYTES = 16
const SLOTS = 2_048
const kept: (string | undefined)[] = new Array<string | undefined>(SLOTS).fill(undefined)

interface Slices {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
}

/** The bytes from `at` to `end` as UTF-8; they must lie within the buffer. */
export function textAt(bytes: Buffer, at: number, end: number): string {
  const length = end - at
  if (length > SHORT_BYTES) return (bytes as Buffer & Slices).utf8Slice(at, end)
  let hash = length
  for (let i = at; i < end; i++) {
    const byte = bytes[i] as number
    if (byte > 0x7f) return (bytes as Buffer & Slices).utf8Slice(at, end)
    hash = (Math.imul(hash, 31) + byte) | 0
  }
  const slot = (hash ^ (hash >>> 11)) & (SLOTS - 1)
  const known = kept[slot]
  if (known !== undefined && known.length === length && sameAscii(known, bytes, at)) return known
  const text = asciiAt(bytes, at, end)
  kept[slot] = text
  return text
}

function sameAscii(text: string, bytes: Buffer, at: number): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[at + i]) return false
  return true
}

/** Node's own slice for bytes that are known to be ASCII: half the cost of `toString`, and missing in its types. */
export function asciiAt(bytes: Buffer, at: number, end: number): string {
  return (bytes as Buffer & Slices).latin1Slice(at, end)
}
