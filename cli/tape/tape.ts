/** A tape of docs/tapes as this command needs it: its requests, and what the engine held after them. */
import { UsageError } from '../args.ts'
import { type Recorded, readJson } from './recorded.ts'

export interface Tape {
  readonly name: string
  readonly title: string
  readonly recording: readonly Recorded[]
  /** Views in the order of the tape. */
  readonly views: readonly Readonly<Record<string, unknown>>[]
  /** Findings that belong to the scenario, by session. */
  readonly lint: Readonly<Record<string, readonly string[]>>
}

interface TapeFile {
  readonly name?: string
  readonly title?: string
  readonly startsAt?: string
  readonly steps?: readonly {
    readonly atS: number
    readonly method: string
    readonly path: string
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: unknown
    readonly answer: { readonly status: number; readonly body?: unknown }
    readonly keep?: Readonly<Record<string, string>>
  }[]
  readonly holds?: { readonly views?: Tape['views']; readonly lint?: Tape['lint'] }
}

export function readTape(path: string): Tape {
  const { name, title = '', startsAt = '', steps, holds = {} } = readJson(path) as TapeFile
  if (name === undefined || steps === undefined) throw new UsageError(`${path} is no tape.`, 'tape check')
  const startMs = Date.parse(startsAt)
  const recording = steps.map(({ atS, method, path: to, headers = {}, body, answer, keep = {} }, i): Recorded => {
    const [token] = Object.keys(keep)
    return {
      index: i + 1,
      method,
      path: to,
      headers: Object.fromEntries(Object.entries(headers).map(([header, value]) => [header.toLowerCase(), value])),
      body,
      atMs: startMs + Math.round(atS * 1_000),
      status: answer.status,
      answer: { ...(answer.body as object), ...(token !== undefined && { playbackToken: `{{${token}}}` }) },
    }
  })
  return { name, title, recording, views: holds.views ?? [], lint: holds.lint ?? {} }
}
