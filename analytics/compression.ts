/**
 * Bodies and answers on the wire: gzip, deflate and br in both directions, lz4 frames in bodies, and ClickHouse's own
 * blocks (`compress=1`, `decompress=1`).
 */
import type { IncomingMessage } from 'node:http'
import type { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream'
import {
  constants,
  createBrotliCompress,
  createBrotliDecompress,
  createDeflate,
  createGunzip,
  createGzip,
  createInflate,
} from 'node:zlib'
import { blockDecoder, blockEncoder } from './block-frames.ts'
import { refuse } from './errors.ts'
import { lz4FrameDecoder } from './lz4-frame.ts'

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  lz4: lz4FrameDecoder,
}

const ENCODERS: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGzip({ level: 3 }),
  br: () => createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 3 } }),
  deflate: () => createDeflate({ level: 3 }),
}

/** The request's body as the client meant it. */
export function decodedBody(request: IncomingMessage, query: URLSearchParams): Readable {
  if (query.get('decompress') === '1') return through(request, blockDecoder())
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (encoding === 'identity' || encoding === '') return request
  const decoder = DECODERS[encoding]?.()
  if (decoder === undefined)
    throw refuse(
      'NOT_IMPLEMENTED',
      `Unknown Content-Encoding ${JSON.stringify(encoding)}: use gzip, deflate, br or lz4`,
    )
  return through(request, decoder)
}

/** Pipes, and hands a failure of either to the reader of the result. */
export function through(source: Readable, transform: Transform): Readable {
  return pipeline(source, transform, () => undefined)
}

/** `compress=1`: ClickHouse's own blocks, which no header speaks of. */
export function blockEncoding(query: URLSearchParams): Transform | undefined {
  return query.get('compress') === '1' ? blockEncoder() : undefined
}

/** What the client accepts, if it asked for compression the way ClickHouse wants to be asked. */
export function responseEncoding(request: IncomingMessage, query: URLSearchParams): string | undefined {
  if (query.get('enable_http_compression') !== '1' || query.get('compress') === '1') return undefined
  const accepted = String(request.headers['accept-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map((part) => part.split(';'))
    .filter(([, quality]) => quality?.trim() !== 'q=0')
    .map(([name]) => name?.trim() ?? '')
  return Object.keys(ENCODERS).find((name) => accepted.includes(name))
}

export function encoder(encoding: string): Transform {
  const make = ENCODERS[encoding]
  if (make === undefined) throw new Error(`no encoder for ${encoding}`)
  return make()
}
