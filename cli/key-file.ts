/**
 * keys.json: what it holds, and pure changes to it. Three keys have a name of their own, `publishable`, `data` and
 * `admin`, for people who start; `keys` holds any number more. Every key that is not revoked is valid.
 */
import { CLI_LIMITS } from './limits.ts'

export const KEY_KINDS = ['publishable', 'data', 'admin'] as const
export type KeyKind = (typeof KEY_KINDS)[number]

export interface NamedKey {
  readonly name: string
  readonly kind: KeyKind
  readonly app: string
  readonly environment: string
  readonly secret: string
  readonly createdAt: string
}

export interface KeyFile {
  readonly publishable: string
  readonly data: string
  readonly admin: string
  readonly keys: readonly NamedKey[]
}

export const DEFAULT_APP = 'default'
export const DEFAULT_ENVIRONMENT = 'production'
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const PREFIX: Readonly<Record<KeyKind, string>> = { publishable: 'ph_pub_', data: 'ph_data_', admin: 'ph_admin_' }

export class KeysError extends Error {
  readonly code = 'KEYS'
  constructor(message: string) {
    super(message)
    this.name = 'KeysError'
  }
}

/** 24 random bytes: the prefix tells people and secret scanners what they found. */
export function mintSecret(kind: KeyKind, random: (bytes: Uint8Array) => void): string {
  const bytes = Buffer.alloc(24)
  random(bytes)
  return PREFIX[kind] + bytes.toString('base64url')
}

export function newKeyFile(random: (bytes: Uint8Array) => void): KeyFile {
  const secret = (kind: KeyKind) => mintSecret(kind, random)
  return { publishable: secret('publishable'), data: secret('data'), admin: secret('admin'), keys: [] }
}

export function allKeys(file: KeyFile): readonly NamedKey[] {
  const first = KEY_KINDS.map((kind) => ({
    name: kind,
    kind,
    app: DEFAULT_APP,
    environment: DEFAULT_ENVIRONMENT,
    secret: file[kind],
    createdAt: '',
  }))
  return [...first, ...file.keys]
}

export interface KeyChange {
  readonly file: KeyFile
  readonly key: NamedKey
}

export function addKey(file: KeyFile, key: NamedKey): KeyChange {
  checkName(key.name)
  if (!NAME.test(key.app) || !NAME.test(key.environment)) {
    throw new KeysError('An app and an environment are 1 to 64 letters, digits, dots, dashes or underscores.')
  }
  if (allKeys(file).some((k) => k.name === key.name)) {
    throw new KeysError(`There is a key named "${key.name}" already: choose another name, or rotate that one.`)
  }
  if (file.keys.length >= CLI_LIMITS.keysMax)
    throw new KeysError(`There are ${CLI_LIMITS.keysMax} keys already: revoke some.`)
  return { file: { ...file, keys: [...file.keys, key] }, key }
}

/** The name gets a new secret; the old one stays valid under `NAME.old`, until that is revoked. */
export function rotateKey(file: KeyFile, name: string, secret: string, createdAt: string): KeyChange {
  const current = find(file, name)
  const oldName = freeName(file, `${name}.old`)
  const key = { ...current, secret, createdAt }
  const old = { ...current, name: oldName }
  if (isKind(name)) return { file: { ...file, [name]: secret, keys: [...file.keys, old] }, key }
  return { file: { ...file, keys: [...file.keys.map((k) => (k.name === name ? key : k)), old] }, key }
}

export function revokeKey(file: KeyFile, name: string): KeyChange {
  const key = find(file, name)
  if (isKind(name)) throw new KeysError(`"${name}" is always there: rotate it, then revoke "${name}.old".`)
  return { file: { ...file, keys: file.keys.filter((k) => k.name !== name) }, key }
}

/** Throws KeysError with what is wrong; never repeats a secret. */
export function parseKeyFile(path: string, content: string): KeyFile {
  let parsed: unknown
  try {
    parsed = JSON.parse(content)
  } catch {
    throw new KeysError(`${path} is not JSON.`)
  }
  const file = parsed as Partial<Record<string, unknown>> | null
  if (typeof file !== 'object' || file === null) throw new KeysError(`${path} must hold an object.`)
  for (const kind of KEY_KINDS) {
    const secret = file[kind]
    if (typeof secret !== 'string' || secret.length < 16) {
      throw new KeysError(`${path}: "${kind}" must be a key of at least 16 characters.`)
    }
  }
  const keys = file.keys ?? []
  if (!Array.isArray(keys) || keys.length > CLI_LIMITS.keysMax) {
    throw new KeysError(`${path}: "keys" must be a list of at most ${CLI_LIMITS.keysMax} keys.`)
  }
  const named = keys.map((key, index) => namedKey(path, index, key))
  return {
    publishable: file.publishable as string,
    data: file.data as string,
    admin: file.admin as string,
    keys: named,
  }
}

function namedKey(path: string, index: number, value: unknown): NamedKey {
  const key = (typeof value === 'object' && value !== null ? value : {}) as Partial<Record<keyof NamedKey, unknown>>
  const where = `${path}: keys[${index}]`
  const words = ['name', 'app', 'environment'] as const
  for (const word of words) {
    if (typeof key[word] !== 'string' || !NAME.test(key[word]))
      throw new KeysError(`${where}.${word} must be a short name.`)
  }
  if (!isKind(key.kind)) throw new KeysError(`${where}.kind must be one of ${KEY_KINDS.join(', ')}.`)
  if (typeof key.secret !== 'string' || key.secret.length < 16) {
    throw new KeysError(`${where}.secret must have at least 16 characters.`)
  }
  return { ...(key as NamedKey), createdAt: typeof key.createdAt === 'string' ? key.createdAt : '' }
}

export function isKind(word: unknown): word is KeyKind {
  return KEY_KINDS.some((kind) => kind === word)
}

function find(file: KeyFile, name: string): NamedKey {
  const key = allKeys(file).find((k) => k.name === name)
  if (key === undefined) throw new KeysError(`There is no key named "${name}"; \`playhead keys list\` shows them.`)
  return key
}

function freeName(file: KeyFile, wanted: string): string {
  const taken = new Set(allKeys(file).map((k) => k.name))
  let name = wanted
  for (let n = 2; taken.has(name); n++) name = `${wanted}${n}`
  checkName(name)
  return name
}

function checkName(name: string): void {
  if (!NAME.test(name)) throw new KeysError('A name is 1 to 64 letters, digits, dots, dashes or underscores.')
}
