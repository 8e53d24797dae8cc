/** Facts as the first releases could say them, and the bytes that those releases and this one write for them. */
import fc from 'fast-check'
import { type FieldSchema, isUnion, type RecordSchema, type Schema } from '../../schemas/avro.ts'
import { buildType } from '../../schemas/avro-types.ts'
import { EVENT_TYPES, EVENTS, type EventCodec, type EventType, type NewEvent, RELEASED } from '../../schemas/index.ts'
import { namedTypes } from '../../schemas/resolution.ts'

export type Facts = Readonly<Record<string, unknown>>

export interface Fact {
  readonly type: EventType
  /** Every field of the first version, and no other. */
  readonly facts: Facts
}

const FIRST_MS = Date.UTC(2026, 0, 1)
const HOUR_MS = 3_600_000

interface Version {
  readonly id: number
  readonly schema: RecordSchema
}

function versionsOf(type: EventType): readonly Version[] {
  const { subject } = EVENTS[type]
  return RELEASED.filter((one) => one.subject === subject)
    .sort((a, b) => a.version - b.version)
    .map(({ id, schema }) => ({ id, schema: JSON.parse(schema) as RecordSchema }))
}

/**
 * What a field means that the first version of its event did not have. By hand, and not by the schemas' defaults: those
 * are what is tested. A field that is released later needs a line here.
 */
const MISSING: Readonly<Record<string, unknown>> = {
  'CmcdReport.raw': null,
  'CmcdRequest.raw': null,
  'Heartbeat.durationMs': null,
  'PlaybackEnded.durationMs': null,
  'ProgressReported.durationMs': null,
  'TitleRegistered.externalIds': {},
  'TitleRegistered.manifests': {},
}

export function meaningOfMissing(type: EventType): Facts {
  const versions = versionsOf(type)
  const first = versions[0]!.schema
  const newest = versions.at(-1)!.schema
  const had = new Set(first.fields.map(({ name }) => name))
  const added = newest.fields.filter(({ name }) => !had.has(name)).map(({ name }) => name)
  return Object.fromEntries(
    added.map((name) => {
      const path = `${type}.${name}`
      if (!(path in MISSING)) throw new Error(`say in MISSING what ${path} means where it is missing`)
      return [name, MISSING[path]]
    }),
  )
}

export const CHANGED_TYPES = EVENT_TYPES.filter((type) => versionsOf(type).length > 1)

/** Shared types are in every event's schema; one that grows has to be filled in below, too. */
export function sharedTypesThatGrew(): readonly string[] {
  const grew = EVENT_TYPES.flatMap((type) => {
    const versions = versionsOf(type)
    const [first, newest] = [versions[0]!, versions.at(-1)!].map(({ schema }) => namedTypes(schema))
    return [...first!].flatMap(([name, was]) => {
      const is = newest!.get(name)
      if (was.type !== 'record' || is?.type !== 'record' || name === EVENTS[type].subject) return []
      return is.fields.length === was.fields.length ? [] : [name]
    })
  })
  return [...new Set(grew)]
}

/** As the first version of its schema was written, framed with that version's id. */
export function encodeAsFirst({ type, facts }: Fact): Buffer {
  const writer = writerOf(type)
  const body = writer.type.toBuffer(facts)
  const frame = Buffer.alloc(5)
  frame.writeUInt32BE(writer.id, 1)
  return Buffer.concat([frame, body])
}

const writers = new Map<EventType, { readonly id: number; readonly type: ReturnType<typeof buildType> }>()

function writerOf(type: EventType) {
  const known = writers.get(type)
  if (known !== undefined) return known
  const { id, schema } = versionsOf(type)[0]!
  const writer = { id, type: buildType(schema, { registry: {}, tags: new Map() }) }
  writers.set(type, writer)
  return writer
}

/** The same facts as today's release writes them, all that was missing said. */
export function encodeAsNewest(codec: EventCodec, { type, facts }: Fact): Buffer {
  return codec.encode({ type, ...facts, ...meaningOfMissing(type) } as NewEvent)
}

/** Few names, so that events meet in the same rows; times of one hour, numbers that a player could have. */
const NAMED: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  ...{ profileId: few('p'), sessionId: few('s'), titleId: few('t'), accountId: few('a'), slotId: few('slot') },
  ...{ seriesId: few('series'), incidentId: few('i'), projection: fc.constantFrom('views', 'progress') },
  ...{ generationId: few('views_v1_'), topic: fc.constant('playback-events'), build: few('b') },
  ...{ occurredAt: moment(), receivedAt: moment(), sentAt: moment(), startedAt: moment(), endedAt: moment() },
  ...{ sequence: fc.integer({ min: 0, max: 40 }), season: fc.integer({ min: 1, max: 3 }) },
  ...{ episode: fc.integer({ min: 1, max: 9 }), ttlMs: fc.integer({ min: 1, max: HOUR_MS }) },
  ...{ streamsMax: fc.integer({ min: 1, max: 3 }), playbackRatePermille: fc.constantFrom(0, 1_000, 2_000) },
  sealed: fc.constant(null),
  // What it replays is chosen by the test.
  ...{ value: fc.constant(Buffer.alloc(0)) },
}

function few(prefix: string): fc.Arbitrary<string> {
  return fc.constantFrom(...[1, 2, 3].map((n) => `${prefix}${n}`))
}

function moment(): fc.Arbitrary<number> {
  return fc.integer({ min: FIRST_MS, max: FIRST_MS + HOUR_MS })
}

export function anyFact(type: EventType): fc.Arbitrary<Fact> {
  const { schema } = versionsOf(type)[0]!
  return anyValue(schema, namedTypes(schema)).map((facts) => ({ type, facts: facts as Facts }))
}

function anyValue(schema: Schema, types: ReturnType<typeof namedTypes>): fc.Arbitrary<unknown> {
  if (isUnion(schema)) return fc.option(anyValue(schema[1] as Schema, types), { nil: null, freq: 3 })
  if (typeof schema === 'string') {
    const type = types.get(schema)
    return type ? anyValue(type, types) : anyPrimitive(schema)
  }
  switch (schema.type) {
    case 'record':
      return fc.record(Object.fromEntries(schema.fields.map((field) => [field.name, anyField(field, types)])), {
        noNullPrototype: true,
      })
    case 'enum':
      return fc.constantFrom(...schema.symbols)
    case 'array':
      return fc.array(anyValue(schema.items, types), { maxLength: 3 })
    case 'map':
      return fc.dictionary(fc.constantFrom('poster', 'hls', 'a', 'b c'), anyValue(schema.values, types), {
        maxKeys: 3,
        noNullPrototype: true,
      })
    case 'fixed':
      throw new Error('no event has a fixed')
    default:
      if (schema.logicalType === 'uuid') return fc.uuid()
      if (schema.logicalType === 'timestamp-millis') return moment()
      return anyPrimitive(schema.type)
  }
}

function anyField({ name, type }: FieldSchema, types: ReturnType<typeof namedTypes>): fc.Arbitrary<unknown> {
  const named = NAMED[name]
  if (named === undefined) return anyValue(type, types)
  const fits = typeof type === 'string' || !isUnion(type) || name === 'sealed'
  return fits ? named : fc.option(named, { nil: null, freq: 3 })
}

function anyPrimitive(type: string): fc.Arbitrary<unknown> {
  switch (type) {
    case 'boolean':
      return fc.boolean()
    case 'int':
    case 'long':
      return fc.integer({ min: 0, max: 7_200_000 })
    case 'double':
      return fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 })
    case 'bytes':
      return fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes))
    case 'string':
      return fc.string({ unit: 'grapheme', maxLength: 12 })
    default:
      throw new Error(`no event has a ${type}`)
  }
}
