/**
 * One file as an answer: found below a folder and nowhere else, with a tag, and in the part that was asked for. A name
 * is letters, digits, dots, dashes and underscores and doesn't begin with a dot, so no path leads out of its folder.
 */
import { createReadStream, type Stats } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../problems.ts'
import { WEB_LIMITS } from './limits.ts'

const NAME = /^[A-Za-z0-9_][\w.-]*$/

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.mpd': 'application/dash+xml',
  '.mp4': 'video/mp4',
  '.m4s': 'video/iso.segment',
  '.m4a': 'audio/mp4',
  '.ts': 'video/mp2t',
  '.vtt': 'text/vtt; charset=utf-8',
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
}

export interface FoundFile {
  readonly path: string
  readonly bytes: number
  readonly type: string
  readonly tag: string
}

/** Undefined: no such file, or nothing that is served. */
export async function findFile(dir: string, path: string): Promise<FoundFile | undefined> {
  const names = path.split('/')
  if (names.length > WEB_LIMITS.segmentsMax || !names.every(isName)) return undefined
  const type = TYPES[extname(path)]
  if (type === undefined) return undefined
  const full = join(dir, ...names)
  const stats = await statsOf(full)
  // Not a link: what it points at may lie anywhere.
  if (stats === undefined || !stats.isFile()) return undefined
  const tag = `"${stats.size.toString(36)}-${Math.trunc(stats.mtimeMs).toString(36)}"`
  return { path: full, bytes: stats.size, type, tag }
}

function isName(name: string): boolean {
  return name.length <= WEB_LIMITS.nameCharsMax && NAME.test(name)
}

async function statsOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

export function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  file: FoundFile,
  headers: Readonly<Record<string, string>>,
): FastifyReply {
  const { bytes, tag, type, path } = file
  reply.headers({ ...headers, etag: tag, 'accept-ranges': 'bytes' })
  if (tagsOf(request.headers['if-none-match']).includes(tag)) return reply.code(304).send()
  const range = isStale(request, tag) ? undefined : rangeOf(request.headers.range, bytes)
  if (range === 'beyond') {
    reply.header('content-range', `bytes */${bytes}`)
    throw new Problem('RANGE_BEYOND', `The file has ${bytes} bytes.`)
  }
  reply.type(type)
  if (range === undefined) {
    return reply.header('content-length', bytes).send(createReadStream(path))
  }
  const { from, to } = range
  return reply
    .code(206)
    .headers({ 'content-range': `bytes ${from}-${to}/${bytes}`, 'content-length': to - from + 1 })
    .send(createReadStream(path, { start: from, end: to }))
}

/** Of another version of the file, a part is no use: the whole is sent. */
function isStale(request: FastifyRequest, tag: string): boolean {
  const condition = request.headers['if-range']
  return condition !== undefined && condition !== tag
}

function tagsOf(header: string | undefined): readonly string[] {
  return (header ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))
}

type Range = { readonly from: number; readonly to: number }

/** Undefined: none was asked for, or several, or not by bytes: the whole is sent, as HTTP allows. */
export function rangeOf(header: string | undefined, bytes: number): Range | 'beyond' | undefined {
  const found = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '')
  if (found === null) return undefined
  const [, first = '', last = ''] = found
  if (first === '' && last === '') return undefined
  if (first === '') {
    const count = Number(last)
    return count === 0 || bytes === 0 ? 'beyond' : { from: Math.max(0, bytes - count), to: bytes - 1 }
  }
  const from = Number(first)
  const to = last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1)
  if (last !== '' && Number(last) < from) return undefined
  return from >= bytes ? 'beyond' : { from, to }
}
