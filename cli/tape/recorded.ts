/** Requests as they were recorded: a HAR file (browsers and proxies write it), or a list of requests, or a tape's own. */
import { readFileSync, statSync } from 'node:fs'
import { UsageError } from '../args.ts'
import { TAPE_LIMITS } from './limits.ts'

export interface Recorded {
  /** Its place in the recording, from 1. */
  readonly index: number
  readonly method: string
  /** With its query, without the host. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
  /** By the clock of whoever recorded; undefined where that is not said. */
  readonly atMs: number | undefined
  /** Undefined: not recorded, and taken for a success. */
  readonly status: number | undefined
  readonly answer: unknown
}

type Loose = Readonly<Record<string, unknown>>

export function readRecording(path: string): readonly Recorded[] {
  const parsed = readJson(path)
  const entries = (parsed as { log?: { entries?: unknown } }).log?.entries
  if (Array.isArray(entries)) return entries.map((entry, i) => fromHar(entry as HarEntry, i))
  if (Array.isArray(parsed)) return parsed.map((one, i) => fromList(one as Loose, i))
  throw new UsageError(`${path} is neither a HAR file nor a list of requests.`, 'tape check')
}

export function readJson(path: string): unknown {
  try {
    if (statSync(path).size > TAPE_LIMITS.fileBytesMax) throw new Error('it is too large')
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new UsageError(`${path} can't be read: ${(error as Error).message}`, 'tape check')
  }
}

interface HarEntry {
  readonly startedDateTime?: string
  readonly request?: {
    readonly method?: string
    readonly url?: string
    readonly headers?: readonly { readonly name: string; readonly value: string }[]
    readonly postData?: { readonly text?: string }
  }
  readonly response?: { readonly status?: number; readonly content?: { readonly text?: string } }
}

function fromHar({ startedDateTime, request = {}, response = {} }: HarEntry, i: number): Recorded {
  const { pathname, search } = new URL(request.url ?? '/', 'http://recorded')
  const atMs = Date.parse(startedDateTime ?? '')
  return {
    index: i + 1,
    method: (request.method ?? 'GET').toUpperCase(),
    path: `${pathname}${search}`,
    headers: lower(Object.fromEntries((request.headers ?? []).map(({ name, value }) => [name, value]))),
    body: parsedOf(request.postData?.text),
    atMs: Number.isNaN(atMs) ? undefined : atMs,
    // A request that was cut off has the status 0.
    status: response.status === 0 ? undefined : response.status,
    answer: parsedOf(response.content?.text),
  }
}

function fromList(one: Loose, i: number): Recorded {
  const { pathname, search } = new URL(String(one.path ?? one.url ?? '/'), 'http://recorded')
  const at = typeof one.at === 'string' ? Date.parse(one.at) : one.at
  return {
    index: i + 1,
    method: String(one.method ?? 'POST').toUpperCase(),
    path: `${pathname}${search}`,
    headers: lower((one.headers ?? {}) as Loose),
    body: typeof one.body === 'string' ? parsedOf(one.body) : one.body,
    atMs: typeof at === 'number' && !Number.isNaN(at) ? at : undefined,
    status: typeof one.status === 'number' ? one.status : undefined,
    answer: one.answer,
  }
}

function lower(headers: Loose): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]))
}

/** What is no JSON stays the text that it is. */
function parsedOf(text: string | undefined): unknown {
  if (text === undefined || text === '') return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}
