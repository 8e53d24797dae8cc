/** A tape: the requests of a scenario in their order, what is answered, and what the engine must hold afterwards. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

export interface Step {
  /** Whole seconds and fractions after the tape began, on the server's clock. */
  readonly atS: number
  readonly says: string
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'OPTIONS'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** JSON, or lines of text. */
  readonly body?: Json
  readonly text?: readonly string[]
  readonly answer: {
    readonly status: number
    readonly headers?: Readonly<Record<string, string>>
    /** What it holds at least; {{any}} stands for whatever it is. */
    readonly body?: Json
  }
  /** name → where in the answer's body: later requests say {{name}}. */
  readonly keep?: Readonly<Record<string, string>>
}

export interface Tape {
  readonly name: string
  readonly title: string
  readonly tells: string
  /** The server's clock at second 0. */
  readonly startsAt: string
  readonly profile: string
  /** Claims of the profile's token, beside the usual ones. */
  readonly claims?: Readonly<Record<string, Json>>
  readonly steps: readonly Step[]
  readonly holds: {
    /** When the engine is asked, in seconds after the tape began. */
    readonly atS: number
    /** By title, with the columns that must be so. */
    readonly views: readonly Readonly<Record<string, Json>>[]
    /** Of GET /v1/profiles/:profile/progress/:title, with the profile's token; null: there is none. */
    readonly progress?: Readonly<Record<string, Json>>
    /** Codes of GET /v1/sessions/:session/lint, by session. */
    readonly lint?: Readonly<Record<string, readonly string[]>>
    /** SQL over the engine's tables → the rows. */
    readonly tables?: Readonly<Record<string, readonly Json[]>>
  }
}

export const TAPES_DIR = fileURLToPath(new URL('../../docs/tapes/', import.meta.url))

/** In the order of their days: the log's clock only goes forward. */
export function readTapes(): readonly Tape[] {
  const tapes = readdirSync(TAPES_DIR)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(`${TAPES_DIR}${name}`, 'utf8')) as Tape)
  return tapes.sort((a, b) => Date.parse(a.startsAt) - Date.parse(b.startsAt))
}

/** Puts what was kept into the place of each {{name}}. */
export function filled<T>(value: T, kept: ReadonlyMap<string, string>): T {
  const text = JSON.stringify(value).replace(/\{\{(\w+)\}\}/g, (whole, name: string) => {
    if (name === 'any') return whole
    const known = kept.get(name)
    if (known === undefined) throw new Error(`nothing was kept under ${whole}`)
    return JSON.stringify(known).slice(1, -1)
  })
  return JSON.parse(text) as T
}

/** Where `given` is not as `wanted`, in words; objects may hold more than is wanted of them. */
export function differences(wanted: Json | undefined, given: unknown, path = ''): readonly string[] {
  if (wanted === undefined) return []
  if (wanted === '{{any}}') return given === undefined ? [`${path || 'it'}: is not there`] : []
  if (Array.isArray(wanted)) {
    if (!Array.isArray(given) || given.length !== wanted.length) {
      return [`${path || 'it'}: wanted ${wanted.length} items, is ${JSON.stringify(given)}`]
    }
    return wanted.flatMap((one, i) => differences(one as Json, given[i], `${path}/${i}`))
  }
  if (typeof wanted === 'object' && wanted !== null) {
    if (typeof given !== 'object' || given === null) return [`${path || 'it'}: is ${JSON.stringify(given)}`]
    return Object.entries(wanted).flatMap(([name, one]) =>
      differences(one, (given as Readonly<Record<string, unknown>>)[name], `${path}/${name}`),
    )
  }
  return wanted === given ? [] : [`${path || 'it'}: wanted ${JSON.stringify(wanted)}, is ${JSON.stringify(given)}`]
}

/** By a pointer such as /results/0/eventId. */
export function at(value: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .reduce<unknown>((inner, name) => (inner as Readonly<Record<string, unknown>> | undefined)?.[name], value)
}
