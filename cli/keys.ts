/**
 * The keys of a running role. The file is the truth and belongs to the operator; a role holds digests of it and looks
 * again when the file has changed (at most once in keysReloadMs, as keys are used: no watcher, so that a secret mounted
 * from elsewhere works too).
 *
 * What can fail: a file that became unreadable or wrong keeps the former keys in force, and says so.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { chmodSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { allKeys, type KeyFile, type KeyKind, KeysError, type NamedKey, newKeyFile, parseKeyFile } from './key-file.ts'
import { CLI_LIMITS } from './limits.ts'

/** What a key lets its holder do, and for which app. */
export interface KeyGrant {
  readonly name: string
  readonly kind: KeyKind
  readonly app: string
  readonly environment: string
}

export interface Keys {
  /** Undefined: no such key, or a revoked one. Takes the same time whichever key it is. */
  verify(presented: string): KeyGrant | undefined
  current(): KeyFile
}

export interface KeysPorts {
  readonly nowMs: () => number
  readonly warn: (message: string) => void
}

export function keysPath(config: { readonly data: string; readonly keysFile?: string | undefined }): string {
  return resolve(config.keysFile ?? join(config.data, 'keys.json'))
}

/** The first start makes the file. Two starts at once agree on one: whoever links first. */
export function ensureKeyFile(path: string, random: (bytes: Uint8Array) => void): { readonly created: boolean } {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return { created: false }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const draft = writeDraft(path, newKeyFile(random))
  try {
    linkSync(draft, path)
    return { created: true }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return { created: false }
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

export function readKeyFile(path: string): KeyFile {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) throw new KeysError(`${path} is not there: \`playhead up\` makes it.`)
  if (found.size > CLI_LIMITS.keysFileBytesMax) throw new KeysError(`${path} is larger than a keys file can be.`)
  return parseKeyFile(path, readFileSync(path, 'utf8'))
}

/** Whole or not at all: a role that reads meanwhile sees the former file. */
export function writeKeyFile(path: string, file: KeyFile): void {
  renameSync(writeDraft(path, file), path)
}

function writeDraft(path: string, file: KeyFile): string {
  const draft = `${path}.${process.pid}.new`
  writeFileSync(draft, `${JSON.stringify(file, undefined, 2)}\n`, { mode: 0o600 })
  chmodSync(draft, 0o600)
  return draft
}

export function openKeys(path: string, ports: KeysPorts): Keys {
  let loaded = load(path)
  let lookAgainAtMs = ports.nowMs() + CLI_LIMITS.keysReloadMs

  const refresh = () => {
    const nowMs = ports.nowMs()
    if (nowMs < lookAgainAtMs) return
    lookAgainAtMs = nowMs + CLI_LIMITS.keysReloadMs
    try {
      if (stampOf(path) !== loaded.stamp) loaded = load(path)
    } catch (error) {
      ports.warn(`The keys file can't be used, the former keys stay in force: ${(error as Error).message}`)
    }
  }
  return {
    verify: (presented) => {
      refresh()
      return match(presented, loaded.entries)
    },
    current: () => {
      refresh()
      return loaded.file
    },
  }
}

interface Entry {
  readonly digest: Buffer
  readonly grant: KeyGrant
}

function load(path: string) {
  const file = readKeyFile(path)
  const stamp = stampOf(path)
  return { stamp, file, entries: allKeys(file).map(entryOf) }
}

function stampOf(path: string): string {
  const { mtimeMs, size, ino } = statSync(path)
  return `${mtimeMs}/${size}/${ino}`
}

function entryOf({ name, kind, app, environment, secret }: NamedKey): Entry {
  return { digest: digestOf(secret), grant: { name, kind, app, environment } }
}

/** Digests have one length, and every one is compared: neither the length nor the place of a match shows. */
function match(presented: string, entries: readonly Entry[]): KeyGrant | undefined {
  const digest = digestOf(presented)
  let found: KeyGrant | undefined
  for (const entry of entries) {
    if (timingSafeEqual(digest, entry.digest)) found = entry.grant
  }
  return found
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
