/**
 * Temporary files: an INSERT's rows on their way in, a result on its way out. Neither is ever whole in memory, and
 * neither is ever SQL text: rows inline in a statement would end at a blank line and what follows would run.
 *
 * Every file belongs to one request, which removes it in every outcome; what a killed process left is removed on start.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { refuse } from './errors.ts'

export interface TemporaryFiles {
  readonly directory: string
  /** A path that doesn't exist yet. */
  path(): string
  remove(path: string): void
}

/**
 * Up to here a file is read and written in one go: it only meets the page cache, and four trips through the thread
 * pool cost more than the query.
 */
const SMALL_BYTES = 128 * 1024

export function openTemporaryFiles(directory: string): TemporaryFiles {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return {
    directory,
    path: () => join(directory, randomUUID()),
    remove: (path) => rmSync(path, { force: true }),
  }
}

/** A body's first bytes, and the rest of it still to be read. */
export interface Body {
  readonly head: Buffer
  /** Nothing follows the head. */
  readonly complete: boolean
  readonly rest: AsyncIterator<Buffer>
}

export function readHead(stream: Readable, headBytes: number): Promise<Body> {
  // Giving up must leave the request's stream alive: the rest of it is read and dropped before the answer is sure to arrive.
  const rest: AsyncIterator<Buffer> = stream.iterator({ destroyOnReturn: false })
  return readOn({ head: Buffer.alloc(0), complete: false, rest }, headBytes)
}

/** The same body with a head of more than `headBytes`, or complete. */
export async function readOn(body: Body, headBytes: number): Promise<Body> {
  const chunks = [body.head]
  let size = body.head.length
  let complete = body.complete
  while (!complete && size <= headBytes) {
    const { value, done } = await body.rest.next()
    if (done === true) complete = true
    else {
      chunks.push(value)
      size += value.length
    }
  }
  return { head: chunks.length === 1 ? body.head : Buffer.concat(chunks, size), complete, rest: body.rest }
}

/** Writes a body from `from` on to `path`; the caller removes the file. */
export async function saveBody(body: Body, from: number, path: string, bytesMax: number): Promise<number> {
  try {
    if (body.complete && body.head.length - from <= SMALL_BYTES) return saveSmall(body.head.subarray(from), path)
    return await saveLarge(body, from, path, bytesMax)
  } catch (error) {
    throw isNoSpace(error) ? refuse('NOT_ENOUGH_SPACE', 'Cannot keep the body: no space left on device') : error
  }
}

function saveSmall(bytes: Buffer, path: string): number {
  writeFileSync(path, bytes, { flag: 'wx', mode: 0o600 })
  return bytes.length
}

async function saveLarge(body: Body, from: number, path: string, bytesMax: number): Promise<number> {
  let size = 0
  async function* bytes(): AsyncGenerator<Buffer> {
    for (let chunk: Buffer | undefined = body.head.subarray(from); chunk !== undefined; chunk = await following(body)) {
      size += chunk.length
      if (size > bytesMax) throw refuse('TOO_LARGE_STRING_SIZE', `The body is larger than ${bytesMax} bytes`)
      yield chunk
    }
  }
  // Opened before anything can fail: a file that is still being opened can't be removed.
  const file = await open(path, 'wx', 0o600)
  await pipeline(Readable.from(bytes(), { objectMode: false }), file.createWriteStream())
  return size
}

/** -1 if there is no such file. */
export function fileBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? -1
}

/** A result's file: its bytes if it is small, else undefined and the caller streams it. */
export function readSmall(path: string): Buffer | undefined {
  return statSync(path).size <= SMALL_BYTES ? readFileSync(path) : undefined
}

async function following(body: Body): Promise<Buffer | undefined> {
  if (body.complete) return undefined
  const { value, done } = await body.rest.next()
  return done === true ? undefined : value
}

function isNoSpace(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}
