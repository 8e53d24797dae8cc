/**
 * ClickHouse's own compression on the wire (`compress=1`, `decompress=1`), which clickhouse-go and JDBC use: blocks of
 * a checksum (16 bytes), a method (1), two sizes (4 + 4, the first with this header of 9) and LZ4 or plain bytes.
 */
import { Transform, type TransformCallback } from 'node:stream'
import { cityHash128 } from './city-hash.ts'
import { refuse } from './errors.ts'
import { decodeBlock, literalBlock } from './lz4.ts'

const CHECKSUM_BYTES = 16
const HEADER_BYTES = 9
const METHOD_LZ4 = 0x82
const METHOD_NONE = 0x02
/** A client's block may be as large as it likes up to here; ours are small, so that no reader waits for one. */
const BLOCK_BYTES_MAX = 64 * 1024 * 1024
const OWN_BLOCK_BYTES = 64 * 1024

export function blockEncoder(): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      for (let at = 0; at < chunk.length; at += OWN_BLOCK_BYTES)
        this.push(encode(chunk.subarray(at, at + OWN_BLOCK_BYTES)))
      done()
    },
  })
}

function encode(data: Buffer): Buffer {
  const block = literalBlock(data)
  const framed = Buffer.allocUnsafe(HEADER_BYTES + block.length)
  framed[0] = METHOD_LZ4
  framed.writeUInt32LE(framed.length, 1)
  framed.writeUInt32LE(data.length, 5)
  block.copy(framed, HEADER_BYTES)
  return Buffer.concat([cityHash128(framed), framed])
}

export function blockDecoder(): Transform {
  let pending: Buffer = Buffer.alloc(0)
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      try {
        pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
        for (let size = frameBytes(pending); size > 0 && pending.length >= size; size = frameBytes(pending)) {
          this.push(decode(pending.subarray(0, size)))
          pending = pending.subarray(size)
        }
        done()
      } catch (error) {
        done(error as Error)
      }
    },
    flush(done: TransformCallback) {
      done(pending.length === 0 ? null : refuse('CANNOT_DECOMPRESS', 'The last compressed block is cut off'))
    },
  })
}

/** The whole block's size, or 0 while its header isn't here. */
function frameBytes(bytes: Buffer): number {
  if (bytes.length < CHECKSUM_BYTES + HEADER_BYTES) return 0
  const size = bytes.readUInt32LE(CHECKSUM_BYTES + 1)
  const plain = bytes.readUInt32LE(CHECKSUM_BYTES + 5)
  if (size < HEADER_BYTES || size > BLOCK_BYTES_MAX || plain > BLOCK_BYTES_MAX)
    throw refuse('CANNOT_DECOMPRESS', 'A compressed block is too large')
  return CHECKSUM_BYTES + size
}

function decode(frame: Buffer): Buffer {
  const framed = frame.subarray(CHECKSUM_BYTES)
  if (!cityHash128(framed).equals(frame.subarray(0, CHECKSUM_BYTES)))
    throw refuse('CHECKSUM_DOESNT_MATCH', "Checksum doesn't match: corrupted data")
  const size = framed.readUInt32LE(5)
  const data = framed.subarray(HEADER_BYTES)
  if (framed[0] === METHOD_NONE) return data
  if (framed[0] !== METHOD_LZ4)
    throw refuse(
      'NOT_IMPLEMENTED',
      'Only LZ4 and uncompressed blocks are supported: set the compression to lz4, gzip or none',
    )
  const plain = Buffer.allocUnsafe(size)
  if (decodeBlock(data, plain, 0) !== size)
    throw refuse('CANNOT_DECOMPRESS', 'A compressed block has another size than it says')
  return plain
}
