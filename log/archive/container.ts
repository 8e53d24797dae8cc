/**
 * Avro's object container file: a header (schema, codec, what else there is to know, a sync marker), then blocks of
 * deflated rows, each with its count, its length and the marker behind it. Any Avro reader reads it.
 *
 * By hand, because a reader here has to find one block without going through all of them.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { deflateRaw, inflateRaw } from 'node:zlib'
import type { LogRecord, TopicPartition } from '../log.ts'
import { ArchiveError } from './errors.ts'
import { ARCHIVE_LIMITS } from './limits.ts'
import { ROW_SCHEMA, type Row, RowCursor, RowWriter, readRows, type Told } from './row.ts'

const deflate = promisify(deflateRaw)
const inflate = promisify(inflateRaw)
const MAGIC = Buffer.from([0x4f, 0x62, 0x6a, 1])
const SYNC_BYTES = 16
/** Two longs of ten bytes. */
const BLOCK_HEAD_BYTES = 20

export interface Written {
  readonly bytes: number
  readonly sha256: string
}

/** Writes one file, row by row. A file that is not closed is no file. */
export class ContainerWriter {
  readonly #file: FileHandle
  readonly #sync: Buffer
  readonly #hash = createHash('sha256')
  readonly #rows = new RowWriter()
  bytes = 0

  private constructor(file: FileHandle, sync: Buffer) {
    this.#file = file
    this.#sync = sync
  }

  /** `seed` tells its sync marker from other files': the same records make the same file. */
  static async create(path: string, seed: string, about: Readonly<Record<string, string>>): Promise<ContainerWriter> {
    const sync = createHash('sha256').update(seed).digest().subarray(0, SYNC_BYTES)
    const writer = new ContainerWriter(await open(path, 'w', 0o600), sync)
    const entries = Object.entries({ 'avro.schema': ROW_SCHEMA, 'avro.codec': 'deflate', ...about })
    const texts = entries.flatMap(([name, value]) => [blob(name), blob(value)])
    await writer.#write([MAGIC, long(entries.length), ...texts, long(0), sync])
    return writer
  }

  /** Answers the bytes that are digested: valid until the next call. */
  async add(place: TopicPartition, record: LogRecord, told: Told | undefined): Promise<Buffer> {
    const { blockBytesMax, blockRecordsMax } = ARCHIVE_LIMITS
    if (this.#rows.length >= blockBytesMax || this.#rows.count >= blockRecordsMax) await this.#flush()
    return this.#rows.add(place, record, told)
  }

  async close(): Promise<Written> {
    if (this.#rows.count > 0) await this.#flush()
    await this.#file.sync()
    await this.#file.close()
    return { bytes: this.bytes, sha256: this.#hash.digest('hex') }
  }

  /** What was written is of no use. */
  async abandon(): Promise<void> {
    await this.#file.close()
  }

  async #flush(): Promise<void> {
    const packed = await deflate(this.#rows.bytes())
    await this.#write([long(this.#rows.count), long(packed.length), packed, this.#sync])
    this.#rows.clear()
  }

  async #write(parts: readonly Buffer[]): Promise<void> {
    const bytes = Buffer.concat(parts)
    this.#hash.update(bytes)
    this.bytes += bytes.length
    await this.#file.writeFile(bytes)
  }
}

/** Where a block is; `next` is where the one behind it begins. */
export interface BlockPlace {
  readonly at: number
  readonly count: number
  readonly dataAt: number
  readonly bytes: number
  readonly next: number
}

/** Reads one file. Every trouble is an ArchiveError that names it. */
export class ContainerReader {
  readonly #file: FileHandle
  readonly #sync: Buffer
  readonly #size: number
  readonly first: number

  private constructor(file: FileHandle, size: number, sync: Buffer, first: number) {
    this.#file = file
    this.#size = size
    this.#sync = sync
    this.first = first
  }

  /** Opens it for as long as `use` takes. */
  static async using<T>(path: string, use: (reader: ContainerReader) => Promise<T>): Promise<T> {
    const file = await open(path, 'r').catch((error: unknown) => {
      throw new ArchiveError(`${path} can't be read: ${String(error)}`, { cause: error })
    })
    try {
      return await use(await ContainerReader.#opened(path, file))
    } catch (error) {
      if (!(error instanceof ArchiveError) || error.message.startsWith(path)) throw error
      throw new ArchiveError(`${path} is damaged: ${error.message}`, { cause: error })
    } finally {
      await file.close()
    }
  }

  static async #opened(path: string, file: FileHandle): Promise<ContainerReader> {
    const { size } = await file.stat()
    const head = Buffer.alloc(Math.min(size, ARCHIVE_LIMITS.headerBytesMax))
    await file.read(head, 0, head.length, 0)
    if (!head.subarray(0, MAGIC.length).equals(MAGIC)) throw new ArchiveError('it does not begin as an Avro file does')
    const cursor = new RowCursor(head, MAGIC.length)
    const about = cursor.headers()
    if (about['avro.schema'] !== ROW_SCHEMA || about['avro.codec'] !== 'deflate') {
      throw new ArchiveError(`${path} was not written by this release: its schema or codec is another`)
    }
    const sync = head.subarray(cursor.at, cursor.at + SYNC_BYTES)
    return new ContainerReader(file, size, sync, cursor.at + SYNC_BYTES)
  }

  /** Undefined at the end of the file. */
  async placeAt(at: number): Promise<BlockPlace | undefined> {
    if (at === this.#size) return undefined
    const head = Buffer.alloc(Math.min(BLOCK_HEAD_BYTES, Math.max(0, this.#size - at)))
    await this.#file.read(head, 0, head.length, at)
    const cursor = new RowCursor(head)
    const [count, bytes] = [Number(cursor.long()), Number(cursor.long())]
    const dataAt = at + cursor.at
    const next = dataAt + bytes + SYNC_BYTES
    if (count < 1 || bytes < 0 || bytes > ARCHIVE_LIMITS.blockReadBytesMax || next > this.#size) {
      throw new ArchiveError(`the block at byte ${at} is none`)
    }
    return { at, count, dataAt, bytes, next }
  }

  async rowsOf({ at, count, dataAt, bytes }: BlockPlace, place: TopicPartition): Promise<Row[]> {
    const data = Buffer.alloc(bytes + SYNC_BYTES)
    await this.#file.read(data, 0, data.length, dataAt)
    if (!data.subarray(bytes).equals(this.#sync))
      throw new ArchiveError(`the block at byte ${at} does not end as it has to`)
    const maxOutputLength = ARCHIVE_LIMITS.blockReadBytesMax
    const rows = await inflate(data.subarray(0, bytes), { maxOutputLength }).catch((error: unknown) => {
      throw new ArchiveError(`the block at byte ${at} can't be inflated: ${String(error)}`, { cause: error })
    })
    return readRows(rows, count, place)
  }

  /** All rows in order, a block at a time. */
  async *blocks(place: TopicPartition): AsyncGenerator<Row[]> {
    for (let block = await this.placeAt(this.first); block !== undefined; block = await this.placeAt(block.next)) {
      yield await this.rowsOf(block, place)
    }
  }
}

function long(value: number): Buffer {
  const bytes: number[] = []
  let rest = value * 2
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  return Buffer.from([...bytes, rest])
}

function blob(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([long(bytes.length), bytes])
}
