/** Avro schemas as JSON: the few shapes that this project's sources use, and how to walk them. */

export type Primitive = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string'

export interface FieldSchema {
  readonly name: string
  readonly type: Schema
  readonly doc?: string
  readonly default?: unknown
  readonly aliases?: readonly string[]
  /** Limits for input (validate.ts); they are no part of a released version. */
  readonly min?: number
  readonly max?: number
  readonly lengthMin?: number
  readonly lengthMax?: number
  readonly itemsMax?: number
}

/** Where an event goes: a topic of its own, or (a replay) the topic that one of its fields names. */
export interface Routing {
  readonly topic?: string
  readonly topicFrom?: string
  readonly key: string
}

export interface RecordSchema {
  readonly type: 'record'
  readonly name: string
  readonly namespace?: string
  readonly doc?: string
  readonly aliases?: readonly string[]
  readonly playhead?: Routing
  readonly fields: readonly FieldSchema[]
}

export interface EnumSchema {
  readonly type: 'enum'
  readonly name: string
  readonly namespace?: string
  readonly doc?: string
  readonly aliases?: readonly string[]
  readonly symbols: readonly string[]
  readonly default?: string
}

export interface FixedSchema {
  readonly type: 'fixed'
  readonly name: string
  readonly namespace?: string
  readonly doc?: string
  readonly aliases?: readonly string[]
  readonly size: number
}

export interface ArraySchema {
  readonly type: 'array'
  readonly items: Schema
}

export interface MapSchema {
  readonly type: 'map'
  readonly values: Schema
}

export interface AnnotatedPrimitive {
  readonly type: Primitive
  readonly logicalType?: string
}

export type NamedSchema = RecordSchema | EnumSchema | FixedSchema
export type ComplexSchema = NamedSchema | ArraySchema | MapSchema | AnnotatedPrimitive
/** A string is a primitive or the full name of a named type. */
export type Schema = string | ComplexSchema | readonly Schema[]

export function isUnion(schema: Schema): schema is readonly Schema[] {
  return Array.isArray(schema)
}

export function fullName(schema: NamedSchema): string {
  return schema.namespace ? `${schema.namespace}.${schema.name}` : schema.name
}

export function shortName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

export function isNamed(schema: Schema): schema is NamedSchema {
  return typeof schema === 'object' && !isUnion(schema) && ['record', 'enum', 'fixed'].includes(schema.type)
}

const PRIMITIVES: ReadonlySet<string> = new Set<Primitive>([
  'null',
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'bytes',
  'string',
])

export function isPrimitive(name: string): name is Primitive {
  return PRIMITIVES.has(name)
}

/** What our sources allow as "may be absent": a union of null and one other type. */
export function optional(schema: Schema): Schema | undefined {
  return isUnion(schema) && schema.length === 2 && schema[0] === 'null' ? schema[1] : undefined
}
