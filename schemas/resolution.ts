/**
 * Avro's schema resolution (specification 1.11, "Schema Resolution"), as a question: what stops this reader from
 * reading everything that this writer may write? Stricter than avsc, which lets some pairs pass until the bytes come.
 */
import {
  type FieldSchema,
  fullName,
  isNamed,
  isUnion,
  type NamedSchema,
  type RecordSchema,
  type Schema,
} from './avro.ts'

export interface Cause {
  readonly kind: 'field' | 'type' | 'branch' | 'symbol' | 'name' | 'size' | 'alias'
  /** Such as context.player, played[].toMs or properties{}. */
  readonly path: string
  /** What each side has there, in a word. */
  readonly reader: string
  readonly writer: string
}

export function readProblems(reader: RecordSchema, writer: RecordSchema): Cause[] {
  return new Resolution(namedTypes(reader), namedTypes(writer)).check(reader, writer, '')
}

/** A writer's type on the left is read as any of those on the right without loss of meaning. */
const PROMOTIONS: Readonly<Record<string, readonly string[]>> = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  string: ['bytes'],
  bytes: ['string'],
}

class Resolution {
  private readonly readerTypes: ReadonlyMap<string, NamedSchema>
  private readonly writerTypes: ReadonlyMap<string, NamedSchema>
  /** Pairs under way or done: recursion ends, and a shared type's problems are told once. */
  private readonly seen = new Set<string>()

  constructor(readerTypes: ReadonlyMap<string, NamedSchema>, writerTypes: ReadonlyMap<string, NamedSchema>) {
    this.readerTypes = readerTypes
    this.writerTypes = writerTypes
  }

  check(readerRef: Schema, writerRef: Schema, path: string): Cause[] {
    const reader = resolve(readerRef, this.readerTypes)
    const writer = resolve(writerRef, this.writerTypes)
    if (isUnion(writer)) return this.writerUnion(reader, writer, path)
    if (isUnion(reader)) {
      const readable = reader.some((branch) => this.fits(branch, writer))
      const near = reader.find((branch) => word(branch) === word(writer))
      if (readable) return []
      return near
        ? this.check(near, writer, path)
        : [{ kind: 'branch', path, reader: word(reader), writer: word(writer) }]
    }
    if (isNamed(reader) && isNamed(writer) && reader.type === writer.type) return this.named(reader, writer, path)
    if (typeof reader === 'object' && typeof writer === 'object') {
      if (reader.type === 'array' && writer.type === 'array') return this.check(reader.items, writer.items, `${path}[]`)
      if (reader.type === 'map' && writer.type === 'map') return this.check(reader.values, writer.values, `${path}{}`)
    }
    const [to, from] = [kind(reader), kind(writer)]
    if (to === from || PROMOTIONS[from]?.includes(to)) return []
    return [{ kind: 'type', path, reader: to, writer: from }]
  }

  /** Whatever branch the writer takes must be readable. */
  private writerUnion(reader: Schema, writer: readonly Schema[], path: string): Cause[] {
    return writer.flatMap((branch) => {
      const causes = this.check(reader, branch, path)
      const whole = causes.length === 1 && causes[0]?.kind === 'type' && causes[0].path === path
      return whole ? [{ kind: 'branch' as const, path, reader: word(reader), writer: word(branch) }] : causes
    })
  }

  private fits(reader: Schema, writer: Schema): boolean {
    return new Resolution(this.readerTypes, this.writerTypes).check(reader, writer, '').length === 0
  }

  private named(reader: NamedSchema, writer: NamedSchema, path: string): Cause[] {
    const pair = `${fullName(reader)}:${fullName(writer)}`
    if (this.seen.has(pair)) return []
    this.seen.add(pair)
    if (!namesOf(reader).includes(fullName(writer))) {
      return [{ kind: 'name', path: path || 'the record', reader: fullName(reader), writer: fullName(writer) }]
    }
    if (reader.type === 'record' && writer.type === 'record') return this.fields(reader, writer, path)
    if (reader.type === 'enum' && writer.type === 'enum') {
      if (reader.default !== undefined) return []
      const missing = writer.symbols.filter((symbol) => !reader.symbols.includes(symbol))
      return missing.length > 0 ? [{ kind: 'symbol', path, reader: '', writer: missing.join(', ') }] : []
    }
    if (reader.type === 'fixed' && writer.type === 'fixed' && reader.size !== writer.size) {
      return [{ kind: 'size', path, reader: `${reader.size}`, writer: `${writer.size}` }]
    }
    return []
  }

  private fields(reader: RecordSchema, writer: RecordSchema, path: string): Cause[] {
    return reader.fields.flatMap((field): Cause[] => {
      const at = path === '' ? field.name : `${path}.${field.name}`
      const names = [field.name, ...(field.aliases ?? [])]
      const matches = writer.fields.filter((other) => names.includes(other.name))
      const [match] = matches as [FieldSchema?]
      if (matches.length > 1) {
        return [{ kind: 'alias', path: at, reader: '', writer: matches.map(({ name }) => name).join(', ') }]
      }
      if (match) return this.check(field.type, match.type, at)
      return field.default === undefined
        ? [{ kind: 'field', path: at, reader: word(field.type), writer: 'nothing' }]
        : []
    })
  }
}

/** Every named type that a self-contained schema defines. */
export function namedTypes(schema: Schema): Map<string, NamedSchema> {
  const types = new Map<string, NamedSchema>()
  const walk = (node: Schema): void => {
    if (typeof node === 'string') return
    if (isUnion(node)) {
      node.forEach(walk)
      return
    }
    if (isNamed(node)) types.set(fullName(node), node)
    if (node.type === 'record') for (const field of node.fields) walk(field.type)
    if (node.type === 'array') walk(node.items)
    if (node.type === 'map') walk(node.values)
  }
  walk(schema)
  return types
}

function resolve(schema: Schema, types: ReadonlyMap<string, NamedSchema>): Schema {
  return typeof schema === 'string' ? (types.get(schema) ?? schema) : schema
}

function namesOf(schema: NamedSchema): string[] {
  const qualify = (alias: string): string =>
    alias.includes('.') ? alias : `${fullName(schema).slice(0, fullName(schema).lastIndexOf('.') + 1)}${alias}`
  return [fullName(schema), ...(schema.aliases ?? []).map(qualify)]
}

function kind(schema: Schema): string {
  if (typeof schema === 'string') return schema
  return isUnion(schema) ? 'union' : schema.type
}

/** What a person would call this type. */
export function word(schema: Schema): string {
  if (typeof schema === 'string') return schema
  if (isUnion(schema)) return `[${schema.map(word).join(', ')}]`
  if (isNamed(schema)) return fullName(schema)
  if (schema.type === 'array') return `array of ${word(schema.items)}`
  if (schema.type === 'map') return `map of ${word(schema.values)}`
  return schema.logicalType ? `${schema.type} (${schema.logicalType})` : schema.type
}
