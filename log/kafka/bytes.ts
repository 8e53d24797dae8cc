/** Kafka's primitive types, big-endian. */
export class Writer {
  #bytes: Buffer
  #at = 0
  #from = 0

  constructor(room: number) {
    this.#bytes = Buffer.allocUnsafe(room)
  }

  int8(value: number): this {
    this.#at = this.#bytes.writeInt8(value, this.#at)
    return this
  }

  int16(value: number): this {
    this.#at = this.#bytes.writeInt16BE(value, this.#at)
    return this
  }

  int32(value: number): this {
    this.#at = this.#bytes.writeInt32BE(value, this.#at)
    return this
  }

  int64(value: bigint): this {
    this.#at = this.#bytes.writeBigInt64BE(value, this.#at)
    return this
  }

  text(value: string): this {
    this.int16(Buffer.byteLength(value))
    this.#at += this.#bytes.write(value, this.#at, 'utf8')
    return this
  }

  blob(value: Buffer): this {
    this.int32(value.length)
    this.#at += value.copy(this.#bytes, this.#at)
    return this
  }

  /** What was written since the last cut. */
  cut(): Buffer {
    const part = this.#bytes.subarray(this.#from, this.#at)
    this.#from = this.#at
    return part
  }
}

export class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  int16(): number {
    this.#at += 2
    return this.#bytes.readInt16BE(this.#at - 2)
  }

  int32(): number {
    this.#at += 4
    return this.#bytes.readInt32BE(this.#at - 4)
  }

  int64(): bigint {
    this.#at += 8
    return this.#bytes.readBigInt64BE(this.#at - 8)
  }

  text(): string {
    const length = this.int16()
    this.#at += length
    return this.#bytes.toString('utf8', this.#at - length, this.#at)
  }

  blob(): Buffer {
    const length = Math.max(0, this.int32())
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  array<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, read)
  }

  skip(bytes: number): void {
    this.#at += bytes
  }
}
