/** Reads a request's body: gzip undone within a limit, UTF-8 checked, JSON parsed. Fastify gathers the bytes within its own. */
import { isUtf8 } from 'node:buffer'
import { gunzip } from 'node:zlib'
import { API_LIMITS } from './limits.ts'
import { Problem } from './problems.ts'

type Done = (error: Error | null, body?: unknown) => void

/** A callback and no promise: nearly every body is parsed at once. */
export function readJson(bytes: Buffer, encoding: string | undefined, done: Done): void {
  if (encoding === undefined) {
    done(null, parse(bytes))
    return
  }
  const name = encoding.trim().toLowerCase()
  if (name === 'identity' || name === '') done(null, parse(bytes))
  else if (name === 'gzip' || name === 'x-gzip') inflate(bytes, done)
  else throw new Problem('CONTENT_ENCODING', 'Send the body as it is, or with Content-Encoding: gzip.')
}

function parse(bytes: Buffer): unknown {
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

function inflate(packed: Buffer, done: Done): void {
  gunzip(packed, { maxOutputLength: API_LIMITS.inflatedBytesMax }, (error: NodeJS.ErrnoException | null, bytes) => {
    if (error === null) parseInto(bytes, done)
    else if (error.code === 'ERR_BUFFER_TOO_LARGE') {
      const most = `At most ${API_LIMITS.inflatedBytesMax} bytes are taken once unpacked; send fewer events at a time.`
      done(new Problem('BODY_TOO_LARGE', most))
    } else done(new Problem('BODY_ENCODING_BROKEN', 'The body is not valid gzip.'))
  })
}

/** Nobody catches what is thrown in a callback. */
function parseInto(bytes: Buffer, done: Done): void {
  let body: unknown
  try {
    body = parse(bytes)
  } catch (error) {
    done(error as Error)
    return
  }
  done(null, body)
}
