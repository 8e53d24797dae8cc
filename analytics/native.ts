/**
 * The Native format as clients of protocol revision 54454 and later read it (clickhouse-go): each block begins with
 * its info, each column has a byte that says "no custom serialization". The embedded engine writes the oldest
 * revision only, so the blocks are walked, type by type, and the bytes put in; values pass through untouched.
 */
import type { ByteSource } from './byte-source.ts'
import { refuse } from './errors.ts'
import { type NativeType, parseNativeType } from './native-type.ts'

/** The first revision with the byte; below it clients that ask get the plain form, which they recognise. */
export const REVISION_WITH_CUSTOM_SERIALIZATION = 54_454

/** Field 1: no overflow row. Field 2: bucket -1. End. */
const BLOCK_INFO = Buffer.from([1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0])
const NO_CUSTOM_SERIALIZATION = Buffer.from([0])

export function* withBlockInfo(source: ByteSource): Generator<Buffer> {
  while (!source.isAtEnd()) {
    yield BLOCK_INFO
    const columns = source.readVarint()
    const rows = source.readVarint()
    yield source.take()
    for (let column = 0; column < columns; column += 1) {
      source.readText()
      const type = source.readText()
      yield source.take()
      yield NO_CUSTOM_SERIALIZATION
      if (rows === 0) continue
      const parsed = parseNativeType(type)
      for (let left = dictionaries(parsed); left > 0; left -= 1) source.readUInt64()
      yield source.take()
      yield* values(source, parsed, rows)
    }
  }
}

/** Each dictionary in a type announces its version before the column's values. */
function dictionaries(type: NativeType): number {
  switch (type.kind) {
    case 'dictionary':
      return 1
    case 'nullable':
    case 'array':
      return dictionaries(type.of)
    case 'tuple':
      return type.of.reduce((sum, element) => sum + dictionaries(element), 0)
    default:
      return 0
  }
}

/** Flags of a dictionary's block: the width of its indexes in the low byte, and whether keys come with it. */
const INDEX_WIDTH = 0xff
const HAS_KEYS = 0x200

function* dictionary(source: ByteSource, keys: NativeType): Generator<Buffer> {
  const flags = source.readUInt64()
  if ((flags & HAS_KEYS) !== 0) {
    const count = source.readUInt64()
    yield source.take()
    yield* values(source, keys, count)
  }
  const indexes = source.readUInt64()
  yield source.take()
  yield* source.pass(indexes * 2 ** (flags & INDEX_WIDTH))
}

/** Passes one column's values on. */
function* values(source: ByteSource, type: NativeType, rows: number): Generator<Buffer> {
  switch (type.kind) {
    case 'fixed':
      yield* source.pass(type.bytes * rows)
      return
    case 'string':
      yield* source.passTexts(rows)
      return
    case 'nullable':
      yield* source.pass(rows)
      yield* values(source, type.of, rows)
      return
    case 'tuple':
      for (const element of type.of) yield* values(source, element, rows)
      return
    case 'array': {
      if (rows === 0) return
      yield* source.pass(8 * (rows - 1))
      const items = source.readUInt64()
      yield source.take()
      yield* values(source, type.of, items)
      return
    }
    case 'dictionary':
      if (rows > 0) yield* dictionary(source, type.of)
      return
    case 'unknown':
      throw refuse(
        'NOT_IMPLEMENTED',
        `Type ${type.name} can't be sent in Native with block info: select toString(…) of it, or another format`,
      )
  }
}
