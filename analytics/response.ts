/** What goes back: ClickHouse's headers, and a result's file streamed, compressed if the client asked for it. */
import { closeSync, createReadStream, openSync, rmSync, statSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { bufferSource, fileSource } from './byte-source.ts'
import { encoder } from './compression.ts'
import { type ClickHouseError, CODES, errorText, httpStatus } from './errors.ts'
import type { Outcome } from './execute.ts'
import { withBlockInfo } from './native.ts'

export interface About {
  readonly version: string
  readonly timezone: string
  readonly displayName: string
}

const RETRY_AFTER_SECONDS = 1

const CONTENT_TYPES: readonly (readonly [RegExp, string])[] = [
  [/^(TabSeparated|TSV)/i, 'text/tab-separated-values; charset=UTF-8'],
  [/^CSV(WithNames)/i, 'text/csv; charset=UTF-8; header=present'],
  [/^CSV/i, 'text/csv; charset=UTF-8; header=absent'],
  [/^(JSON\w*EachRow|JSONLines|NDJSON)/i, 'application/x-ndjson; charset=UTF-8'],
  [/^JSON/i, 'application/json; charset=UTF-8'],
  [/^XML$/i, 'application/xml; charset=UTF-8'],
  [
    /^(Native|RowBinary\w*|Arrow\w*|Parquet|ORC|Avro|MsgPack|Npy|BSONEachRow|Protobuf\w*|CapnProto)$/i,
    'application/octet-stream',
  ],
]

export function contentType(format: string): string {
  return CONTENT_TYPES.find(([pattern]) => pattern.test(format))?.[1] ?? 'text/plain; charset=UTF-8'
}

export function commonHeaders(about: About, queryId: string): Record<string, string> {
  return {
    'X-ClickHouse-Server-Display-Name': about.displayName,
    'X-ClickHouse-Query-Id': queryId,
    'X-ClickHouse-Timezone': about.timezone,
  }
}

export interface Delivery {
  /** An HTTP content encoding. */
  readonly encoding: string | undefined
  /** ClickHouse's own compressed blocks. */
  readonly blocks: Transform | undefined
  /** Native as clients of newer protocol revisions read it. */
  readonly hasBlockInfo: boolean
  readonly isHead: boolean
}

export async function sendOutcome(response: ServerResponse, outcome: Outcome, delivery: Delivery): Promise<void> {
  const { encoding, blocks, hasBlockInfo } = delivery
  const size = outcome.path === undefined ? outcome.text.length : statSync(outcome.path).size
  const isAsIs = encoding === undefined && blocks === undefined && !hasBlockInfo
  response.statusCode = 200
  response.setHeader('Content-Type', contentType(outcome.format))
  response.setHeader('X-ClickHouse-Format', outcome.format)
  response.setHeader('X-ClickHouse-Summary', summary(outcome, size))
  if (isAsIs || size === 0) response.setHeader('Content-Length', size)
  else if (encoding !== undefined) response.setHeader('Content-Encoding', encoding)
  if (delivery.isHead || size === 0) response.end()
  else if (isAsIs && outcome.path === undefined) response.end(outcome.text)
  else {
    const stages: Transform[] = [blocks, encoding === undefined ? undefined : encoder(encoding)].filter(
      (stage) => stage !== undefined,
    )
    await pipeline([openOutcome(outcome, hasBlockInfo), ...stages, response])
  }
}

function openOutcome(outcome: Outcome, hasBlockInfo: boolean): Readable {
  if (outcome.path === undefined) {
    const pieces = hasBlockInfo ? begun(withBlockInfo(bufferSource(outcome.text))) : [outcome.text]
    return Readable.from(pieces, { objectMode: false })
  }
  const fd = openOnce(outcome.path)
  if (!hasBlockInfo) return createReadStream('', { fd, highWaterMark: 256 * 1024 })
  return Readable.from(begun(closingWhenDone(fd, withBlockInfo(fileSource(fd)))), { objectMode: false })
}

const BEGIN_BYTES = 64 * 1024

/** Runs ahead for a while, so that a type it can't send is an error and not an answer that breaks off. */
function begun(pieces: Generator<Buffer>): Iterable<Buffer> {
  const first: Buffer[] = []
  for (let size = 0; size < BEGIN_BYTES; ) {
    const { value, done } = pieces.next()
    if (done === true) break
    first.push(value)
    size += value.length
  }
  return (function* () {
    yield Buffer.concat(first)
    yield* pieces
  })()
}

function* closingWhenDone(fd: number, pieces: Iterable<Buffer>): Generator<Buffer> {
  try {
    yield* pieces
  } finally {
    closeSync(fd)
  }
}

/** The name goes at once, the bytes when the last of them is read, or the client gone. */
function openOnce(path: string): number {
  const fd = openSync(path, 'r')
  rmSync(path)
  return fd
}

function summary(outcome: Outcome, resultBytes: number): string {
  return JSON.stringify({
    read_rows: String(outcome.readRows),
    read_bytes: String(outcome.readBytes),
    written_rows: String(outcome.writtenRows),
    written_bytes: String(outcome.writtenBytes),
    total_rows_to_read: '0',
    result_rows: String(outcome.writtenRows > 0 ? outcome.writtenRows : outcome.readRows),
    result_bytes: String(resultBytes),
    elapsed_ns: String(Math.round(outcome.elapsedSeconds * 1e9)),
  })
}

export function sendError(response: ServerResponse, error: ClickHouseError, version: string): void {
  if (response.headersSent) {
    // Half an answer is out: an unclean end is the only way left to say so.
    response.destroy()
    return
  }
  const text = errorText(error, version)
  response.statusCode = httpStatus(error.code)
  response.setHeader('X-ClickHouse-Exception-Code', error.code)
  response.setHeader('Content-Type', 'text/plain; charset=UTF-8')
  response.setHeader('Content-Length', Buffer.byteLength(text))
  if (error.code === CODES.TOO_MANY_SIMULTANEOUS_QUERIES) response.setHeader('Retry-After', RETRY_AFTER_SECONDS)
  if (error.code === CODES.REQUIRED_PASSWORD)
    response.setHeader('WWW-Authenticate', 'Basic realm="ClickHouse server HTTP API"')
  response.end(text)
}
