/**
 * One supervisor for each data folder. The lock is a record in a small LMDB file: written in a transaction, so two
 * starts at once can't both take it, and naming a process, so that one left by `kill -9` is seen to be nobody's.
 *
 * A process is known by its id *and* its start time, for ids are used again. A holder on another host (a shared volume,
 * a container that was replaced) can't be looked at: there, the age of its last beat decides.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import { CLI_LIMITS } from './limits.ts'

export interface Holder {
  readonly pid: number
  readonly startedAt: string
  readonly host: string
  readonly beatAtMs: number
}

export type Locked = { readonly ok: true; release(): Promise<void> } | { readonly ok: false; readonly holder: Holder }

const KEY = 'holder'

export async function lockDataFolder(dataDir: string, nowMs: () => number): Promise<Locked> {
  const dir = join(dataDir, 'run')
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const db = open<Holder, string>({ path: join(dir, 'lock.mdb'), noSubdir: true, encoding: 'json' })
  const self = () => ({
    pid: process.pid,
    startedAt: startOf(process.pid) ?? '',
    host: hostname(),
    beatAtMs: nowMs(),
  })
  const other = db.transactionSync(() => {
    const found = db.get(KEY)
    if (found !== undefined && isHeld(found, nowMs())) return found
    db.putSync(KEY, self())
    return undefined
  })
  if (other !== undefined) {
    await db.close()
    return { ok: false, holder: other }
  }
  const beat = setInterval(() => db.putSync(KEY, self()), CLI_LIMITS.lockBeatMs)
  beat.unref()
  return {
    ok: true,
    release: async () => {
      clearInterval(beat)
      db.removeSync(KEY)
      await db.close()
    },
  }
}

export function isHeld(holder: Holder, nowMs: number): boolean {
  if (holder.host !== hostname()) return nowMs - holder.beatAtMs < CLI_LIMITS.lockLeaseMs
  return startOf(holder.pid) === holder.startedAt
}

/** When a process started, in words that differ for another process of the same id; undefined if there is none. */
export function startOf(pid: number): string | undefined {
  if (process.platform === 'linux') return linuxStartOf(pid)
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined
  } catch (error) {
    // ps ends with code 1 when there is no such process.
    if (error instanceof Error && 'status' in error) return undefined
    throw error
  }
}

function linuxStartOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in parentheses may hold spaces: count fields after it. Field 22 of the line is the start time.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z') return undefined
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${fields[19]}`
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return undefined
    throw error
  }
}
