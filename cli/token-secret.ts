/**
 * The secret behind tokens where none is configured: random, kept beside keys.json in the data folder, for its owner
 * alone, so that `playhead token` and the API of one machine agree. Several machines need a configured one.
 */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { TOKEN_LIMITS } from '../api/tokens/limits.ts'
import { KeysError } from './key-file.ts'

export function tokenSecretPath(dataFolder: string): string {
  return resolve(join(dataFolder, 'token-secret'))
}

/** The first who asks makes it; two at once agree on one: whoever links first. */
export function ensureTokenSecret(path: string, random: (bytes: Uint8Array) => void): string {
  const held = readSecret(path)
  if (held !== undefined) return held
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${process.pid}.new`
  const bytes = Buffer.alloc(32)
  random(bytes)
  writeFileSync(draft, `${bytes.toString('base64url')}\n`, { mode: 0o600 })
  try {
    linkSync(draft, path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    rmSync(draft, { force: true })
  }
  const made = readSecret(path)
  if (made === undefined) throw new KeysError(`${path} was removed while it was made.`)
  return made
}

function readSecret(path: string): string | undefined {
  let secret: string
  try {
    secret = readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  if (secret.length >= TOKEN_LIMITS.secretCharsMin) return secret
  throw new KeysError(
    `${path} must hold at least ${TOKEN_LIMITS.secretCharsMin} characters; remove it to get a new one.`,
  )
}
