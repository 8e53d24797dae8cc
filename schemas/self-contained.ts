import { fullName, isNamed, isPrimitive, isUnion, type NamedSchema, type RecordSchema, type Schema } from './avro.ts'

/**
 * One event's schema as others may read it: shared types are spelled out where they first occur, names are full, and
 * what only our own tools read (input limits) is left out. The same sources always give the same text.
 */
export function selfContained(event: RecordSchema, shared: ReadonlyMap<string, NamedSchema>): RecordSchema {
  const seen = new Set<string>()

  function inline(schema: Schema): Schema {
    if (typeof schema === 'string') {
      if (isPrimitive(schema) || seen.has(schema)) return schema
      const named = shared.get(schema)
      if (!named) throw new Error(`unknown type ${schema} in ${fullName(event)}`)
      return inline(named)
    }
    if (isUnion(schema)) return schema.map(inline)
    if (isNamed(schema)) return inlineNamed(schema)
    if (schema.type === 'array') return { type: 'array', items: inline(schema.items) }
    if (schema.type === 'map') return { type: 'map', values: inline(schema.values) }
    return schema.logicalType ? { type: schema.type, logicalType: schema.logicalType } : schema.type
  }

  function inlineNamed(schema: NamedSchema): NamedSchema {
    const name = fullName(schema)
    if (seen.has(name)) throw new Error(`${name} is defined twice in ${fullName(event)}`)
    seen.add(name)
    const head = { type: schema.type, name, ...kept(schema, ['doc', 'aliases']) }
    if (schema.type === 'enum') {
      return { ...head, type: 'enum', symbols: schema.symbols, ...kept(schema, ['default']) }
    }
    if (schema.type === 'fixed') return { ...head, type: 'fixed', size: schema.size }
    const fields = schema.fields.map((field) => ({
      name: field.name,
      type: inline(field.type),
      ...kept(field, ['doc', 'default', 'aliases']),
    }))
    return { ...head, type: 'record', ...kept(schema, ['playhead']), fields }
  }

  return inlineNamed(event) as RecordSchema
}

/**
 * The part of a schema that decides how bytes are read and where events go. Two sources with the same structure are
 * the same version: a better comment releases nothing.
 */
export function structureOf(schema: Schema): string {
  return JSON.stringify(schema, (key, value: unknown) => (key === 'doc' ? undefined : value))
}

function kept<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Partial<Pick<T, K>> {
  const to: Partial<Pick<T, K>> = {}
  for (const key of keys) if (from[key] !== undefined) to[key] = from[key]
  return to
}
