/** What was read of one record: its values as far as they can be used, and what was wrong with it. */

export type Bare = string | number | boolean

/** One item of a list, such as `5000;v`: its parameters are usually an object type. */
export interface CmcdItem {
  readonly value: Bare
  readonly params: Readonly<Record<string, Bare>> | undefined
}

/** A scalar that carries parameters is a list of one item. */
export type CmcdValue = Bare | readonly CmcdItem[]

/**
 * What is wrong, by a name that stays. Kept values: the reader knew what was meant. Left-out values: it did not.
 */
export const FAULTS = {
  ENCODING_BROKEN: 'The percent-encoding is broken; what could be decoded was read.',
  HEADER_WRONG: 'A key stands in another header than its own; it was read all the same.',
  KEY_INVALID: 'This is no key; what belonged to it was left out.',
  KEY_TWICE: 'A key stands twice; the last one counts.',
  KEY_UNKNOWN: 'No version of CMCD has this key, and a custom key needs a hyphen; it is kept beside the others.',
  KEY_VERSION: 'A key of version 2 in a record of version 1; it was read all the same.',
  REQUIRED_MISSING: 'A key is missing that must be there, given the others.',
  VALUE_BOOLEAN: 'A boolean as a word or a number; true is the bare key, false is ?0. It was read as meant.',
  VALUE_CHARACTERS: 'A text with characters beyond printable ASCII; it was kept.',
  VALUE_LIST: 'A list where one value is due; its first item counts.',
  VALUE_MALFORMED: 'A value that can not be read; it was left out.',
  VALUE_NOT_INTEGER: 'A fraction where a whole number is due; it was rounded.',
  VALUE_NOT_LIST: 'One value where version 2 wants a list; it was read as a list of one.',
  VALUE_QUOTED: 'A number or token in quotes; it was read without them.',
  VALUE_RANGE: 'A number beyond what the key can mean; it was left out.',
  VALUE_TOO_LONG: 'A text longer than the key allows; it was kept.',
  VALUE_TYPE: 'A value of another kind than the key wants; it was left out.',
  VALUE_UNKNOWN: 'A token that the key does not know; it was kept.',
  VALUE_UNQUOTED: 'A text without quotes; it was kept.',
  VERSION_INVALID: 'The version is no whole number from 1 on; the record was read as version 1.',
  VERSION_MISSING: 'An event record without v, which would make it version 1.',
} as const

export type FaultCode = keyof typeof FAULTS

export interface Fault {
  readonly code: FaultCode
  readonly key: string
  /** The beginning of what stood there. */
  readonly got: string
}

/** Why a record is not used at all: a version that is newer than this reader, nothing that could be read, or too much. */
export type Ignored = 'version' | 'empty' | 'length'

export interface Reading {
  /** As it came, without the blanks around it; of one too long, the beginning. */
  readonly raw: string
  /** 1 if it says none. */
  readonly version: number
  readonly values: ReadonlyMap<string, CmcdValue>
  readonly faults: readonly Fault[]
  readonly ignored?: Ignored
}

/** Bounded, and never half a character. */
export function cut(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text
  const half = (text.charCodeAt(charsMax - 1) & 0xfc00) === 0xd800
  return text.slice(0, half ? charsMax - 1 : charsMax)
}
