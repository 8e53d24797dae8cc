/**
 * A small argument parser. A command is data: its flags, its positionals, its help; what a user gets wrong is answered
 * with the nearest right word.
 */
import { nearest } from '../schemas/index.ts'

export interface Flag {
  readonly name: string
  /** Without it the flag is a switch. */
  readonly value?: string
  readonly help: string
  readonly many?: boolean
}

export interface Positional {
  readonly name: string
  readonly optional?: boolean
  /** The last one may be many: one at least. */
  readonly many?: boolean
}

export interface CommandShape {
  readonly name: string
  readonly positionals?: readonly Positional[]
  readonly flags?: readonly Flag[]
}

export class UsageError extends Error {
  readonly code = 'USAGE'
  readonly command: string | undefined
  constructor(message: string, command?: string) {
    super(message)
    this.name = 'UsageError'
    this.command = command
  }
}

export interface Args {
  positional(name: string): string | undefined
  positionals(name: string): readonly string[]
  has(flag: string): boolean
  value(flag: string): string | undefined
  values(flag: string): readonly string[]
  /** A whole number, or UsageError. */
  integer(flag: string, fallback: number): number
}

const HELP: Flag = { name: 'help', help: 'This text.' }

export function parseArgs(shape: CommandShape, words: readonly string[]): Args {
  const flags = [...(shape.flags ?? []), HELP]
  const given = new Map<string, string[]>()
  const loose: string[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (word === '--') {
      loose.push(...words.slice(i + 1))
      break
    }
    if (!word.startsWith('-') || word === '-') {
      loose.push(word)
      continue
    }
    const [name, inline] = splitFlag(word)
    const flag = flags.find((f) => f.name === name)
    if (flag === undefined) throw unknownFlag(shape, word, name, flags)
    const values = given.get(flag.name) ?? []
    if (values.length > 0 && flag.many !== true) throw new UsageError(`--${flag.name} is given twice.`, shape.name)
    const next = flag.value !== undefined && inline === undefined ? words[++i] : inline
    given.set(flag.name, [...values, checked(shape, flag, next)])
  }
  const named = givenHelp(given) ? new Map<string, string[]>() : place(shape, loose)
  return argsOf(shape, named, given)
}

function splitFlag(word: string): readonly [string, string | undefined] {
  if (word === '-h') return ['help', undefined]
  const bare = word.replace(/^--?/, '')
  const equals = bare.indexOf('=')
  return equals < 0 ? [bare, undefined] : [bare.slice(0, equals), bare.slice(equals + 1)]
}

function checked(shape: CommandShape, flag: Flag, value: string | undefined): string {
  if (flag.value === undefined) {
    if (value !== undefined) throw new UsageError(`--${flag.name} takes no value.`, shape.name)
    return ''
  }
  if (value === undefined)
    throw new UsageError(`--${flag.name} wants a value: --${flag.name} ${flag.value}`, shape.name)
  return value
}

function givenHelp(given: ReadonlyMap<string, unknown>): boolean {
  return given.has('help')
}

function unknownFlag(shape: CommandShape, word: string, name: string, flags: readonly Flag[]): UsageError {
  const near = nearest(
    name,
    flags.map((f) => f.name),
  )
  const hint = near === undefined ? '' : ` Did you mean --${near}?`
  return new UsageError(`\`playhead ${shape.name}\` has no flag ${word.split('=')[0]}.${hint}`, shape.name)
}

function place(shape: CommandShape, loose: readonly string[]): Map<string, string[]> {
  const wanted = shape.positionals ?? []
  const missing = wanted.find((p, i) => p.optional !== true && loose[i] === undefined)
  if (missing !== undefined) throw new UsageError(`\`playhead ${shape.name}\` wants ${missing.name}.`, shape.name)
  const many = wanted.at(-1)?.many === true
  if (loose.length > wanted.length && !many) {
    throw new UsageError(
      `\`playhead ${shape.name}\` doesn't know what to do with "${loose[wanted.length]}".`,
      shape.name,
    )
  }
  const placed = new Map<string, string[]>()
  for (const [i, word] of loose.entries()) {
    const { name } = wanted[Math.min(i, wanted.length - 1)]!
    placed.set(name, [...(placed.get(name) ?? []), word])
  }
  return placed
}

function argsOf(shape: CommandShape, named: ReadonlyMap<string, string[]>, given: ReadonlyMap<string, string[]>): Args {
  return {
    positional: (name) => named.get(name)?.[0],
    positionals: (name) => named.get(name) ?? [],
    has: (flag) => given.has(flag),
    value: (flag) => given.get(flag)?.[0],
    values: (flag) => given.get(flag) ?? [],
    integer: (flag, fallback) => {
      const text = given.get(flag)?.[0]
      if (text === undefined) return fallback
      if (!/^\d{1,12}$/.test(text)) throw new UsageError(`--${flag}: "${text}" is no whole number.`, shape.name)
      return Number(text)
    },
  }
}
