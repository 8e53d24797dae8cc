/** Digest of all that was imported so far: on the next start it says whether the file is still the same. */
import { createHash, type Hash } from 'node:crypto'
import { UsageError } from '../args.ts'
import { IMPORT_LIMITS } from './limits.ts'

export class Prefix {
  readonly #hash: Hash = createHash('sha256')
  #chunk: Buffer = Buffer.alloc(0)
  #chunkAt = 0
  #hashedTo = 0

  /** The chunk that follows the former one. */
  next(chunk: Buffer): void {
    this.#to(this.#chunkAt + this.#chunk.length)
    this.#chunkAt += this.#chunk.length
    this.#chunk = chunk
  }

  /** Of everything before `offset`, which lies within the present chunk and never goes back. */
  digest(offset: number): string {
    this.#to(offset)
    return this.#hash.copy().digest('hex')
  }

  #to(offset: number): void {
    if (offset === this.#hashedTo) return
    this.#hash.update(this.#chunk.subarray(this.#hashedTo - this.#chunkAt, offset - this.#chunkAt))
    this.#hashedTo = offset
  }
}

/** The first bytes, and all the chunks as if nothing had been taken. */
export async function withHead(
  chunks: AsyncIterable<Buffer>,
): Promise<{ readonly head: Buffer; readonly all: AsyncIterable<Buffer> }> {
  const source = chunks[Symbol.asyncIterator]()
  const taken: Buffer[] = []
  let length = 0
  while (length < IMPORT_LIMITS.headBytes) {
    const { done, value } = await source.next()
    if (done === true) break
    taken.push(value)
    length += value.length
  }
  return { head: Buffer.concat(taken).subarray(0, IMPORT_LIMITS.headBytes), all: replay(taken, source) }
}

async function* replay(taken: Buffer[], source: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    for (let chunk = taken.shift(); chunk !== undefined; chunk = taken.shift()) yield chunk
    for (;;) {
      const { done, value } = await source.next()
      if (done === true) return
      yield value
    }
  } finally {
    await source.return?.()
  }
}

/** Leaves out what an earlier call has imported, after making sure that it is still what it was. */
export async function* after(
  chunks: AsyncIterable<Buffer>,
  prefix: Prefix,
  offset: number,
  sha256: string | undefined,
  command: string,
): AsyncGenerator<Buffer> {
  let at = 0
  let checked = offset === 0 || sha256 === undefined
  const check = () => {
    if (prefix.digest(offset) !== sha256) throw changed(command)
    checked = true
  }
  for await (const chunk of chunks) {
    prefix.next(chunk)
    const end = at + chunk.length
    if (!checked && end >= offset) check()
    if (end > offset) yield at >= offset ? chunk : chunk.subarray(offset - at)
    at = end
  }
  if (!checked || at < offset) throw changed(command)
}

/** Thrown before anything is passed on. */
export class SourceChanged extends UsageError {}

function changed(command: string): SourceChanged {
  return new SourceChanged(
    'The file is not what it was when its import was cut off: what was imported of it has changed. Remove the state file to import it from its beginning; rows that are the same count once.',
    command,
  )
}
