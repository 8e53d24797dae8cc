/** JSON Schema of what the events' own sources say, so that the document of the API can't differ from the codec. */
import { type TSchema, Type } from '@sinclair/typebox'
import { type FieldSchema, isUnion, type RecordSchema, type Schema, shortName } from '../../schemas/avro.ts'
import { SOURCES } from '../../schemas/generated/sources.ts'

export type JsonSchema = Readonly<Record<string, unknown>>

/** Of a record's fields without some that the caller may not say. Only describes: the codec checks. */
export function recordSchema(name: string, without: readonly string[]): TSchema {
  return Type.Unsafe(recordOf(sourceOf(name) as RecordSchema, without))
}

/** An event as it is posted: its fields, and beside them what says which event it is. */
export function eventSchema(name: string): JsonSchema {
  const source = sourceOf(name) as RecordSchema
  const record = recordOf(source, ['meta'])
  const beside = {
    type: { const: shortName(name) },
    eventId: { type: 'string', format: 'uuid', description: 'Minted by the writer, so that it may be sent again.' },
    idempotencyKey: { type: 'string', description: 'The other way to be counted once.' },
    occurredAt: { type: ['integer', 'string'], description: 'Milliseconds since 1970, or RFC 3339.' },
  }
  return { ...record, required: ['type', ...record.required], properties: { ...beside, ...record.properties } }
}

/** Every named type that schemas refer to, by short name, closed over their own references. */
export function referredTypes(roots: unknown): Readonly<Record<string, JsonSchema>> {
  const found: Record<string, JsonSchema> = {}
  const visit = (value: unknown): void => {
    for (const [, name] of JSON.stringify(value).matchAll(/"#\/components\/schemas\/([A-Za-z]+)"/g)) {
      const source = name === undefined ? undefined : SOURCES[`playhead.${name}`]
      if (name === undefined || source === undefined || found[name] !== undefined) continue
      const schema = namedOf(JSON.parse(source) as Schema)
      found[name] = schema
      visit(schema)
    }
  }
  visit(roots)
  return found
}

function sourceOf(name: string): Schema {
  const text = SOURCES[name]
  if (text === undefined) throw new Error(`${name} is no source`)
  return JSON.parse(text) as Schema
}

function recordOf(source: RecordSchema, without: readonly string[]) {
  const fields = source.fields.filter(({ name }) => !without.includes(name))
  return {
    type: 'object',
    ...(source.doc !== undefined && { description: source.doc }),
    required: fields.filter((field) => field.default === undefined).map(({ name }) => name),
    properties: Object.fromEntries(fields.map((field) => [field.name, fieldOf(field)])),
    additionalProperties: false,
  }
}

function namedOf(schema: Schema): JsonSchema {
  if (typeof schema === 'object' && !isUnion(schema) && schema.type === 'record') return recordOf(schema, [])
  if (typeof schema === 'object' && !isUnion(schema) && schema.type === 'enum') {
    return { type: 'string', enum: schema.symbols, ...(schema.doc !== undefined && { description: schema.doc }) }
  }
  return typeOf(schema, {})
}

function fieldOf(field: FieldSchema): JsonSchema {
  const { doc, default: fallback } = field
  return {
    ...typeOf(field.type, field),
    ...(doc !== undefined && { description: doc }),
    ...(fallback !== undefined && { default: fallback }),
  }
}

type Limits = Pick<FieldSchema, 'min' | 'max' | 'lengthMin' | 'lengthMax' | 'itemsMax'>

function typeOf(schema: Schema, limits: Limits): JsonSchema {
  if (isUnion(schema)) return { anyOf: schema.map((one) => typeOf(one, limits)) }
  if (typeof schema === 'string') return plainOf(schema, limits)
  if (schema.type === 'array')
    return { type: 'array', items: typeOf(schema.items, {}), ...only({ maxItems: limits.itemsMax }) }
  if (schema.type === 'map') {
    const values = typeOf(schema.values, { ...(limits.lengthMax !== undefined && { lengthMax: limits.lengthMax }) })
    return { type: 'object', additionalProperties: values, ...only({ maxProperties: limits.itemsMax }) }
  }
  if (schema.type === 'record' || schema.type === 'enum' || schema.type === 'fixed') return namedOf(schema)
  return typeOf(schema.type, limits)
}

function plainOf(name: string, { min, max, lengthMin, lengthMax }: Limits): JsonSchema {
  if (name === 'null' || name === 'boolean') return { type: name }
  if (name === 'int' || name === 'long') return { type: 'integer', ...only({ minimum: min, maximum: max }) }
  if (name === 'float' || name === 'double') return { type: 'number', ...only({ minimum: min, maximum: max }) }
  if (name === 'string') return { type: 'string', ...only({ minLength: lengthMin, maxLength: lengthMax }) }
  if (name === 'bytes') return { type: 'string', contentEncoding: 'base64' }
  return { $ref: `#/components/schemas/${shortName(name)}` }
}

function only(limits: Readonly<Record<string, number | undefined>>): JsonSchema {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined))
}
