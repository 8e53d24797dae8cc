/**
 * Bytes of a log: a file or standard input, unzipped where they are gzip (by its first bytes, whatever it is called).
 *
 * A file that is still written to may end in the midst of a line. Its last line, if no line break ends it and it can't
 * be read as it is, is held back: the next call reads it when it is whole. What is zipped is finished.
 */
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { UsageError } from '../args.ts'
import { IMPORT_LIMITS } from '../import/limits.ts'
import { openSource } from '../import/source.ts'
import { INGEST_LIMITS } from './limits.ts'

const LF = 10

export interface LogSource {
  readonly chunks: AsyncIterable<Buffer>
  /** As the file has them: zipped, if it is. */
  readonly totalBytes: number | undefined
  readBytes(): number
  /** Whether the last line was held back. */
  heldBack(): boolean
}

/** `isWhole` is asked of a last line that no line break ends; `head` is how the log begins. */
export function openLogSource(
  path: string,
  signal: AbortSignal,
  command: string,
  isWhole: (line: Buffer, head: Buffer) => boolean,
): LogSource {
  const { chunks, totalBytes } = openSource(path, signal, command)
  let read = 0
  let held = false
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      read += chunk.length
      yield chunk
    }
  }
  async function* plain(): AsyncGenerator<Buffer> {
    const source = counted()
    const first = await nonEmpty(source)
    if (first === undefined) return
    const all = after(first, source)
    if (first[0] === 0x1f && first[1] === 0x8b) yield* unzipped(all, path, signal, command)
    else if (path === '-') yield* all
    else yield* wholeLines(all)
  }
  async function* wholeLines(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let rest: Buffer = Buffer.alloc(0)
    let head: Buffer = rest
    for await (const chunk of source) {
      if (head.length < IMPORT_LIMITS.headBytes)
        head = Buffer.concat([head, chunk]).subarray(0, IMPORT_LIMITS.headBytes)
      const end = chunk.lastIndexOf(LF) + 1
      // A line that is too long is passed on piece by piece: whoever cuts it into records tells so.
      const tooLong = rest.length + chunk.length - end > IMPORT_LIMITS.recordBytesMax
      const cut = tooLong ? chunk.length : end
      if (cut > 0) yield rest.length === 0 ? chunk.subarray(0, cut) : Buffer.concat([rest, chunk.subarray(0, cut)])
      rest = cut > 0 ? Buffer.from(chunk.subarray(cut)) : Buffer.concat([rest, chunk])
    }
    if (rest.length === 0 || signal.aborted) return
    held = !isWhole(rest, head)
    if (!held) yield rest
  }
  return { chunks: plain(), totalBytes, readBytes: () => read, heldBack: () => held }
}

async function nonEmpty(source: AsyncGenerator<Buffer>): Promise<Buffer | undefined> {
  for (;;) {
    const { done, value } = await source.next()
    if (done === true) return undefined
    if (value.length > 1) return value
    if (value.length === 1) {
      const next = await source.next()
      return next.done === true ? value : Buffer.concat([value, next.value])
    }
  }
}

async function* after(first: Buffer, source: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield first
    yield* source
  } finally {
    await source.return(undefined)
  }
}

async function* unzipped(
  chunks: AsyncIterable<Buffer>,
  path: string,
  signal: AbortSignal,
  command: string,
): AsyncGenerator<Buffer> {
  const source = Readable.from(chunks)
  const gunzip = createGunzip({ chunkSize: INGEST_LIMITS.unzippedBytes })
  source.on('error', (error) => gunzip.destroy(error))
  source.pipe(gunzip)
  try {
    for await (const chunk of gunzip) yield chunk as Buffer
  } catch (error) {
    // Ctrl-C ends the zipped bytes in their midst.
    if (signal.aborted) return
    if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'))) throw error
    throw new UsageError(
      `${path} can't be unzipped to its end (${error.message}): it is cut off or damaged. The batches before that are in.`,
      command,
    )
  } finally {
    source.destroy()
    gunzip.destroy()
  }
}
