/** Who this process is to others on the same log, and whether another is certainly dead. */
import { readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

export interface Identity {
  readonly host: string
  readonly pid: number
  /** True only if it is certain; otherwise its lease decides. */
  isDead(other: { readonly host: string; readonly pid: number }): boolean
}

export function thisProcess(): Identity {
  const host = `${hostname()} ${pidNamespace()}`
  return { host, pid: process.pid, isDead: (other) => other.host === host && !isRunning(other.pid) }
}

/** Containers may share a host's name and the data folder, but not its process ids. */
function pidNamespace(): string {
  if (process.platform !== 'linux') return process.platform
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch (error) {
    // Without /proc nobody's death can be told from its id, so this host's name must equal no other's.
    return `unknown ${process.pid} ${String(error)}`
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}
