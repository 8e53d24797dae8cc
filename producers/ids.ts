/**
 * Event ids. UUIDv7 where the first writer mints one; UUIDv8 where the same input must give the same id again (an
 * idempotency key, a line of a file, a position of the log), so that writing it twice adds nothing.
 */
import { createHash } from 'node:crypto'

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
  const hash = createHash('sha256')
  for (const part of parts) {
    // The length keeps ('ab','c') apart from ('a','bc').
    hash.update(`${Buffer.byteLength(part)}:`).update(part)
  }
  return withVersion(hash.digest().subarray(0, 16), 8)
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** Lower case only: an id is compared byte by byte. */
export function isEventId(text: string): boolean {
  return UUID.test(text)
}

function withVersion(bytes: Buffer, version: number): string {
  bytes[6] = (bytes[6]! & 0x0f) | (version << 4)
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
