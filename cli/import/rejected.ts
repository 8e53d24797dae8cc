/** FILE.rejected.ndjson: every bad row with its line, what is wrong and what to do, and the row itself. */
import { closeSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { IMPORT_LIMITS } from './limits.ts'
import type { RowProblem } from './problem.ts'
import type { SourceRecord } from './records.ts'

export interface Rejection extends RowProblem {
  readonly line: number
  readonly row: string | null
}

export interface RejectedFile {
  readonly path: string
  /** Forgets what a batch wrote that did not finish; 0 begins anew. */
  begin(bytes: number): void
  /** Durable when it returns; answers the length of the file. */
  write(rejections: readonly Rejection[]): number
  close(): void
}

export function rejection(record: SourceRecord, problem: RowProblem): Rejection {
  return { line: record.line, ...problem, row: record.text?.slice(0, IMPORT_LIMITS.rejectedCharsMax) ?? null }
}

/** The file is made by the first bad row. It holds what the source holds of people, so only its owner may read it. */
export function rejectedFile(path: string): RejectedFile {
  let file: number | undefined
  let length = 0
  const open = (): number => {
    const opened = openSync(path, length === 0 ? 'w' : 'r+', 0o600)
    ftruncateSync(opened, length)
    return opened
  }
  return {
    path,
    begin: (bytes) => {
      length = bytes
    },
    write: (rejections) => {
      if (rejections.length === 0) return length
      file ??= open()
      const bytes = Buffer.from(rejections.map((r) => `${JSON.stringify(r)}\n`).join(''))
      length += writeSync(file, bytes, 0, bytes.length, length)
      fsyncSync(file)
      return length
    },
    close: () => {
      if (file !== undefined) closeSync(file)
      file = undefined
    },
  }
}
