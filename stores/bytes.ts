const startBytes = 4_096

/** A growing buffer, reused from row to row: `take` copies out what was written since `reset`. Numbers are big-endian. */
export class ByteWriter {
  bytes = Buffer.allocUnsafe(startBytes)
  length = 0

  reset(): this {
    this.length = 0
    return this
  }

  take(): Buffer {
    return Buffer.from(this.bytes.subarray(0, this.length))
  }

  u8(value: number): void {
    this.reserve(1)
    this.bytes[this.length++] = value
  }

  i32(value: number): void {
    this.reserve(4)
    this.length = this.bytes.writeInt32BE(value, this.length)
  }

  i64(value: bigint): void {
    this.reserve(8)
    this.length = this.bytes.writeBigInt64BE(value, this.length)
  }

  /** A whole number of at most 53 bits as a signed 64-bit one; three times as fast as going through bigint. */
  i53(value: number): void {
    this.reserve(8)
    const high = Math.floor(value / 2 ** 32)
    this.length = this.bytes.writeInt32BE(high, this.length)
    this.length = this.bytes.writeUInt32BE(value - high * 2 ** 32, this.length)
  }

  raw(value: Uint8Array): void {
    this.reserve(value.length)
    this.bytes.set(value, this.length)
    this.length += value.length
  }

  /** Text with its length before it. */
  text(value: string): void {
    this.reserve(4 + value.length * 3)
    const size = this.bytes.write(value, this.length + 4)
    this.bytes.writeUInt32BE(size, this.length)
    this.length += 4 + size
  }

  /** Bytes with their length before them. */
  blob(value: Uint8Array): void {
    this.reserve(4)
    this.length = this.bytes.writeUInt32BE(value.length, this.length)
    this.raw(value)
  }

  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.length + more))
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
  }
}

/** What `i53` wrote. */
export function readI53(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)
}
