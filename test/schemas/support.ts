import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import fc from 'fast-check'
import { type FieldSchema, fullName, isUnion, type RecordSchema, type Schema } from '../../schemas/avro.ts'
import { type EventType, isEventType, type NewEvent, type PlayheadEvent, RELEASED } from '../../schemas/index.ts'
import { SCHEMA_LIMITS } from '../../schemas/limits.ts'
import { namedTypes } from '../../schemas/resolution.ts'
import { SCHEMAS_DIR } from '../../schemas/tools/sources.ts'

/** The newest released schema of each event type. */
export const NEWEST: ReadonlyMap<EventType, RecordSchema> = new Map(
  RELEASED.map(({ schema }) => {
    const record = JSON.parse(schema) as RecordSchema
    const type = record.name.slice(record.name.lastIndexOf('.') + 1)
    if (!isEventType(type)) throw new Error(`${type} is released but no event type`)
    return [type, record]
  }),
)

/** Any event of a type: every value that its schema can hold. */
export function anyEvent(type: EventType): fc.Arbitrary<PlayheadEvent> {
  const schema = NEWEST.get(type) as RecordSchema
  return anyValue(schema, namedTypes(schema)).map((fields) => ({ type, ...(fields as object) }) as PlayheadEvent)
}

function anyValue(schema: Schema, named: ReturnType<typeof namedTypes>): fc.Arbitrary<unknown> {
  if (isUnion(schema)) return fc.option(anyValue(schema[1] as Schema, named), { nil: null })
  if (typeof schema === 'string') {
    const type = named.get(schema)
    return type ? anyValue(type, named) : anyPrimitive(schema)
  }
  switch (schema.type) {
    case 'record':
      return fc.record(
        Object.fromEntries(schema.fields.map((field: FieldSchema) => [field.name, anyValue(field.type, named)])),
        { noNullPrototype: true },
      )
    case 'enum':
      return fc.constantFrom(...schema.symbols)
    case 'array':
      return fc.array(anyValue(schema.items, named), { maxLength: 4 })
    case 'map':
      return fc.dictionary(
        fc.string().filter((key) => key !== '__proto__'),
        anyValue(schema.values, named),
        { maxKeys: 4, noNullPrototype: true },
      )
    case 'fixed':
      throw new Error(`${fullName(schema)}: no event has a fixed`)
    default:
      if (schema.logicalType === 'uuid') return fc.uuid()
      if (schema.logicalType === 'timestamp-millis') {
        return fc.integer({ min: SCHEMA_LIMITS.timestampMsMin, max: SCHEMA_LIMITS.timestampMsMax })
      }
      return anyPrimitive(schema.type)
  }
}

function anyPrimitive(type: string): fc.Arbitrary<unknown> {
  switch (type) {
    case 'boolean':
      return fc.boolean()
    case 'int':
      return fc.integer()
    case 'long':
      return fc.integer({ min: -SCHEMA_LIMITS.longMax, max: SCHEMA_LIMITS.longMax })
    case 'double':
      return fc.double({ noNaN: true })
    case 'bytes':
      return fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))
    case 'string':
      return fc.string({ unit: 'grapheme', maxLength: 40 })
    default:
      throw new Error(`no event has a ${type}`)
  }
}

export const META = {
  eventId: '0190f5a2-7c3e-7d41-9e6a-3b1c5d7e9f01',
  occurredAt: 1_764_000_000_000,
  receivedAt: 1_764_000_000_123,
  source: 'sdk',
  appId: 'demo',
  environment: 'test',
  clock: 'trusted',
} as const

export const HEARTBEAT = {
  type: 'Heartbeat',
  meta: META,
  profileId: 'profile-1',
  sessionId: 'session-1',
  titleId: 'title-1',
  sequence: 3,
  positionMs: 30_000,
  played: [{ fromMs: 20_000, toMs: 30_000 }],
  state: 'playing',
  playbackRatePermille: 1000,
  videoBitrateKbps: 4_500,
} as const satisfies NewEvent

/** A copy of schemas/ (sources, released and generated) that a test may change. */
export function schemasCopy(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'playhead-schemas-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  cpSync(SCHEMAS_DIR, dir, { recursive: true, filter: (path) => !path.includes('/tools') })
  return dir
}
