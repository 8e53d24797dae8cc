/** The TypeScript that a set of Avro sources means. Pure: the same sources give the same text. */
import {
  type FieldSchema,
  fullName,
  isNamed,
  isUnion,
  type NamedSchema,
  type RecordSchema,
  type Schema,
  shortName,
} from '../avro.ts'

const HEAD =
  '// Written by schemas/tools/generate.ts from the .avsc files beside it; change those and run `npm run schemas:generate`.\n'

export function typesModule(events: readonly RecordSchema[], shared: readonly NamedSchema[]): string {
  const brands = new Set<string>()
  const named = shared.map((schema) => declaration(schema, brands))
  const records = events.map((schema) => declaration(schema, brands, schema.name))
  const names = events.map((schema) => schema.name)
  return [
    HEAD,
    '/** A string that says what it identifies: any string may become one, but one kind is never taken for another. */',
    'export type Id<Kind extends string> = string & { readonly __id?: Kind }',
    ...[...brands].sort().map((brand) => `export type ${brand} = Id<'${brand}'>`),
    '',
    ...named,
    ...records,
    `export type PlayheadEvent =\n${names.map((name) => `  | ${name}`).join('\n')}\n`,
    "export type EventType = PlayheadEvent['type']\n",
  ].join('\n')
}

function declaration(schema: NamedSchema, brands: Set<string>, tag?: string): string {
  const doc = schema.doc ? `/** ${schema.doc} */\n` : ''
  if (schema.type === 'enum') {
    return `${doc}export type ${schema.name} = ${schema.symbols.map((symbol) => `'${symbol}'`).join(' | ')}\n`
  }
  if (schema.type === 'fixed') return `${doc}export type ${schema.name} = Uint8Array\n`
  const lines = schema.fields.map((field) => property(field, brands))
  if (tag) lines.unshift(`  readonly type: '${tag}'\n`)
  return `${doc}export interface ${schema.name} {\n${lines.join('')}}\n`
}

function property(field: FieldSchema, brands: Set<string>): string {
  const doc = field.doc ? `  /** ${field.doc} */\n` : ''
  return `${doc}  readonly ${field.name}: ${typeOf(field.type, brandOf(field, brands))}\n`
}

/** `titleId` is a TitleId wherever it occurs, and so is `previousTitleId`. */
function brandOf(field: FieldSchema, brands: Set<string>): string | undefined {
  const brand = /[A-Z]?[a-z]+Id$/.exec(field.name)?.[0]
  if (brand === undefined) return undefined
  const capitalised = `${brand[0]?.toUpperCase()}${brand.slice(1)}`
  brands.add(capitalised)
  return capitalised
}

function typeOf(schema: Schema, brand: string | undefined): string {
  if (typeof schema === 'string') return primitive(schema, brand)
  if (isUnion(schema)) {
    const branches = schema.map((branch) => typeOf(branch, brand))
    return [...branches.filter((name) => name !== 'null'), ...branches.filter((name) => name === 'null')].join(' | ')
  }
  if (isNamed(schema)) return shortName(fullName(schema))
  if (schema.type === 'array') return `readonly ${typeOf(schema.items, brand)}[]`
  if (schema.type === 'map') return `Readonly<Record<string, ${typeOf(schema.values, undefined)}>>`
  return primitive(schema.type, brand)
}

function primitive(name: string, brand: string | undefined): string {
  switch (name) {
    case 'null':
    case 'boolean':
      return name
    case 'int':
    case 'long':
    case 'float':
    case 'double':
      return 'number'
    case 'string':
      return brand ?? 'string'
    case 'bytes':
      return 'Uint8Array'
    default:
      return shortName(name)
  }
}

export function sourcesModule(events: readonly RecordSchema[], shared: readonly NamedSchema[]): string {
  const line = (schema: NamedSchema): string => `  ${literal(fullName(schema))}: ${literal(JSON.stringify(schema))},\n`
  return [
    HEAD,
    "import type { EventType } from './types.ts'\n",
    '/** Subject of each event type. */',
    'export const SUBJECTS: Readonly<Record<EventType, string>> = {',
    ...events.map((schema) => `  ${schema.name}: ${literal(fullName(schema))},`),
    '}\n',
    "/** Today's sources by full name, as JSON text: parsed when first needed. */",
    'export const SOURCES: Readonly<Record<string, string>> = {',
    `${[...shared, ...events].map(line).join('')}}\n`,
  ].join('\n')
}

export function routesModule(events: readonly RecordSchema[]): string {
  return [
    HEAD,
    "import type { EventType } from './types.ts'\n",
    '/** Where each event goes: to a topic of its own or to the one that a field names; and which field is its key. */',
    'export const ROUTES = {',
    ...events.map(({ name, playhead }) => {
      const topic = playhead?.topicFrom
        ? `topic: null, topicFrom: '${playhead.topicFrom}'`
        : `topic: '${playhead?.topic}', topicFrom: null`
      return `  ${name}: { ${topic}, key: '${playhead?.key}' },`
    }),
    '} as const satisfies Record<EventType, { topic: string | null; topicFrom: string | null; key: string }>\n',
  ].join('\n')
}

interface ReleasedText {
  readonly id: number
  readonly subject: string
  readonly version: number
  readonly schema: RecordSchema
}

export function releasedModule(released: readonly ReleasedText[]): string {
  return [
    HEAD,
    'export interface ReleasedSchema {',
    '  readonly id: number',
    '  readonly subject: string',
    '  readonly version: number',
    '  /** The self-contained schema as JSON text. */',
    '  readonly schema: string',
    '}\n',
    '/** Every version ever released, by id. */',
    'export const RELEASED: readonly ReleasedSchema[] = [',
    ...released.map(
      ({ id, subject, version, schema }) =>
        `  { id: ${id}, subject: ${literal(subject)}, version: ${version}, schema: ${literal(JSON.stringify(schema))} },`,
    ),
    ']\n',
  ].join('\n')
}

/** A single-quoted literal: JSON is full of double quotes. */
function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
