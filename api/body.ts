/** Reads a request's body within its limits: bytes in, gzip undone, UTF-8 checked, JSON parsed. */
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { API_LIMITS } from './limits.ts'
import { Problem } from './problems.ts'

export async function readJson(payload: IncomingMessage, encoding: string | undefined): Promise<unknown> {
  const bytes = await readBytes(payload, encoding?.trim().toLowerCase() ?? 'identity')
  if (bytes.length === 0) throw new Problem('BODY_EMPTY', 'Send JSON; /docs shows what each route takes.')
  if (!isUtf8(bytes)) throw new Problem('BODY_NOT_JSON', 'The body is not UTF-8.')
  try {
    return JSON.parse(bytes.toString('utf8', startsWithMark(bytes) ? MARK.length : 0))
  } catch (error) {
    // V8 quotes the body in its message; the caller needs the place, not an echo.
    const place = /position \d+/.exec(String(error))?.[0]
    throw new Problem(
      'BODY_NOT_JSON',
      `The body can't be parsed as JSON${place === undefined ? '' : ` (at ${place})`}.`,
    )
  }
}

/** What some editors put before UTF-8; it is no JSON. */
const MARK = Buffer.from([0xef, 0xbb, 0xbf])

function startsWithMark(bytes: Buffer): boolean {
  return bytes[0] === MARK[0] && bytes[1] === MARK[1] && bytes[2] === MARK[2]
}

async function readBytes(payload: IncomingMessage, encoding: string): Promise<Buffer> {
  const declared = Number(payload.headers['content-length'] ?? 0)
  if (declared > API_LIMITS.bodyBytesMax) throw tooLarge(API_LIMITS.bodyBytesMax)
  if (encoding === 'identity' || encoding === '') return await collect(payload, API_LIMITS.bodyBytesMax)
  if (encoding !== 'gzip' && encoding !== 'x-gzip') {
    throw new Problem('CONTENT_ENCODING', 'Send the body as it is, or with Content-Encoding: gzip.')
  }
  const packed = await collect(payload, API_LIMITS.bodyBytesMax)
  const gunzip = createGunzip()
  Readable.from([packed]).pipe(gunzip)
  try {
    return await collect(gunzip, API_LIMITS.inflatedBytesMax)
  } catch (error) {
    if (error instanceof Problem) throw error
    throw new Problem('BODY_ENCODING_BROKEN', 'The body is not valid gzip.')
  } finally {
    gunzip.destroy()
  }
}

/** Leaves the stream undestroyed when it is too long: the answer still has to go out on its socket. */
async function collect(stream: Readable, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  return await new Promise((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > bytesMax) {
        stream.removeAllListeners('data')
        stream.pause()
        reject(tooLarge(bytesMax))
      } else chunks.push(chunk)
    })
    let ended = false
    stream.on('end', () => {
      ended = true
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))
    })
    stream.on('error', reject)
    // Every stream closes, so the error (and its stack) is made only for one that had not ended.
    stream.on('close', () => {
      if (!ended) reject(new Problem('BAD_REQUEST', 'The body ended early.'))
    })
  })
}

function tooLarge(bytesMax: number): Problem {
  return new Problem('BODY_TOO_LARGE', `At most ${bytesMax} bytes are taken; send fewer events at a time.`)
}
