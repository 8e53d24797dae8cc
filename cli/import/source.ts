/** Where an import reads from: a file, or standard input for `-`. */
import { createReadStream, statSync } from 'node:fs'
import { extname } from 'node:path'
import type { Readable } from 'node:stream'
import { UsageError } from '../args.ts'
import { IMPORT_LIMITS } from './limits.ts'
import type { Format } from './rows.ts'

export interface Source {
  readonly totalBytes: number | undefined
  readonly chunks: AsyncIterable<Buffer>
}

const FORMATS: Readonly<Record<string, Format>> = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.json': 'ndjson',
}

export function formatOf(path: string, given: string | undefined, command: string): Format {
  if (given === 'csv' || given === 'ndjson') return given
  if (given !== undefined) throw new UsageError(`--format: "${given}" is neither csv nor ndjson.`, command)
  const format = FORMATS[extname(path).toLowerCase()]
  if (format !== undefined) return format
  throw new UsageError(
    path === '-'
      ? 'Standard input needs --format csv or --format ndjson.'
      : `${path} ends neither in .csv nor in .ndjson: say --format csv or --format ndjson.`,
    command,
  )
}

export function openSource(path: string, signal: AbortSignal, command: string): Source {
  if (path === '-') return { totalBytes: undefined, chunks: untilAborted(process.stdin, signal) }
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) throw new UsageError(`There is no file ${path}.`, command)
  if (stat.isDirectory()) throw new UsageError(`${path} is a folder; name one file.`, command)
  const stream = createReadStream(path, { highWaterMark: IMPORT_LIMITS.readBytes })
  return {
    // A pipe with a name has no size.
    totalBytes: stat.isFile() ? stat.size : undefined,
    chunks: untilAborted(stream, signal),
  }
}

/** Ctrl-C ends the wait for a pipe that says nothing. */
async function* untilAborted(stream: Readable, signal: AbortSignal): AsyncGenerator<Buffer> {
  const stop = () => stream.destroy()
  signal.addEventListener('abort', stop, { once: true })
  try {
    for await (const chunk of stream) yield chunk as Buffer
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
