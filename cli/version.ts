/** This release, from package.json: beside the sources when they run as they are, one folder up from `dist`. */
import { readFileSync } from 'node:fs'

export const VERSION = readVersion(['../package.json', '../../package.json'])

function readVersion([first, ...others]: readonly string[]): string {
  if (first === undefined) throw new Error('package.json is missing')
  try {
    const { version } = JSON.parse(readFileSync(new URL(first, import.meta.url), 'utf8')) as { version: string }
    return version
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return readVersion(others)
    throw error
  }
}
