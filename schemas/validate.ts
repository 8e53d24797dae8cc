/**
 * JSON from outside against today's sources: the first things a caller of the API sees when something is wrong, so
 * every problem names the field and says what to do about it. What passes here never fails to encode.
 */
import { type FieldSchema, isUnion, optional, type RecordSchema, type Schema } from './avro.ts'
import { isUuid } from './frame.ts'
import { SOURCES, SUBJECTS } from './generated/sources.ts'
import type { EventType } from './generated/types.ts'
import { SCHEMA_LIMITS } from './limits.ts'
import { nearest } from './nearest.ts'

export interface Valid<E> {
  readonly ok: true
  /** A copy with every field present (defaults filled in). */
  readonly event: E
}

export interface Problem {
  /** Path of the field, such as context.player or played[2].toMs; empty for the event as a whole. */
  readonly field: string
  readonly problem: string
  readonly remedy: string
}

export interface Invalid extends Problem {
  readonly ok: false
  /** The first of these is the answer's own field, problem and remedy. */
  readonly problems: readonly Problem[]
}

export function validateEvent(type: EventType, json: unknown, without: readonly string[]): Valid<unknown> | Invalid {
  const schema = sourceOf(SUBJECTS[type]) as RecordSchema
  const quick = isObject(json) ? new Check().quickly(type, planOf(type, schema, without), json) : undefined
  if (quick !== undefined) return { ok: true, event: quick }
  const check = new Check()
  const body = isObject(json) && json.type === type ? omit(json, 'type') : json
  const event = check.record(schema, body, '', without, { type })
  const [first] = check.problems
  if (first) return { ok: false, ...first, problems: check.problems }
  return { ok: true, event }
}

type Limits = Pick<FieldSchema, 'min' | 'max' | 'lengthMin' | 'lengthMax' | 'itemsMax'>

/** One walk over one input; gathers problems up to a limit. */
class Check {
  readonly problems: Problem[] = []

  /**
   * The event if nothing is wrong with it, which is nearly always so: only what was given is looked at. Else undefined,
   * and `record` finds the words.
   */
  quickly(type: EventType, plan: Plan, given: Record<string, unknown>): unknown {
    const event = { ...plan.blank }
    let required = 0
    for (const name of Object.keys(given)) {
      const planned = plan.fields.get(name)
      if (planned === undefined) {
        if (name === 'type' && given.type === type) continue
        return undefined
      }
      const { field, nullable, primitive } = planned
      const value = given[name]
      if (value === undefined) return undefined
      if (field.default === undefined) required += 1
      if (value === null && nullable) event[name] = null
      else if (primitive === undefined) event[name] = this.value(field.type, value, name, field)
      else event[name] = this.primitive(primitive, undefined, value, name, field)
      if (this.problems.length > 0) return undefined
    }
    if (required < plan.required) return undefined
    // Defaults that can be changed are nobody else's.
    for (const { name, default: value } of plan.copied) if (!Object.hasOwn(given, name)) event[name] = copyOf(value)
    return event
  }

  /** `result` may hold what the record begins with. */
  record(
    schema: RecordSchema,
    value: unknown,
    path: string,
    without: readonly string[] = [],
    result: Record<string, unknown> = {},
  ): unknown {
    if (!isObject(value)) return this.wrongType(path, value, 'a JSON object')
    const { fields, names } = wantedOf(schema, without)
    for (const name of Object.keys(value)) {
      if (!names.has(name)) this.unknownField(join(path, name), name, [...names], without)
    }
    for (const field of fields) {
      const given = Object.hasOwn(value, field.name) ? value[field.name] : undefined
      result[field.name] = this.field(field, given, join(path, field.name))
    }
    return result
  }

  private field(field: FieldSchema, value: unknown, path: string): unknown {
    if (value !== undefined) return this.value(field.type, value, path, field)
    if (field.default !== undefined) return copyOf(field.default)
    return this.problem(path, 'is missing', `Add it${field.doc ? `: ${field.doc}` : '.'}`)
  }

  private value(schema: Schema, value: unknown, path: string, limits: Limits): unknown {
    if (isUnion(schema)) {
      return value === null ? null : this.value(optional(schema) as Schema, value, path, limits)
    }
    if (typeof schema === 'string') {
      const named = sourceOf(schema)
      return named === undefined
        ? this.primitive(schema, undefined, value, path, limits)
        : this.value(named, value, path, limits)
    }
    switch (schema.type) {
      case 'record':
        return this.record(schema, value, path)
      case 'enum':
        if (schema.symbols.includes(value as string)) return value
        return this.problem(path, `is ${show(value)}`, `Use one of ${schema.symbols.join(', ')}.`)
      case 'array':
        return this.array(schema.items, value, path, limits)
      case 'map':
        return this.map(schema.values, value, path, limits)
      case 'fixed':
        return this.bytes(value, path, { lengthMin: schema.size, lengthMax: schema.size })
      default:
        return this.primitive(schema.type, schema.logicalType, value, path, limits)
    }
  }

  private array(items: Schema, value: unknown, path: string, limits: Limits): unknown {
    if (!Array.isArray(value)) return this.wrongType(path, value, 'a JSON array')
    if (!this.countFits(value.length, path, limits)) return undefined
    return value.map((item, i) => this.value(items, item, `${path}[${i}]`, limits))
  }

  private map(values: Schema, value: unknown, path: string, limits: Limits): unknown {
    if (!isObject(value)) return this.wrongType(path, value, 'a JSON object')
    const entries = Object.entries(value)
    if (!this.countFits(entries.length, path, limits)) return undefined
    return Object.fromEntries(
      entries.map(([key, item]) => {
        const at = join(path, key)
        if (key === '__proto__') this.problem(at, 'is a name that JavaScript keeps for itself', 'Rename it.')
        this.text(key, at, {})
        return [key, this.value(values, item, at, limits)]
      }),
    )
  }

  private primitive(
    type: string,
    logicalType: string | undefined,
    value: unknown,
    path: string,
    limits: Limits,
  ): unknown {
    switch (type) {
      case 'boolean':
        return typeof value === 'boolean' ? value : this.wrongType(path, value, 'true or false')
      case 'int':
        return this.integer(value, path, limits, -(2 ** 31), 2 ** 31 - 1)
      case 'long':
        return logicalType === 'timestamp-millis'
          ? this.timestamp(value, path)
          : this.integer(value, path, limits, -SCHEMA_LIMITS.longMax, SCHEMA_LIMITS.longMax)
      case 'float':
      case 'double':
        return Number.isFinite(value) ? value : this.wrongType(path, value, 'a number')
      case 'bytes':
        return this.bytes(value, path, limits)
      default:
        if (typeof value !== 'string') return this.wrongType(path, value, 'a string')
        if (logicalType !== 'uuid') return this.text(value, path, limits)
        return isUuid(value)
          ? value
          : this.problem(path, `is ${show(value)}`, 'Use a UUID in lower case, with hyphens.')
    }
  }

  private integer(value: unknown, path: string, limits: Limits, lowest: number, highest: number): unknown {
    const min = limits.min ?? lowest
    const max = limits.max ?? highest
    if (typeof value !== 'number') return this.wrongType(path, value, 'a whole number')
    if (!Number.isInteger(value)) return this.problem(path, `is ${show(value)}`, 'Round it to a whole number.')
    if (value >= min && value <= max) return value
    return this.problem(path, `is ${value}, out of range`, `Use a whole number from ${min} to ${max}.`)
  }

  private timestamp(value: unknown, path: string): unknown {
    const { timestampMsMin: min, timestampMsMax: max } = SCHEMA_LIMITS
    if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value
    return this.problem(path, `is ${show(value)}`, 'Use milliseconds since 1970 as a whole number, such as Date.now().')
  }

  private text(value: string, path: string, limits: Limits): unknown {
    const { lengthMin = 0, lengthMax = SCHEMA_LIMITS.textLengthMax } = limits
    if (value.length < lengthMin) {
      return this.problem(
        path,
        value === '' ? 'is empty' : 'is too short',
        `Use ${lengthMin} to ${lengthMax} characters.`,
      )
    }
    if (value.length > lengthMax) {
      return this.problem(path, `has ${value.length} characters`, `Use at most ${lengthMax}.`)
    }
    return !/\p{Cs}/u.test(value) ? value : this.problem(path, 'has half a surrogate pair', 'Send well-formed Unicode.')
  }

  /** Base64 in JSON; bytes as they are when a producer's own event is checked. */
  private bytes(value: unknown, path: string, limits: Limits): unknown {
    const { lengthMin = 0, lengthMax = SCHEMA_LIMITS.textLengthMax } = limits
    const bytes = value instanceof Uint8Array ? value : fromBase64(value)
    if (!bytes) return this.wrongType(path, value, 'base64 text')
    if (bytes.length >= lengthMin && bytes.length <= lengthMax) return bytes
    return this.problem(path, `has ${bytes.length} bytes`, `Use ${lengthMin} to ${lengthMax} bytes.`)
  }

  private countFits(count: number, path: string, limits: Limits): boolean {
    const max = limits.itemsMax ?? SCHEMA_LIMITS.itemsMax
    if (count <= max) return true
    this.problem(path, `has ${count} entries`, `Use at most ${max}.`)
    return false
  }

  private unknownField(path: string, name: string, names: readonly string[], without: readonly string[]): void {
    if (without.includes(name)) {
      this.problem(path, 'is set by the server', 'Leave it out.')
      return
    }
    const near = nearest(name, names)
    this.problem(
      path,
      'is not a field of this event',
      near ? `Did you mean ${near}?` : `Fields are ${names.join(', ')}.`,
    )
  }

  private wrongType(path: string, value: unknown, wanted: string): undefined {
    return this.problem(path, `is ${show(value)}`, `Use ${wanted}.`)
  }

  private problem(field: string, problem: string, remedy: string): undefined {
    if (this.problems.length < SCHEMA_LIMITS.problemsMax) this.problems.push({ field, problem, remedy })
    return undefined
  }
}

const parsed = new Map<string, Schema>()

function sourceOf(name: string): Schema | undefined {
  if (!Object.hasOwn(SOURCES, name)) return undefined
  const schema = parsed.get(name) ?? (JSON.parse(SOURCES[name] as string) as Schema)
  parsed.set(name, schema)
  return schema
}

interface Wanted {
  readonly fields: readonly FieldSchema[]
  readonly names: ReadonlySet<string>
}

/** By schema, then by what is left out: the same few for every event, so they are worked out once. */
const wanted = new WeakMap<RecordSchema, Map<string, Wanted>>()

function wantedOf(schema: RecordSchema, without: readonly string[]): Wanted {
  let bySet = wanted.get(schema)
  if (bySet === undefined) {
    bySet = new Map()
    wanted.set(schema, bySet)
  }
  const which = without.length === 0 ? '' : without.join()
  let found = bySet.get(which)
  if (found === undefined) {
    const fields = schema.fields.filter((field) => !without.includes(field.name))
    found = { fields, names: new Set(fields.map((field) => field.name)) }
    bySet.set(which, found)
  }
  return found
}

interface Planned {
  readonly field: FieldSchema
  readonly nullable: boolean
  /** Its type, where that is a plain one. */
  readonly primitive: string | undefined
}

interface Plan {
  /**
   * The event with nothing but defaults, in the order of the schema: a copy of it is filled in. It has places for what
   * the caller will set itself too: a struct that grows is slow to write and slow to read ever after.
   */
  readonly blank: Readonly<Record<string, unknown>>
  readonly fields: ReadonlyMap<string, Planned>
  /** How many fields have no default. */
  readonly required: number
  readonly copied: readonly FieldSchema[]
}

const PRIMITIVES: ReadonlySet<unknown> = new Set(['boolean', 'int', 'long', 'float', 'double', 'string', 'bytes'])
const plans = new Map<EventType, Map<string, Plan>>()

function planOf(type: EventType, schema: RecordSchema, without: readonly string[]): Plan {
  let ofType = plans.get(type)
  if (ofType === undefined) {
    ofType = new Map()
    plans.set(type, ofType)
  }
  const which = without.length === 1 ? without[0]! : without.join()
  let plan = ofType.get(which)
  if (plan === undefined) {
    const { fields } = wantedOf(schema, without)
    plan = {
      // Through JSON, because V8 then keeps it and its copies as structs; what is put together by names is a dictionary.
      blank: JSON.parse(
        JSON.stringify(Object.fromEntries([['type', type], ...schema.fields.map((f) => [f.name, f.default ?? null])])),
      ),
      fields: new Map(fields.map((field) => [field.name, plannedOf(field)])),
      required: fields.filter((field) => field.default === undefined).length,
      copied: fields.filter((field) => typeof field.default === 'object' && field.default !== null),
    }
    ofType.set(which, plan)
  }
  return plan
}

function plannedOf(field: FieldSchema): Planned {
  const inner = isUnion(field.type) ? optional(field.type) : field.type
  const primitive = typeof inner === 'string' && PRIMITIVES.has(inner) ? inner : undefined
  return { field, nullable: isUnion(field.type), primitive }
}

/** Most defaults are null or a word, and need no copy. */
function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Array.isArray(value) && value.length === 0 ? [] : structuredClone(value)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function omit(object: Record<string, unknown>, name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([key]) => key !== name))
}

function join(path: string, name: string): string {
  const safe = name.length > 64 ? `${name.slice(0, 64)}…` : name
  return path === '' ? safe : `${path}.${safe}`
}

/** Enough of a value to recognise it, never all of a large one. */
function show(value: unknown): string {
  if (value === undefined) return 'missing'
  if (Array.isArray(value)) return 'an array'
  if (isObject(value)) return 'an object'
  const text = JSON.stringify(value) ?? typeof value
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

function fromBase64(value: unknown): Buffer | undefined {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) return undefined
  return Buffer.from(value, 'base64')
}
