/**
 * Events to bytes and back.
 *
 * A codec knows schemas by id. Without an external registry the ids are those of schemas/released and never change;
 * with one, every released version was registered there when the codec was made and the ids are the registry's. A
 * reader (the newest type, and how to read that writer's bytes as it) is built when its id is first met.
 *
 * `decode` never throws and never allocates more than the bytes it was given justify; an id it has not met is a value,
 * and only `learn` asks the network for it.
 */
import type { Type } from 'avsc'
import type { Schema } from './avro.ts'
import { buildType } from './avro-types.ts'
import { EventInvalid } from './errors.ts'
import { EVENT_TYPES, EVENTS, type EventOf, isEventType, type NewEvent, type NewEventOf } from './event.ts'
import { FRAME_BYTES, schemaIdOf } from './frame.ts'
import { RELEASED } from './generated/released.ts'
import { SOURCES } from './generated/sources.ts'
import type { EventType, PlayheadEvent } from './generated/types.ts'
import { SCHEMA_LIMITS } from './limits.ts'
import { type RegistryOptions, registryClient, type SchemaRegistry } from './registry-client.ts'
import { type Invalid, type Valid, validateEvent } from './validate.ts'

export type Decoded =
  | { readonly ok: true; readonly event: PlayheadEvent; readonly schemaId: number }
  | {
      readonly ok: false
      /** frame: not ours at all; unknown-schema: `learn` may help; body: the bytes do not fit their schema. */
      readonly cause: 'frame' | 'unknown-schema' | 'body'
      readonly schemaId?: number
      readonly detail: string
    }

export interface EventCodec {
  /** Throws EventInvalid if the event does not fit its schema: check input with `validate` first. */
  encode(event: NewEvent): Buffer
  decode(value: Buffer): Decoded
  /**
   * Finds out what an unknown id means. False if the registry has no such schema, or none of our subjects', or one
   * that can't be read as ours; rejects with SchemaRegistryUnavailable if it can't be reached.
   */
  learn(schemaId: number): Promise<boolean>
  /** Checks JSON from outside. `without` names fields that the caller will set itself (null until then), and the input may not. */
  validate<T extends EventType>(type: T, json: unknown): Valid<NewEventOf<T>> | Invalid
  validate<T extends EventType, K extends keyof EventOf<T> & string>(
    type: T,
    json: unknown,
    options: { readonly without: readonly K[] },
  ): Valid<Omit<NewEventOf<T>, K>> | Invalid
  /** What a framed event says it is, without decoding it: 'unknown' by an id not met yet, undefined if it is not framed. */
  typeOf(value: Buffer): EventType | 'unknown' | undefined
  /** The id that `encode` writes for this type. */
  schemaIdOf(type: EventType): number
}

export type CodecOptions = Partial<RegistryOptions>

/** Reads one writer's bytes as the newest type. */
interface Reader {
  readonly type: Type
  readonly resolver: ReturnType<Type['createResolver']> | undefined
}

export async function createCodec(options: CodecOptions = {}): Promise<EventCodec> {
  const { registryUrl } = options
  const registry = registryUrl === undefined ? undefined : registryClient({ ...options, registryUrl })
  const idOf = new Map<number, number>()
  for (const { id, subject, schema } of RELEASED) {
    idOf.set(id, registry ? await registry.register(subject, schema) : id)
  }
  return new Codec(idOf, registry)
}

class Codec implements EventCodec {
  private readonly newest = newestTypes()
  private readonly writers = new Map<EventType, Writer>()
  private readonly readers = new Map<number, Reader>()
  /** Ids that have a schema but no reader yet. */
  private readonly texts = new Map<number, string>()
  /** Ids that can't be decoded, and why; `final` where asking the registry again would change nothing. */
  private readonly refused = new Map<number, { readonly why: string; readonly final: boolean }>()
  /** By the ids of released schemas, as they are on the wire. */
  private readonly types = new Map<number, EventType>()
  private readonly registry: SchemaRegistry | undefined
  private scratch = Buffer.allocUnsafeSlow(SCHEMA_LIMITS.scratchBytes)

  constructor(idOf: ReadonlyMap<number, number>, registry: SchemaRegistry | undefined) {
    this.registry = registry
    const newestId = new Map<string, number>()
    const typeOfSubject = new Map<string, EventType>(EVENT_TYPES.map((type) => [EVENTS[type].subject, type]))
    for (const { id, subject, schema } of RELEASED) {
      const wireId = idOf.get(id) as number
      this.texts.set(wireId, schema)
      newestId.set(subject, wireId)
      const type = typeOfSubject.get(subject)
      if (type !== undefined) this.types.set(wireId, type)
    }
    for (const type of EVENT_TYPES) {
      const id = newestId.get(EVENTS[type].subject)
      if (id === undefined) throw new Error(`${type} was never released: npm run schemas:release`)
      this.writers.set(type, { id, type: undefined })
    }
  }

  encode(event: NewEvent): Buffer {
    const writer = this.writers.get(event.type)
    if (!writer) throw new EventInvalid(`${String(event.type)} is no event type`)
    writer.type ??= this.newest.of(event.type)
    try {
      const end = writer.type.encode(event, this.scratch, FRAME_BYTES)
      const length = end >= 0 ? end : this.scratch.length - end
      const framed = Buffer.allocUnsafe(length)
      if (end >= 0) this.scratch.copy(framed, 0, 0, end)
      else writer.type.encode(event, framed, FRAME_BYTES)
      framed[0] = 0
      framed.writeUInt32BE(writer.id, 1)
      return framed
    } catch (error) {
      throw new EventInvalid(describe(event, error as Error), { cause: error })
    }
  }

  decode(value: Buffer): Decoded {
    const schemaId = schemaIdOf(value)
    if (schemaId === undefined) {
      return {
        ok: false,
        cause: 'frame',
        detail: 'not framed: a zero byte, a 4-byte schema id and a body are expected',
      }
    }
    const reader = this.readers.get(schemaId) ?? this.readerOf(schemaId)
    if (!reader) {
      const detail = this.refused.get(schemaId)?.why ?? `schema ${schemaId} is not known`
      return { ok: false, cause: 'unknown-schema', schemaId, detail }
    }
    try {
      const { value: event, offset } = reader.type.decode(value, FRAME_BYTES, reader.resolver)
      if (offset === value.length) return { ok: true, event: event as PlayheadEvent, schemaId }
      const detail = offset < 0 ? 'the body ends too early' : `${value.length - offset} bytes follow the body`
      return { ok: false, cause: 'body', schemaId, detail }
    } catch (error) {
      return { ok: false, cause: 'body', schemaId, detail: (error as Error).message }
    }
  }

  async learn(schemaId: number): Promise<boolean> {
    if (this.readers.has(schemaId) || this.texts.has(schemaId)) return true
    if (this.refused.get(schemaId)?.final) return false
    if (!this.registry || this.readers.size + this.texts.size >= SCHEMA_LIMITS.learntIdsMax) return false
    const text = await this.registry.schema(schemaId)
    if (text === undefined) return this.refuse(schemaId, `the registry has no schema ${schemaId}`, false)
    this.refused.delete(schemaId)
    this.texts.set(schemaId, text)
    return this.readerOf(schemaId) !== undefined
  }

  validate(type: EventType, json: unknown, options?: { readonly without: readonly string[] }): never {
    return validateEvent(type, json, options?.without ?? []) as never
  }

  typeOf(value: Buffer): EventType | 'unknown' | undefined {
    const schemaId = schemaIdOf(value)
    return schemaId === undefined ? undefined : (this.types.get(schemaId) ?? 'unknown')
  }

  schemaIdOf(type: EventType): number {
    return this.writers.get(type)?.id as number
  }

  private readerOf(schemaId: number): Reader | undefined {
    const text = this.texts.get(schemaId)
    if (text === undefined) return undefined
    this.texts.delete(schemaId)
    try {
      const reader = this.newest.readerOf(JSON.parse(text) as Schema)
      if (typeof reader === 'string') this.refuse(schemaId, reader, true)
      else this.readers.set(schemaId, reader)
    } catch (error) {
      this.refuse(schemaId, `schema ${schemaId} can't be read as ours: ${(error as Error).message}`, true)
    }
    return this.readers.get(schemaId)
  }

  private refuse(schemaId: number, why: string, final: boolean): false {
    if (this.refused.size >= SCHEMA_LIMITS.refusedIdsMax) this.refused.clear()
    this.refused.set(schemaId, { why, final })
    return false
  }
}

interface Writer {
  readonly id: number
  type: Type | undefined
}

interface NewestTypes {
  of(type: EventType): Type
  /** How to read this writer's bytes, or why that is not our business. Throws if they can't be read as ours. */
  readerOf(writer: Schema): Reader | string
}

/** Today's types. They share one registry, so that all events' `meta` have one shape. */
function newestTypes(): NewestTypes {
  const registry = {}
  const tags = new Map(EVENT_TYPES.map((type) => [EVENTS[type].subject, type]))
  const source = (name: string): Schema | undefined => {
    const text = Object.hasOwn(SOURCES, name) ? SOURCES[name] : undefined
    return text === undefined ? undefined : (JSON.parse(text) as Schema)
  }
  const built = new Map<EventType, Type>()
  const of = (eventType: EventType): Type => {
    const type = built.get(eventType) ?? buildType(EVENTS[eventType].subject, { registry, tags, source })
    built.set(eventType, type)
    return type
  }
  return {
    of,
    readerOf(schema) {
      const writer = buildType(schema, { registry: {}, tags: new Map() })
      const tag = tags.get(writer.name ?? '')
      if (tag === undefined) return `${writer.name ?? 'the schema'} is none of our subjects`
      const type = of(tag)
      return { type, resolver: type.equals(writer) ? undefined : type.createResolver(writer) }
    },
  }
}

function describe(event: NewEvent, cause: Error): string {
  const checked = isEventType(event.type) ? validateEvent(event.type, event, []) : undefined
  return checked && !checked.ok
    ? `${event.type}.${checked.field}: ${checked.problem}`
    : `${event.type}: ${cause.message}`
}
