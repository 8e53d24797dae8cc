/** Reads a file or a buffer through a window: what was read stays until it is taken, so that it can be passed on. */
import { readSync } from 'node:fs'

export interface ByteSource {
  isAtEnd(): boolean
  readVarint(): number
  readUInt64(): number
  /** A varint and as many bytes, as UTF-8. */
  readText(): string
  /** All that was read since the last take. */
  take(): Buffer
  /** Everything read so far, then the next `count` bytes, in pieces. */
  pass(count: number): Generator<Buffer>
  /** The next `count` texts, in pieces. */
  passTexts(count: number): Generator<Buffer>
}

const WINDOW_BYTES = 256 * 1024

export function bufferSource(bytes: Uint8Array): ByteSource {
  return createSource(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), () => Buffer.alloc(0))
}

/** The caller closes `fd`. Reads are short and from the page cache: the file was written a moment ago. */
export function fileSource(fd: number): ByteSource {
  return createSource(Buffer.alloc(0), () => {
    const chunk = Buffer.allocUnsafe(WINDOW_BYTES)
    return chunk.subarray(0, readSync(fd, chunk, 0, WINDOW_BYTES, null))
  })
}

function createSource(first: Buffer, more: () => Buffer): ByteSource {
  let window = first
  let taken = 0
  let at = 0

  const fill = (): boolean => {
    const chunk = more()
    if (chunk.length === 0) return false
    window = taken === window.length ? chunk : Buffer.concat([window.subarray(taken), chunk])
    at -= taken
    taken = 0
    return true
  }
  const need = (count: number): void => {
    while (window.length - at < count) if (!fill()) throw new Error('the result ends in the middle of a block')
  }
  const take = (): Buffer => {
    const piece = window.subarray(taken, at)
    taken = at
    return piece
  }
  const readVarint = (): number => {
    let value = 0
    for (let shift = 1; ; shift *= 128) {
      need(1)
      const byte = window[at++] ?? 0
      value += (byte & 127) * shift
      if (byte < 128) return value
    }
  }
  function* pass(count: number): Generator<Buffer> {
    let left = count
    while (left > 0) {
      if (at === window.length) {
        yield take()
        need(1)
      }
      const step = Math.min(left, window.length - at)
      at += step
      left -= step
    }
    if (at > taken) yield take()
  }

  return {
    isAtEnd: () => at === window.length && !fill(),
    readVarint,
    readUInt64() {
      need(8)
      at += 8
      return Number(window.readBigUInt64LE(at - 8))
    },
    readText() {
      const size = readVarint()
      need(size)
      at += size
      return window.toString('utf8', at - size, at)
    },
    take,
    pass,
    *passTexts(count) {
      for (let row = 0; row < count; row += 1) {
        const size = readVarint()
        if (at + size <= window.length) at += size
        else yield* pass(size)
      }
      if (at > taken) yield take()
    },
  }
}
