/**
 * What a migration has to know when it is called again: a small file in the old engine's data folder, always whole.
 * Whether writes are taken is never decided by it: that stands in the logs (moves.ts).
 */
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { UsageError } from '../args.ts'
import { toJson } from '../json.ts'
import { MIGRATE_LIMITS } from './limits.ts'

export type Phase = 'copy' | 'fold' | 'cut' | 'done'

export interface MigrationState {
  readonly format: 1
  readonly id: string
  /** Incarnations. */
  readonly from: string
  readonly to: string
  readonly phase: Phase
  /** By `topic/partition`: up to where both logs hold the same, positions as texts. */
  readonly marks: Readonly<Record<string, readonly [source: string, target: string]>>
}

export function stateFile(data: string): string {
  return join(data, 'migration.json')
}

export function readState(path: string): MigrationState | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return undefined
  if (found.size > MIGRATE_LIMITS.stateFileBytesMax) throw broken(path)
  try {
    const state = JSON.parse(readFileSync(path, 'utf8')) as MigrationState
    if (state.format === 1) return state
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw broken(path)
}

export function writeState(path: string, state: MigrationState): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${process.pid}.new`
  writeFileSync(draft, `${toJson(state, 2)}\n`, { mode: 0o600, flush: true })
  renameSync(draft, path)
}

function broken(path: string): UsageError {
  return new UsageError(
    `${path} is no state of a migration of this release: remove it to begin anew, with an empty log.`,
  )
}
