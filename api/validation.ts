/**
 * What a request has to look like: TypeBox schemas, compiled once per route, and problems that name the field. Schemas
 * that are not TypeBox's (those generated from the events) only describe: their routes check with the codec.
 */
import { Kind, type Static, type TSchema, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { Value, type ValueError } from '@sinclair/typebox/value'
import type { FastifyInstance } from 'fastify'
import { API_LIMITS } from './limits.ts'
import { Problem } from './problems.ts'

export interface FieldProblem {
  readonly field: string
  readonly problem: string
  readonly remedy: string
}

export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly wrong: FieldProblem }

const ID_CHARS_MAX = 128
/** Ids in paths and bodies. */
export const Id = (description: string) => Type.String({ minLength: 1, maxLength: ID_CHARS_MAX, description })
/** Whole numbers that every part of the engine holds exactly. */
export const Millis = (description: string) => Type.Integer({ minimum: 0, maximum: 2 ** 52 - 1, description })
export const orNull = <T extends TSchema>(schema: T) =>
  Type.Union([schema, Type.Null()], schema.description === undefined ? {} : { description: schema.description })
/** Checked by `readTime`: what JSON Schema can say of a time is less than what is wanted. */
export const Time = (description: string) =>
  Type.Union([Type.Integer({ minimum: 0 }), Type.String({ maxLength: 64 })], { description })

const compiled = new WeakMap<TSchema, (value: unknown) => Checked<unknown>>()

/** Checks by hand what no route schema covers, such as one item of a batch. */
export function check<T extends TSchema>(schema: T, value: unknown): Checked<Static<T>> {
  let checker = compiled.get(schema)
  if (checker === undefined) {
    checker = checkerOf(schema)
    compiled.set(schema, checker)
  }
  return checker(value) as Checked<Static<T>>
}

/** Every route's schema goes through here; what does not fit is answered FIELD_INVALID. */
export function addValidation(app: FastifyInstance): void {
  app.setValidatorCompiler<TSchema>(({ schema, httpPart }) => {
    if (!(Kind in schema)) return (value: unknown) => ({ value })
    const checker = checkerOf(schema)
    return (given: unknown) => {
      // Text of a query becomes the number or boolean that its schema wants.
      const value = httpPart === 'querystring' ? Value.Convert(schema, { ...(given as object) }) : given
      const checked = checker(value)
      return checked.ok ? { value } : { error: fieldProblem(checked.wrong, PARTS[httpPart ?? 'body'] ?? 'body') }
    }
  })
  // What a route answers is told by its schema and held by the tests; a serializer that drops what it does not know
  // would hide a mistake.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value))
}

const PARTS: Readonly<Record<string, string>> = { body: 'body', querystring: 'query', params: 'path' }

export function fieldProblem(wrong: FieldProblem, where: string): Problem {
  const named = wrong.field === '' ? `The ${where}` : `"${wrong.field}" in the ${where}`
  return new Problem('FIELD_INVALID', `${named} ${wrong.problem}. ${wrong.remedy}`, {
    members: { in: where, ...wrong },
  })
}

function checkerOf(schema: TSchema): (value: unknown) => Checked<unknown> {
  const compiled = TypeCompiler.Compile(schema)
  return (value) => {
    if (compiled.Check(value)) return { ok: true, value }
    const first = compiled.Errors(value).First()
    return { ok: false, wrong: first === undefined ? NO_REASON : wordsFor(first) }
  }
}

const NO_REASON: FieldProblem = { field: '', problem: 'is not as wanted', remedy: 'See /openapi.json.' }

function wordsFor(error: ValueError): FieldProblem {
  const field = pathOf(error.path)
  const wanted = wantedOf(error.schema)
  if (error.value === undefined) return { field, problem: 'is missing', remedy: `Send ${wanted}.` }
  if (error.message === 'Unexpected property') {
    return { field, problem: 'is not known here', remedy: 'Leave it out, or look for its right spelling.' }
  }
  return { field, problem: `is not ${wanted}`, remedy: `Send ${wanted}.` }
}

/** `/played/2/toMs` → `played[2].toMs`, as the events' own problems are named. */
function pathOf(pointer: string): string {
  const parts = pointer.slice(0, API_LIMITS.fieldPathCharsMax).split('/').slice(1)
  return parts
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`), '')
}

function wantedOf(schema: TSchema): string {
  const { type, minimum, maximum, minLength, maxLength, maxItems, anyOf, enum: words } = schema
  if (Array.isArray(anyOf)) return anyOf.map((one: TSchema) => wantedOf(one)).join(' or ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (Array.isArray(words)) return `one of ${words.join(', ')}`
  if (type === 'integer') {
    if (maximum !== undefined) return `a whole number from ${minimum ?? 'any'} to ${maximum}`
    return minimum === undefined ? 'a whole number' : `a whole number of at least ${minimum}`
  }
  if (type === 'string') {
    if (maxLength === undefined) return 'a text'
    return `a text of ${minLength ?? 0} to ${maxLength} characters`
  }
  if (type === 'array') return maxItems === undefined ? 'a list' : `a list of at most ${maxItems}`
  if (type === 'boolean') return 'true or false'
  return type === 'object' ? 'a JSON object' : String(type)
}

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/

/** Undefined: it is neither milliseconds nor RFC 3339. */
export function timeMsOf(value: unknown): number | undefined {
  const ms = typeof value === 'string' && RFC3339.test(value) ? Date.parse(value) : value
  const good = typeof ms === 'number' && Number.isInteger(ms) && ms >= 0 && ms <= API_LIMITS.timeMsMax
  return good ? ms : undefined
}

/** A client's time: milliseconds, or RFC 3339. Throws the field's problem as a value. */
export function readTime(field: string, value: string | number | undefined): Checked<number | undefined> {
  if (value === undefined) return { ok: true, value: undefined }
  const ms = timeMsOf(value)
  if (ms !== undefined) return { ok: true, value: ms }
  const remedy = 'Send milliseconds since 1970 as a whole number, or an RFC 3339 time with its zone.'
  return { ok: false, wrong: { field, problem: 'is no time', remedy } }
}
