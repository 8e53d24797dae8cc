/** Keys as bytes that sort as numbers do: topic id, partition, position. */
import type { Position } from '../log.ts'

/** A partition's key in `ends`, and the prefix of its batches' keys. */
export function partitionKey(topicId: number, partition: number): Buffer {
  const key = Buffer.allocUnsafe(8)
  key.writeUInt32BE(topicId, 0)
  key.writeUInt32BE(partition, 4)
  return key
}

/** The key of the batch whose first record is at `position`. */
export function batchKey(topicId: number, partition: number, position: Position): Buffer {
  const key = Buffer.allocUnsafe(16)
  key.writeUInt32BE(topicId, 0)
  key.writeUInt32BE(partition, 4)
  key.writeBigUInt64BE(position, 8)
  return key
}

export function positionIn(batchKey: Buffer): Position {
  return batchKey.readBigUInt64BE(8)
}

export function positionBytes(position: Position): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigUInt64BE(position)
  return bytes
}

/** Positions are 64 bits without a sign on disk. */
export const POSITION_MAX: Position = 0xffff_ffff_ffff_ffffn
