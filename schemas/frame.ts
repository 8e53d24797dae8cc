/**
 * Confluent's framing: a zero byte, the schema's id (4 bytes, big-endian), the Avro body.
 *
 * Every event's first field is `meta` and meta's first is `eventId`, in every version ever released (`schemas:check`
 * holds that true), so an event's id always lies at the same place and is read without a schema.
 */
import { asciiAt } from './text.ts'

export const FRAME_BYTES = 5
const ID_LENGTH_AT = FRAME_BYTES
const ID_AT = FRAME_BYTES + 1
const UUID_LENGTH = 36
/** Avro writes the length 36 as the zigzag varint 72, in one byte. */
const UUID_LENGTH_ENCODED = UUID_LENGTH << 1

/** What a byte may be in a UUID, and what each place wants: two look-ups and no branch per byte. */
const HEX = 1
const HYPHEN = 2
const KIND = new Uint8Array(256)
for (const digit of '0123456789abcdef') KIND[digit.charCodeAt(0)] = HEX
KIND['-'.charCodeAt(0)] = HYPHEN
const WANTED = Uint8Array.from('xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx', (place) => (place === '-' ? HYPHEN : HEX))

export function schemaIdOf(value: Buffer): number | undefined {
  return value.length > FRAME_BYTES && value[0] === 0 ? value.readUInt32BE(1) : undefined
}

/** The id inside a framed event, or undefined for anything that is none. Costs one short string. */
export function eventIdOf(value: Buffer): string | undefined {
  if (value.length < ID_AT + UUID_LENGTH || value[0] !== 0) return undefined
  if (value[ID_LENGTH_AT] !== UUID_LENGTH_ENCODED || !isUuidAt(value, ID_AT)) return undefined
  return asciiAt(value, ID_AT, ID_AT + UUID_LENGTH)
}

/** The value of a hexadecimal digit; anything else has a bit above. */
const NO_DIGIT = 0x80
const DIGIT = new Uint8Array(256).fill(NO_DIGIT)
for (let i = 0; i < 16; i++) DIGIT['0123456789abcdef'.charCodeAt(i)] = i
/** Where in a frame the digits and the hyphens of its event id are. */
const DIGITS_AT = Uint8Array.from([...WANTED.keys()].filter((i) => WANTED[i] === HEX).map((i) => ID_AT + i))
const HYPHENS_AT = [...WANTED.keys()].filter((i) => WANTED[i] === HYPHEN).map((i) => ID_AT + i)
const [H1, H2, H3, H4] = HYPHENS_AT as [number, number, number, number]
const HYPHEN_BYTE = '-'.charCodeAt(0)

/** As `eventIdOf`, as four words of 32 bits: no string is made, one look at each byte. False: there is no id. */
export function eventIdWords(value: Buffer, words: Uint32Array): boolean {
  if (value.length < ID_AT + UUID_LENGTH || value[0] !== 0 || value[ID_LENGTH_AT] !== UUID_LENGTH_ENCODED) return false
  if (
    value[H1] !== HYPHEN_BYTE ||
    value[H2] !== HYPHEN_BYTE ||
    value[H3] !== HYPHEN_BYTE ||
    value[H4] !== HYPHEN_BYTE
  ) {
    return false
  }
  let bad = 0
  for (let word = 0, at = 0; word < 4; word++) {
    let bits = 0
    for (const end = at + 8; at < end; at++) {
      const digit = DIGIT[value[DIGITS_AT[at] as number] as number] as number
      bad |= digit
      bits = (bits << 4) | (digit & 15)
    }
    words[word] = bits
  }
  return bad < NO_DIGIT
}

/** Whether a canonical UUID (lower case, with hyphens) lies at this place. */
export function isUuidAt(bytes: Uint8Array, at: number): boolean {
  if (at + UUID_LENGTH > bytes.length) return false
  let wrong = 0
  for (let i = 0; i < UUID_LENGTH; i++) {
    wrong |= (KIND[bytes[at + i] as number] as number) ^ (WANTED[i] as number)
  }
  return wrong === 0
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export function isUuid(text: string): boolean {
  return text.length === UUID_LENGTH && UUID.test(text)
}
