/**
 * Event ids. UUIDv7 where the first writer mints one; UUIDv8 where the same input must give the same id again (an
 * idempotency key, a line of a file, a position of the log), so that writing it twice adds nothing.
 */
import { hash } from 'node:crypto'

/** Fills the bytes with randomness; `crypto.getRandomValues` outside of tests and simulations. */
export type RandomBytes = (bytes: Uint8Array) => void

/** RFC 9562 §5.7: 48 bits of milliseconds, then 74 random bits. */
export function mintEventId(nowMs: number, random: RandomBytes): string {
  const bytes = Buffer.alloc(16)
  random(bytes)
  bytes.writeUIntBE(nowMs, 0, 6)
  return withVersion(bytes, 7)
}

/** RFC 9562 §5.8 (ours to fill): the first 122 bits of SHA-256 over the parts, each with its length before it. */
export function deriveEventId(...parts: readonly string[]): string {
  let text = ''
  // The length keeps ('ab','c') apart from ('a','bc').
  for (const part of parts) text += `${Buffer.byteLength(part)}:${part}`
  return withVersion(hash('sha256', text, 'buffer'), 8)
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** Lower case only: an id is compared byte by byte. */
export function isEventId(text: string): boolean {
  return UUID.test(text)
}

/** Two digits for each byte. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function withVersion(bytes: Uint8Array, version: number): string {
  const hex = (at: number) => HEX[bytes[at] as number] as string
  const seventh = HEX[((bytes[6] as number) & 0x0f) | (version << 4)] as string
  const ninth = HEX[((bytes[8] as number) & 0x3f) | 0x80] as string
  const times = `${hex(0)}${hex(1)}${hex(2)}${hex(3)}-${hex(4)}${hex(5)}-${seventh}${hex(7)}`
  return `${times}-${ninth}${hex(9)}-${hex(10)}${hex(11)}${hex(12)}${hex(13)}${hex(14)}${hex(15)}`
}
