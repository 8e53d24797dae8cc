/**
 * How far an import is: a small file beside the imported one, replaced whole after every durable batch. It never says
 * more than the log has: a crash between the two repeats a batch, under the same event ids.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { UsageError } from '../args.ts'
import type { KindName } from './kind.ts'
import { IMPORT_LIMITS } from './limits.ts'

export interface ImportCounts {
  readonly rows: number
  readonly events: number
  readonly rejected: number
}

export interface ImportState {
  readonly version: 1
  readonly kind: KindName
  /** Of this import, until the file is at its end. */
  readonly runId: string
  /** What must be the same when it goes on: format, separator, names, app. */
  readonly settings: string
  /** All before it is durable; `sha256` is of exactly these bytes. */
  readonly offset: number
  readonly line: number
  readonly sha256: string
  readonly counts: ImportCounts
  /** Length of the file of rejected rows; what is behind it was written by a batch that did not finish. */
  readonly rejectedBytes: number
  readonly done: boolean
}

export interface StateFile {
  readonly path: string
  read(): ImportState | undefined
  write(state: ImportState): void
}

export function stateFile(path: string, command: string): StateFile {
  return {
    path,
    read: () => {
      const stat = statSync(path, { throwIfNoEntry: false })
      if (stat === undefined) return undefined
      const state = stat.size > IMPORT_LIMITS.stateBytesMax ? undefined : parsed(readFileSync(path, 'utf8'))
      if (state !== undefined) return state
      throw new UsageError(`${path} is no state of an import. Move it away, or name another with --state.`, command)
    },
    write: (state) => replace(path, `${JSON.stringify(state, undefined, 2)}\n`),
  }
}

function parsed(text: string): ImportState | undefined {
  let state: Partial<ImportState> | null
  try {
    state = JSON.parse(text) as Partial<ImportState> | null
  } catch {
    return undefined
  }
  const counts = state?.counts
  const numbers = [state?.offset, state?.line, state?.rejectedBytes, counts?.rows, counts?.events, counts?.rejected]
  const texts = [state?.kind, state?.runId, state?.settings, state?.sha256]
  const fits = numbers.every((n) => Number.isSafeInteger(n) && (n as number) >= 0) && texts.every(isText)
  return fits && state?.version === 1 ? (state as ImportState) : undefined
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

/** Whole or not at all, also after a power cut. */
function replace(path: string, text: string): void {
  const draft = `${path}.new`
  const file = openSync(draft, 'w', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  try {
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}
