/**
 * Changes that Avro allows and we don't: the bytes can be read, but they would mean something else. Old events are
 * replayed for years, and a replay must give the same values as it did on the day.
 */
import type { FieldSchema, NamedSchema, RecordSchema } from './avro.ts'
import { namedTypes, word } from './resolution.ts'

export function meaningProblems(older: RecordSchema, newer: RecordSchema): string[] {
  const problems: string[] = [...routing(older, newer), ...layout(newer)]
  const newTypes = namedTypes(newer)
  for (const [name, type] of namedTypes(older)) {
    const now = newTypes.get(name)
    if (now) problems.push(...typeProblems(type, now, type.name === older.name ? '' : name))
  }
  return problems
}

function typeProblems(older: NamedSchema, newer: NamedSchema, prefix: string): string[] {
  if (older.type === 'enum' && newer.type === 'enum') {
    if (older.default === undefined || older.default === newer.default) return []
    return [
      `${prefix} changed its default from ${older.default} to ${newer.default ?? 'none'}, so a symbol that a reader does not know would mean something else; keep ${older.default}.`,
    ]
  }
  if (older.type !== 'record' || newer.type !== 'record') return []
  return [...fieldProblems(older, newer, prefix), ...renames(older, newer, prefix)]
}

function fieldProblems(older: RecordSchema, newer: RecordSchema, prefix: string): string[] {
  return older.fields.flatMap((field) => {
    const now = newer.fields.find(({ name }) => name === field.name)
    if (!now) return []
    const path = pathOf(prefix, field)
    const problems: string[] = []
    if (field.default !== undefined && !same(field.default, now.default)) {
      const to = now.default === undefined ? 'nothing' : JSON.stringify(now.default)
      problems.push(
        `${path} changed its default from ${JSON.stringify(field.default)} to ${to}, so old events would read differently; keep the default.`,
      )
    }
    const [before, after] = [logicalTypes(field), logicalTypes(now)]
    if (before !== after) {
      problems.push(
        `${path} changed its logical type from ${before || 'none'} to ${after || 'none'}, so its numbers or text would mean something else; add a new field beside it.`,
      )
    }
    return problems
  })
}

/** A field gone and another of its type come, without an alias: most often a rename, and then its data is lost. */
function renames(older: RecordSchema, newer: RecordSchema, prefix: string): string[] {
  const has = (schema: RecordSchema, name: string): boolean => schema.fields.some((field) => field.name === name)
  const gone = older.fields.filter((field) => !has(newer, field.name))
  const come = newer.fields.filter((field) => !has(older, field.name))
  return gone.flatMap((field) => {
    if (come.some((other) => other.aliases?.includes(field.name))) return []
    const twin = come.find((other) => word(other.type) === word(field.type))
    if (!twin) return []
    return [
      `${pathOf(prefix, field)} is gone and ${twin.name} of the same type has come, so what was written as ${field.name} would be lost; add "aliases": ["${field.name}"] to ${twin.name} if it was renamed, else keep ${field.name}.`,
    ]
  })
}

function routing(older: RecordSchema, newer: RecordSchema): string[] {
  const [before, after] = [older.playhead, newer.playhead]
  if (same(before, after)) return []
  return [
    `playhead changed from ${JSON.stringify(before)} to ${JSON.stringify(after)}, so one key's events would lie in two places and lose their order; make a new event type.`,
  ]
}

/** `eventIdOf` reads an event's id from its place in the bytes, whatever the schema. */
export function layout(schema: RecordSchema): string[] {
  const meta = schema.fields[0]
  const record = meta && namedTypes(meta.type).get('playhead.Meta')
  const id = record?.type === 'record' ? record.fields[0] : undefined
  if (meta?.name === 'meta' && id?.name === 'eventId' && word(id.type) === 'string (uuid)') return []
  return [
    'meta must stay the first field and eventId (string, uuid) its first, so that ids can be read without a schema; move them back.',
  ]
}

function logicalTypes(field: FieldSchema): string {
  const found: string[] = []
  JSON.stringify(field.type, (key, value: unknown) => {
    // A named type is looked at on its own.
    if (key === 'fields') return undefined
    if (key === 'logicalType') found.push(String(value))
    return value
  })
  return found.join(', ')
}

function pathOf(prefix: string, field: FieldSchema): string {
  return prefix === '' ? field.name : `${prefix}.${field.name}`
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
