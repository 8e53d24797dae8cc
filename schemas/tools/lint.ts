/** Rules for sources: what keeps ten years of events readable by every language, and sliceable without a schema. */
import {
  type FieldSchema,
  fullName,
  isUnion,
  type NamedSchema,
  optional,
  type RecordSchema,
  type Schema,
} from '../avro.ts'
import { layout } from '../meaning.ts'
import { selfContained } from '../self-contained.ts'
import { isTopicName } from '../topics.ts'
import type { Source, Sources } from './sources.ts'

export function lint({ events, shared, sharedByName }: Sources): string[] {
  const problems: string[] = []
  const names = new Set<string>()
  for (const { file, area, schema } of [...shared, ...events]) {
    const namespace = area === 'shared' ? 'playhead' : `playhead.${area}`
    if (schema.namespace !== namespace) problems.push(`${file}: the namespace must be ${namespace}, like the folder.`)
    if (!file.endsWith(`/${schema.name}.avsc`)) problems.push(`${file}: the file must be named after ${schema.name}.`)
    if (names.has(schema.name)) problems.push(`${file}: ${schema.name} exists already; type names are unique.`)
    names.add(schema.name)
    problems.push(...lintType(schema).map((problem) => `${file}: ${problem}`))
  }
  for (const event of events) {
    problems.push(...lintEvent(event, sharedByName).map((problem) => `${event.file}: ${problem}`))
  }
  return problems
}

function lintType(schema: NamedSchema): string[] {
  const problems: string[] = []
  if (!schema.doc) problems.push('it needs a doc.')
  if (schema.type === 'enum' && !schema.symbols.includes(schema.default ?? '')) {
    problems.push('an enum needs a default, or no symbol can ever be added.')
  }
  if (schema.type === 'record') {
    if (schema.fields.length === 0) problems.push('a record needs a field.')
    for (const field of schema.fields) problems.push(...lintField(field))
  }
  return problems
}

function lintField(field: FieldSchema): string[] {
  const { name, type, doc } = field
  const problems: string[] = []
  const inner = optional(type) ?? type
  if (!doc) problems.push(`${name} needs a doc.`)
  if (isUnion(type) && optional(type) === undefined)
    problems.push(`${name}: a union is ["null", one type], nothing else.`)
  if (isUnion(type) && field.default !== null) problems.push(`${name} may be null, so its default must be null.`)
  if (name.endsWith('At') && !isTime(inner)) problems.push(`${name} is a time: use long with timestamp-millis.`)
  if (/(Ms|Bytes|Kbps|Permille)$/.test(name) && !['int', 'long'].includes(inner as string)) {
    problems.push(`${name} has a unit that is counted: use int or long.`)
  }
  if (typeof inner === 'object' && !isUnion(inner)) {
    const items = inner.type === 'array' ? inner.items : inner.type === 'map' ? inner.values : undefined
    if (items === 'null') problems.push(`${name}: items of no size can't be bounded by the bytes they take.`)
    if (items !== undefined && isUnion(items)) problems.push(`${name}: items may not be unions.`)
  }
  return problems
}

function lintEvent({ schema }: Source<RecordSchema>, shared: ReadonlyMap<string, NamedSchema>): string[] {
  const problems = layout(selfContained(schema, shared))
  const { topic, topicFrom, key } = schema.playhead ?? { key: '' }
  const text = (name: string): boolean => schema.fields.some((field) => field.name === name && field.type === 'string')
  if (!text(key)) problems.push(`playhead.key must name a string field, not ${key || 'nothing'}.`)
  if (topicFrom === undefined ? !isTopicName(topic ?? '') : !text(topicFrom)) {
    problems.push('playhead.topic must name a topic of topics.ts, or playhead.topicFrom a string field.')
  }
  if (schema.fields.some(({ name }) => name === 'type')) problems.push('a field named type would hide the event type.')
  if (fullName(schema).length > 200) problems.push('the name is too long for a subject.')
  return problems
}

function isTime(schema: Schema): boolean {
  return (
    typeof schema === 'object' &&
    !isUnion(schema) &&
    schema.type === 'long' &&
    schema.logicalType === 'timestamp-millis'
  )
}
