/**
 * Reads records of an archive by their positions, as the log would. The manifest is read again when something is asked
 * for that it did not know of and it has changed since: an archive grows while it is read.
 *
 * A file's blocks are found once (their places, and the first positions of those that were looked at), so that a reader
 * anywhere in it inflates a few blocks and no more; the newest few blocks are kept as they are. Both are bounded.
 */
import { join } from 'node:path'
import type { LogRecord, Position, ReadRequest, TopicPartition } from '../log.ts'
import { type BlockPlace, ContainerReader } from './container.ts'
import { ARCHIVE_LIMITS } from './limits.ts'
import { type ArchivedFile, type Manifest, readManifest, refuseAnother, stampOf } from './manifest.ts'

interface KnownFile {
  readonly blocks: readonly BlockPlace[]
  /** By block, where it is known. */
  readonly firsts: (Position | undefined)[]
}

export interface Coverage {
  readonly from: Position
  readonly next: Position
}

type Asked = Pick<ReadRequest, 'topic' | 'partition' | 'from' | 'to' | 'recordsMax' | 'bytesMax'>

export class ArchiveReader {
  readonly folder: string
  #manifest: Manifest
  #stamp: string
  readonly #files = new Map<string, Promise<KnownFile>>()
  readonly #blocks = new Map<string, Promise<readonly LogRecord[]>>()

  private constructor(folder: string, manifest: Manifest, stamp: string) {
    this.folder = folder
    this.#manifest = manifest
    this.#stamp = stamp
  }

  /** Of this log; a folder that holds nothing yet is an empty archive. */
  static async open(folder: string, incarnation: string): Promise<ArchiveReader> {
    const reader = new ArchiveReader(folder, { incarnation, topics: [], files: [] }, '')
    await reader.refresh()
    return reader
  }

  /** Whether there is anything new. */
  async refresh(): Promise<boolean> {
    const stamp = await stampOf(this.folder)
    if (stamp === this.#stamp) return false
    const manifest = await readManifest(this.folder)
    if (manifest !== undefined) {
      refuseAnother(manifest, this.#manifest.incarnation, this.folder)
      this.#manifest = manifest
    }
    this.#stamp = stamp
    return true
  }

  filesOf({ topic, partition }: TopicPartition): readonly ArchivedFile[] {
    return this.#manifest.files.filter((file) => file.topic === topic && file.partition === partition)
  }

  coverage(place: TopicPartition): Coverage | undefined {
    const files = this.filesOf(place)
    return files.length === 0 ? undefined : { from: files[0]!.from, next: files.at(-1)!.next }
  }

  /** `from` has to be covered. */
  async read({ topic, partition, from, to, recordsMax, bytesMax }: Asked) {
    const records: LogRecord[] = []
    let [at, bytes] = [from, 0]
    for (const file of this.filesOf({ topic, partition })) {
      if (file.next <= at) continue
      for (let index = await this.#blockOf(file, at); index !== undefined; index = await this.#after(file, index)) {
        for (const record of await this.#records(file, index)) {
          if (record.position < at) continue
          bytes += record.value.length + (record.key?.length ?? 0)
          const enough = records.length >= recordsMax || bytes > bytesMax
          if ((to !== undefined && record.position > to) || (enough && records.length > 0)) {
            return { records, next: to !== undefined && record.position > to ? to + 1n : at }
          }
          records.push(record)
          at = record.position + 1n
        }
      }
      at = file.next
      if (to !== undefined && at > to) break
    }
    return { records, next: at }
  }

  async #after(file: ArchivedFile, index: number): Promise<number | undefined> {
    return index + 1 < (await this.#known(file)).blocks.length ? index + 1 : undefined
  }

  /** The last block that begins at or before the position. */
  async #blockOf(file: ArchivedFile, position: Position): Promise<number | undefined> {
    const known = await this.#known(file)
    let [low, high] = [0, known.blocks.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      known.firsts[middle] ??= (await this.#records(file, middle))[0]!.position
      if (known.firsts[middle]! <= position) low = middle
      else high = middle - 1
    }
    return low
  }

  #known(file: ArchivedFile): Promise<KnownFile> {
    return kept(this.#files, file.path, ARCHIVE_LIMITS.openFilesMax, () =>
      ContainerReader.using(join(this.folder, file.path), async (reader) => {
        const blocks: BlockPlace[] = []
        for (let b = await reader.placeAt(reader.first); b !== undefined; b = await reader.placeAt(b.next))
          blocks.push(b)
        return { blocks, firsts: [] }
      }),
    )
  }

  #records(file: ArchivedFile, index: number): Promise<readonly LogRecord[]> {
    return kept(this.#blocks, `${file.path}#${index}`, ARCHIVE_LIMITS.openBlocksMax, async () => {
      const { blocks } = await this.#known(file)
      return ContainerReader.using(join(this.folder, file.path), async (reader) =>
        (await reader.rowsOf(blocks[index]!, file)).map(({ record }) => record),
      )
    })
  }
}

/** The least recently asked for goes first; a failure is not kept. */
function kept<T>(cache: Map<string, Promise<T>>, key: string, max: number, make: () => Promise<T>): Promise<T> {
  const found = cache.get(key) ?? make()
  cache.delete(key)
  cache.set(key, found)
  found.catch(() => cache.delete(key))
  for (const oldest of cache.keys()) {
    if (cache.size <= max) break
    cache.delete(oldest)
  }
  return found
}
