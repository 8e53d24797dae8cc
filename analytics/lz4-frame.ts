/** `Content-Encoding: lz4`, which clickhouse-connect sends with its inserts: LZ4's frame format, blocks linked or not. */
import { Transform, type TransformCallback } from 'node:stream'
import { refuse } from './errors.ts'
import { decodeBlock } from './lz4.ts'

const MAGIC = 0x184d2204
const HISTORY_BYTES = 64 * 1024
const BLOCK_BYTES: Readonly<Record<number, number>> = {
  4: 64 * 1024,
  5: 256 * 1024,
  6: 1024 * 1024,
  7: 4 * 1024 * 1024,
}

interface Frame {
  readonly blockBytes: number
  readonly isLinked: boolean
  readonly blockChecksumBytes: number
  readonly checksumBytes: number
}

/** States: between frames (frame undefined) → in a frame, block by block → its end mark → between frames. */
export function lz4FrameDecoder(): Transform {
  let pending: Buffer = Buffer.alloc(0)
  let frame: Frame | undefined
  let history: Buffer = Buffer.alloc(0)

  /** Takes one piece off `pending`; false if it isn't all here. */
  const step = (push: (data: Buffer) => void): boolean => {
    if (frame === undefined) {
      const head = readHead(pending)
      if (head === undefined) return false
      frame = head.frame
      history = Buffer.alloc(0)
      pending = pending.subarray(head.bytes)
      return true
    }
    if (pending.length < 4) return false
    const mark = pending.readUInt32LE(0)
    const size = mark & 0x7fffffff
    const total = mark === 0 ? 4 + frame.checksumBytes : 4 + size + frame.blockChecksumBytes
    if (size > frame.blockBytes) throw bad()
    if (pending.length < total) return false
    if (mark === 0) {
      frame = undefined
    } else {
      const data = pending.subarray(4, 4 + size)
      const plain = mark >>> 31 === 1 ? Buffer.from(data) : inflate(data, history, frame.blockBytes)
      push(plain)
      if (frame.isLinked) history = Buffer.concat([history, plain]).subarray(-HISTORY_BYTES)
    }
    pending = pending.subarray(total)
    return true
  }

  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      try {
        pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
        while (pending.length > 0 && step((data) => this.push(data)));
        done()
      } catch (error) {
        done(error as Error)
      }
    },
    flush(done: TransformCallback) {
      done(frame === undefined && pending.length === 0 ? null : bad())
    },
  })
}

function bad(): Error {
  return refuse('CANNOT_DECOMPRESS', 'The body is not what its Content-Encoding says')
}

function readHead(bytes: Buffer): { frame: Frame; bytes: number } | undefined {
  if (bytes.length < 7) return undefined
  const flags = bytes[4] ?? 0
  const size = 7 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0)
  const blockBytes = BLOCK_BYTES[((bytes[5] ?? 0) >> 4) & 7]
  if (bytes.readUInt32LE(0) !== MAGIC || flags >> 6 !== 1 || blockBytes === undefined) throw bad()
  if (bytes.length < size) return undefined
  const frame = {
    blockBytes,
    isLinked: (flags & 0x20) === 0,
    blockChecksumBytes: flags & 0x10 ? 4 : 0,
    checksumBytes: flags & 0x04 ? 4 : 0,
  }
  return { frame, bytes: size }
}

function inflate(data: Buffer, history: Buffer, blockBytes: number): Buffer {
  const target = Buffer.allocUnsafe(history.length + blockBytes)
  history.copy(target)
  const stop = decodeBlock(data, target, history.length)
  return target.subarray(history.length, stop)
}
