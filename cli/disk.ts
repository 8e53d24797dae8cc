/** How much a folder holds and how much its disk has left. */
import { lstatSync, readdirSync, statfsSync } from 'node:fs'
import { join } from 'node:path'

export function folderBytes(path: string): number {
  let entry: ReturnType<typeof lstatSync>
  try {
    entry = lstatSync(path)
    if (!entry.isDirectory()) return entry.blocks * 512
    return readdirSync(path).reduce((sum, name) => sum + folderBytes(join(path, name)), 0)
  } catch (error) {
    // Engines remove files while we count.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0
    throw error
  }
}

export function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize
}

export function humanBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let n = bytes
  let unit = 0
  while (n >= 1000 && unit < units.length - 1) {
    n /= 1000
    unit += 1
  }
  return `${n >= 100 || unit === 0 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`
}
