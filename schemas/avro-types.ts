/**
 * avsc's types, made safe for bytes that nobody vouches for, and made plain.
 *
 * avsc trusts what it reads: a hostile array count makes it loop or allocate without end, a skipped block may step
 * backwards, an int may be larger than an int; and a long beyond 52 bits is silently written as another one. The subclasses below refuse such bytes before they cost anything;
 * everything else is avsc's own code. `_read`, `_skip`, `_write` and `_check` are its internal protocol between types
 * (the version is pinned, and the tests in test/schemas/hostile.test.ts hold it to this).
 *
 * Records are read into plain objects (`Object.prototype`, so they compare, copy and print like literals), and an
 * event's record carries its literal `type` as its first property.
 */
import avro, { type Type } from 'avsc'
import type { Schema } from './avro.ts'
import { isUuid, isUuidAt } from './frame.ts'
import { SCHEMA_LIMITS } from './limits.ts'
import { asciiAt, textAt } from './text.ts'

interface Tap {
  readonly buf: Buffer
  pos: number
  readInt(): number
  readLong(): number
  readString(): string
  writeLong(value: number): void
  writeBytes(value: Buffer): void
  writeString(value: string): void
}

interface Internals {
  _read(tap: Tap): unknown
  _skip(tap: Tap): void
  _write(tap: Tap, value: unknown): void
}

type Hook = ((value: unknown, type: Type) => void) | undefined
type Registry = Record<string, Type>

export interface BuildOptions {
  readonly registry: Registry
  /** Full record name → the `type` of an event. */
  readonly tags: ReadonlyMap<string, string>
  /** Source of a shared type that is only named. */
  readonly source?: (name: string) => Schema | undefined
}

export function buildType(schema: Schema, options: BuildOptions): Type {
  const { registry, tags, source } = options
  const typeHook = (given: AvscSchema, opts: AvscOptions): Type | undefined => {
    if (typeof given === 'string') {
      const shared = registry[given] ? undefined : source?.(given)
      return shared === undefined ? SAFE_PRIMITIVES[given] : buildType(shared, options)
    }
    if (Array.isArray(given)) return undefined
    const node = given as { type: unknown; name?: string; namespace?: string; logicalType?: string }
    switch (node.type) {
      case 'array':
        return new SafeArray(given, opts)
      case 'map':
        return new SafeMap(given, opts)
      case 'record': {
        const name = node.namespace ? `${node.namespace}.${node.name}` : (node.name ?? '')
        return new (plainRecord(tags.get(name)))(given, opts)
      }
      default:
        return SAFE_PRIMITIVES[`${node.type}/${node.logicalType}`] ?? SAFE_PRIMITIVES[`${node.type}`]
    }
  }
  return avro.Type.forSchema(schema as AvscSchema, { registry, typeHook })
}

type AvscSchema = Parameters<typeof avro.Type.forSchema>[0]
type AvscOptions = Parameters<typeof avro.Type.forSchema>[1]

class SafeInt extends avro.types.IntType {
  _read(tap: Tap): number {
    const value = tap.readInt()
    if ((value | 0) !== value) throw new RangeError('an int is out of range')
    return value
  }
}

/** avsc zigzags in floating point, which is exact below 2^52 only; it says so for neither reading nor writing. */
class SafeLong extends avro.types.LongType {
  _check(value: unknown, _flags: number, hook: Hook): boolean {
    const valid = isExactLong(value)
    if (!valid && hook) hook(value, this)
    return valid
  }

  _read(tap: Tap): number {
    const value = tap.readLong()
    if (!isExactLong(value)) throw new RangeError('a long is too large to be exact')
    return value
  }

  _write(tap: Tap, value: unknown): void {
    if (!isExactLong(value)) throw new RangeError(`not a whole number below 2^52: ${String(value)}`)
    tap.writeLong(value)
  }
}

function isExactLong(value: unknown): value is number {
  return Number.isInteger(value) && Math.abs(value as number) <= SCHEMA_LIMITS.longMax
}

class Timestamp extends avro.types.LongType {
  _check(value: unknown, _flags: number, hook: Hook): boolean {
    const valid = isTimestamp(value)
    if (!valid && hook) hook(value, this)
    return valid
  }

  _read(tap: Tap): number {
    const value = tap.readLong()
    if (!isTimestamp(value)) throw new RangeError('a time is out of range')
    return value
  }

  _write(tap: Tap, value: unknown): void {
    if (!isTimestamp(value)) throw new RangeError(`not a time in milliseconds: ${String(value)}`)
    tap.writeLong(value)
  }
}

function isTimestamp(value: unknown): value is number {
  return (
    Number.isInteger(value) &&
    (value as number) >= SCHEMA_LIMITS.timestampMsMin &&
    (value as number) <= SCHEMA_LIMITS.timestampMsMax
  )
}

class SafeString extends avro.types.StringType {
  _read(tap: Tap): string {
    const length = tap.readLong()
    const at = tap.pos
    const end = at + length
    if (!(length >= 0 && end <= tap.buf.length)) throw new RangeError('a string is longer than its bytes')
    tap.pos = end
    return textAt(tap.buf, at, end)
  }
}

class Uuid extends avro.types.StringType {
  _check(value: unknown, _flags: number, hook: Hook): boolean {
    const valid = typeof value === 'string' && isUuid(value)
    if (!valid && hook) hook(value, this)
    return valid
  }

  _read(tap: Tap): string {
    const at = tap.pos + 1
    if (tap.buf[tap.pos] !== 72 || !isUuidAt(tap.buf, at)) throw new RangeError('an id is not a UUID')
    tap.pos = at + 36
    return asciiAt(tap.buf, at, at + 36)
  }

  _write(tap: Tap, value: unknown): void {
    if (typeof value !== 'string' || !isUuid(value)) throw new TypeError(`not a lower-case UUID: ${String(value)}`)
    tap.writeString(value)
  }
}

/** Takes any Uint8Array, as the types promise; avsc wants Buffers only. */
class Bytes extends avro.types.BytesType {
  _check(value: unknown, _flags: number, hook: Hook): boolean {
    const valid = value instanceof Uint8Array
    if (!valid && hook) hook(value, this)
    return valid
  }

  _write(tap: Tap, value: unknown): void {
    if (!(value instanceof Uint8Array)) throw new TypeError('not bytes')
    tap.writeBytes(Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength))
  }
}

/** How many items the next block says it has. Each takes a byte at least, so more than the bytes left is a lie. */
function blockCount(tap: Tap): number {
  let count = tap.readLong()
  if (count < 0) {
    count = -count
    tap.readLong()
  }
  if (!(count <= tap.buf.length - tap.pos)) throw new RangeError('a block is longer than its bytes')
  return count
}

class SafeArray extends avro.types.ArrayType {
  _read(tap: Tap): unknown[] {
    const items = this.itemsType as unknown as Internals
    const values: unknown[] = []
    for (let count = blockCount(tap); count > 0; count = blockCount(tap)) {
      while (count-- > 0) values.push(items._read(tap))
    }
    return values
  }

  _skip(tap: Tap): void {
    const items = this.itemsType as unknown as Internals
    for (let count = blockCount(tap); count > 0; count = blockCount(tap)) {
      while (count-- > 0) items._skip(tap)
    }
  }
}

class SafeMap extends avro.types.MapType {
  _read(tap: Tap): Record<string, unknown> {
    const valueType = this.valuesType as Internals
    const values: Record<string, unknown> = {}
    for (let count = blockCount(tap); count > 0; count = blockCount(tap)) {
      while (count-- > 0) {
        const key = STRING._read(tap)
        // As a property name it would vanish, and the event would not be what was written.
        if (key === '__proto__') throw new RangeError('a map has the key __proto__')
        values[key] = valueType._read(tap)
      }
    }
    return values
  }

  _skip(tap: Tap): void {
    const valueType = this.valuesType as Internals
    for (let count = blockCount(tap); count > 0; count = blockCount(tap)) {
      while (count-- > 0) {
        tap.readString()
        valueType._skip(tap)
      }
    }
  }

  _write(tap: Tap, value: unknown): void {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('not a map')
    if (Object.hasOwn(value, '__proto__')) throw new TypeError('a map has the key __proto__')
    const valueType = this.valuesType as Internals
    const keys = Object.keys(value)
    if (keys.length > 0) tap.writeLong(keys.length)
    for (const key of keys) {
      tap.writeString(key)
      valueType._write(tap, (value as Record<string, unknown>)[key])
    }
    tap.writeLong(0)
  }
}

const INT = new SafeInt()
const STRING = new SafeString()
const LONG = new SafeLong()
const BYTES = new Bytes()
/** By name and logical type. A logical type that we do not know is read as what it is made of. */
const SAFE_PRIMITIVES: Readonly<Record<string, Type | undefined>> = {
  int: INT,
  long: LONG,
  bytes: BYTES,
  string: STRING,
  'long/timestamp-millis': new Timestamp(),
  'string/uuid': new Uuid(),
}

/**
 * A record whose values are plain objects. avsc compiles its reader around this constructor, so plainness and the tag
 * cost one store; field names were checked by avsc before they get here.
 */
function plainRecord(tag: string | undefined): typeof avro.types.RecordType {
  return class PlainRecord extends avro.types.RecordType {
    _createConstructor(): unknown {
      const defaults: unknown[] = []
      const lines = this.fields.map((field, i) => {
        if (field.defaultValue() === undefined) return `this.${field.name} = v${i};`
        defaults.push(() => field.defaultValue())
        return `this.${field.name} = v${i} === undefined ? d[${defaults.length - 1}]() : v${i};`
      })
      if (tag !== undefined) lines.unshift(`this.type = ${JSON.stringify(tag)};`)
      const parameters = this.fields.map((_, i) => `v${i}`).join(', ')
      const source = `return function (${parameters}) { ${lines.join('\n')} }`
      const create = new Function('d', source)(defaults) as { prototype: unknown }
      create.prototype = Object.prototype
      return create
    }
  }
}
