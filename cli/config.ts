/**
 * Reads the settings: environment first, then KEY_FILE (secrets), then the config file, then the default. All problems
 * are found in one go, and each names its key, what was given (unless it is a secret) and what is wanted.
 */
import { readFileSync, statSync } from 'node:fs'
import { nearest } from '../schemas/index.ts'
import { maskPassword } from './addresses.ts'
import { CLI_LIMITS } from './limits.ts'
import { CONFIG_FILE_KEY, type Config, SETTING_NAMES, SETTINGS, type Setting, type SettingName } from './settings.ts'

export type Env = Readonly<Record<string, string | undefined>>
export type Origin = 'default' | 'environment' | 'secret file' | 'config file'

export interface Loaded {
  readonly config: Config
  readonly texts: Readonly<Record<SettingName, string | undefined>>
  readonly origins: Readonly<Record<SettingName, Origin>>
  readonly warnings: readonly string[]
}

export class ConfigError extends Error {
  readonly code = 'CONFIG'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.length === 1 ? problems[0] : `${problems.length} settings are wrong:\n  ${problems.join('\n  ')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** Variables of ours that are no settings: test harness, fault injection. */
const NOT_SETTINGS = /^PLAYHEAD_(TEST|BENCH|FAILPOINT)/

export function loadConfig(env: Env, readText: (path: string) => string = readSmallFile): Loaded {
  const problems: string[] = []
  const file = readConfigFile(env[CONFIG_FILE_KEY], readText, problems)
  const values: Partial<Record<SettingName, unknown>> = {}
  const texts = {} as Record<SettingName, string | undefined>
  const origins = {} as Record<SettingName, Origin>
  for (const name of SETTING_NAMES) {
    const setting: Setting<unknown> = SETTINGS[name]
    const found = lookUp(setting, env, file, readText, problems)
    texts[name] = found.text
    origins[name] = found.origin
    if (found.text === undefined) continue
    const parsed = setting.parse(found.text)
    if (parsed.ok) values[name] = parsed.value
    else problems.push(describe(setting, found, parsed.wanted))
  }
  const warnings = unknownKeys(env, 'the environment').concat(unknownKeys(file, 'the config file'))
  if (problems.length > 0) throw new ConfigError(problems)
  return { config: values as Config, texts, origins, warnings }
}

interface Found {
  readonly text: string | undefined
  readonly origin: Origin
}

function lookUp(
  s: Setting<unknown>,
  env: Env,
  file: Env,
  readText: (path: string) => string,
  problems: string[],
): Found {
  // An empty variable is an absent one: that is how compose files and shells say "not set".
  const direct = env[s.key] || undefined
  const secretFile = s.secret === undefined ? undefined : env[`${s.key}_FILE`] || file[`${s.key}_FILE`] || undefined
  if (direct !== undefined && secretFile !== undefined) {
    problems.push(`${s.key} and ${s.key}_FILE are both given: keep one.`)
    return { text: undefined, origin: 'environment' }
  }
  if (direct !== undefined) return { text: direct, origin: 'environment' }
  if (secretFile !== undefined) {
    const text = tryRead(`${s.key}_FILE`, secretFile, readText, problems)?.replace(/\r?\n$/, '')
    return { text, origin: 'secret file' }
  }
  if (file[s.key] !== undefined) return { text: file[s.key], origin: 'config file' }
  return { text: s.default, origin: 'default' }
}

function describe(s: Setting<unknown>, found: Found, wanted: string): string {
  const shown =
    s.secret === 'whole' || found.origin === 'secret file'
      ? 'what was given is not shown, it is a secret'
      : `"${s.secret === 'password' ? maskPassword(found.text ?? '') : found.text}" was given`
  return `${s.key}: ${shown} (${found.origin}); wanted: ${wanted}.`
}

function unknownKeys(source: Env, where: string): string[] {
  const known = new Set<string>([CONFIG_FILE_KEY])
  for (const name of SETTING_NAMES) {
    const s: Setting<unknown> = SETTINGS[name]
    known.add(s.key)
    if (s.secret !== undefined) known.add(`${s.key}_FILE`)
  }
  return Object.keys(source)
    .filter((key) => key.startsWith('PLAYHEAD_') && !known.has(key) && !NOT_SETTINGS.test(key))
    .map((key) => {
      const near = nearest(key, [...known])
      return `${key} (in ${where}) is no setting${near === undefined ? '' : `; did you mean ${near}?`}`
    })
}

function readConfigFile(path: string | undefined, readText: (path: string) => string, problems: string[]): Env {
  if (path === undefined || path === '') return {}
  const content = tryRead(CONFIG_FILE_KEY, path, readText, problems)
  if (content === undefined) return {}
  return content.trimStart().startsWith('{') ? jsonFile(path, content, problems) : keyValueFile(path, content, problems)
}

function jsonFile(path: string, content: string, problems: string[]): Env {
  let parsed: unknown
  try {
    parsed = JSON.parse(content)
  } catch {
    problems.push(`${CONFIG_FILE_KEY}: ${path} starts with { but is not JSON.`)
    return {}
  }
  const entries: Record<string, string> = {}
  for (const [key, value] of Object.entries(parsed as Record<string, unknown>)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      entries[key] = String(value)
    else problems.push(`${CONFIG_FILE_KEY}: ${key} in ${path} must be a text, a number or true/false.`)
  }
  return entries
}

function keyValueFile(path: string, content: string, problems: string[]): Env {
  const entries: Record<string, string> = {}
  for (const [index, raw] of content.split(/\r?\n/).entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const match = /^(?:export\s+)?([A-Z][A-Z0-9_]*)\s*=\s*(.*)$/.exec(line)
    if (match === null) problems.push(`${CONFIG_FILE_KEY}: line ${index + 1} of ${path} is not KEY=VALUE.`)
    else entries[match[1]!] = match[2]!.replace(/^(["'])(.*)\1$/, '$2')
  }
  return entries
}

function tryRead(
  key: string,
  path: string,
  readText: (path: string) => string,
  problems: string[],
): string | undefined {
  try {
    return readText(path)
  } catch (error) {
    problems.push(`${key}: ${path} can't be read (${reason(error)}).`)
    return undefined
  }
}

function reason(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}

function readSmallFile(path: string): string {
  if (statSync(path).size > CLI_LIMITS.configFileBytesMax) {
    throw new Error(`larger than ${CLI_LIMITS.configFileBytesMax} bytes`)
  }
  return readFileSync(path, 'utf8')
}

/** A setting as people may see it. */
export function shown(name: SettingName, text: string | undefined): string | undefined {
  const setting: Setting<unknown> = SETTINGS[name]
  if (text === undefined || setting.secret === undefined) return text
  return setting.secret === 'whole' ? '***' : maskPassword(text)
}
