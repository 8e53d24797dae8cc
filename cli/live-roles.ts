/** The roles that run on this data folder now: from the notes they leave there, asked over their health ports. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CLI_LIMITS } from './limits.ts'
import { startOf } from './lock.ts'
import type { Facts } from './supervisor.ts'

export interface RoleNote {
  readonly role: string
  readonly pid: number
  /** Where its health is asked for. */
  readonly url: string
  readonly facts: Facts
  readonly startedAt: string
}

export interface RoleReport extends RoleNote {
  readonly ready: boolean
  readonly complaints: readonly string[]
  /** What the role says of itself; absent when it did not answer. */
  readonly status?: Readonly<Record<string, unknown>>
}

export function liveRoles(runDir: string): readonly RoleNote[] {
  let names: readonly string[]
  try {
    names = readdirSync(runDir)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
  return names
    .filter((name) => /^[a-z]+\.\d+\.json$/.test(name))
    .flatMap((name) => readNote(join(runDir, name)) ?? [])
    .filter((note) => startOf(note.pid) !== undefined)
    .sort((a, b) => a.role.localeCompare(b.role))
}

/** Undefined: its role ended between the listing and now, or is writing it. */
function readNote(path: string): RoleNote | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as RoleNote
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof Error && 'code' in error)) return undefined
    throw error
  }
}

export async function askRole(note: RoleNote): Promise<RoleReport> {
  const ready = await getJson(`${note.url}/readyz`)
  if (ready === undefined) return { ...note, ready: false, complaints: ['does not answer'] }
  // The API has no such report.
  const status = note.role === 'api' ? undefined : await getJson(`${note.url}/status`)
  const complaints = Array.isArray(ready.complaints) ? (ready.complaints as string[]) : []
  return { ...note, ready: ready.ready === true, complaints, ...(status !== undefined && { status }) }
}

async function getJson(url: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(CLI_LIMITS.probeTimeoutMs) })
    return (await answer.json()) as Record<string, unknown>
  } catch (error) {
    // Refused, timed out, no JSON: whatever it is, the role does not answer, and that is the finding.
    if (error instanceof Error) return undefined
    throw error
  }
}
