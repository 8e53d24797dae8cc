/** What the values of a record mean to an event's fields: numbers within their bounds, one number out of a list. */
import type { StreamType } from '../../schemas/index.ts'
import { CMCD_LIMITS } from './limits.ts'
import { type Bare, type CmcdItem, type CmcdValue, cut, type Reading } from './reading.ts'
import { isCustomKey } from './vocabulary.ts'

type Values = Reading['values']

/** A whole number that fits into 32 bits, or null. */
export function intOf(values: Values, key: string, min = 0): number | null {
  return int(values.get(key), min)
}

function int(value: CmcdValue | undefined, min = 0): number | null {
  if (typeof value !== 'number') return null
  const whole = Math.round(value)
  return whole >= min && whole <= CMCD_LIMITS.int32Max ? whole : null
}

/** A text that its field can hold; a longer one would name something else if it were cut. */
export function textOf(values: Values, key: string, charsMax: number): string | null {
  const value = values.get(key)
  return typeof value === 'string' && value !== '' && value.length <= charsMax ? value : null
}

export function booleanOf(values: Values, key: string): boolean | null {
  const value = values.get(key)
  return typeof value === 'boolean' ? value : null
}

/** The rate in thousandths. */
export function rateOf(values: Values): number | null {
  const value = values.get('pr')
  if (typeof value !== 'number') return null
  const permille = Math.round(value * 1_000)
  return Math.abs(permille) <= CMCD_LIMITS.rateMaxPermille ? permille : null
}

export function streamTypeOf(values: Values): StreamType {
  const said = values.get('st')
  if (said === 'v') return 'vod'
  return said === 'l' || said === 'll' ? 'live' : 'unknown'
}

const PROTOCOLS: Readonly<Record<string, string>> = { d: 'dash', h: 'hls', s: 'smooth', o: 'other' }

export function protocolOf(values: Values): string | null {
  const said = values.get('sf')
  return typeof said === 'string' ? (PROTOCOLS[said] ?? null) : null
}

export interface Bitrates {
  readonly video: number | null
  readonly audio: number | null
}

/** An item without a type is of the record's own object, and of the video where nothing is said of that either. */
export function bitratesOf(values: Values): Bitrates {
  let video: number | null = null
  let audio: number | null = null
  const ownType = values.get('ot')
  for (const { value, params } of itemsOf(values, 'br')) {
    const type = typeOf(params) ?? ownType
    const kbps = int(value)
    if (kbps === null) continue
    if (type === 'a') audio = Math.max(audio ?? 0, kbps)
    else if (type === undefined || type === 'v' || type === 'av' || typeOf(params) === undefined) {
      video = Math.max(video ?? 0, kbps)
    }
  }
  return { video, audio }
}

/** What is asked of the whole player: the largest of a list. */
export function largestOf(values: Values, key: string): number | null {
  let largest: number | null = null
  for (const { value } of itemsOf(values, key)) {
    const found = int(value)
    if (found !== null && (largest === null || found > largest)) largest = found
  }
  return largest
}

/** The buffer that runs empty first is the one that counts. */
export function smallestOf(values: Values, key: string): number | null {
  let smallest: number | null = null
  for (const { value } of itemsOf(values, key)) {
    const found = int(value)
    if (found !== null && (smallest === null || found < smallest)) smallest = found
  }
  return smallest
}

/** Of the object that is asked for: the item of its type, else the first. */
export function ofObject(values: Values, key: string): number | null {
  const items = itemsOf(values, key)
  const type = values.get('ot')
  const own = items.find(({ params }) => typeOf(params) === type) ?? items[0]
  return own === undefined ? null : int(own.value)
}

/** Starvation is told by type: the periods of one type follow each other, those of two run beside each other. */
export function stallOf(values: Values): number | null {
  const items = itemsOf(values, 'bsd')
  if (items.length === 0) return null
  const sums = new Map<string, number>()
  for (const { value, params } of items) {
    const type = typeOf(params) ?? ''
    if (typeof value === 'number') sums.set(type, (sums.get(type) ?? 0) + value)
  }
  return int(Math.max(...sums.values()))
}

export function errorCodesOf(values: Values): readonly string[] {
  const items = itemsOf(values, 'ec').slice(0, CMCD_LIMITS.errorCodesMax)
  return items.map(({ value }) => cut(String(value), CMCD_LIMITS.errorCodeCharsMax))
}

/** The key that says where the player is: `pt`, or else a custom key that ends in `-pt`, in milliseconds. */
export function positionKeyOf(values: Values): string | undefined {
  if (isPosition(values.get('pt'))) return 'pt'
  for (const [key, value] of values) if (key.endsWith('-pt') && isCustomKey(key) && isPosition(value)) return key
  return undefined
}

export function positionOf(values: Values, key: string | undefined): number | null {
  return key === undefined ? null : Math.round(Number(values.get(key)))
}

function isPosition(value: CmcdValue | undefined): boolean {
  const number = typeof value === 'string' && DIGITS.test(value) ? Number(value) : value
  return typeof number === 'number' && number >= 0 && number <= CMCD_LIMITS.positionMaxMs
}

const DIGITS = /^\d{1,15}(?:\.\d+)?$/

function itemsOf(values: Values, key: string): readonly CmcdItem[] {
  const value = values.get(key)
  return typeof value === 'object' ? value : NOTHING
}

const NOTHING: readonly CmcdItem[] = []

/** `5000;v`, and `5000;ot=v` as some write it. */
function typeOf(params: CmcdItem['params']): string | undefined {
  if (params === undefined) return undefined
  for (const name in params) {
    const value = params[name]
    if (value === true) return name
    if (name === 'ot') return String(value)
  }
  return undefined
}

/** Every key that has no field of its own, as text; and what was wrong, for /v1/cmcd/conformance. */
export function otherKeys(
  { values, faults }: Reading,
  taken: ReadonlySet<string>,
  more?: string,
): Record<string, string> {
  // No key begins with an underscore: a plain object will do.
  const keys: Record<string, string> = {}
  let count = 0
  for (const [key, value] of values) {
    if (taken.has(key) || key === more || ++count >= CMCD_LIMITS.keysInEventMax) continue
    keys[key] = cut(shown(value), CMCD_LIMITS.keyValueCharsMax)
  }
  if (faults.length > 0) keys[FAULTS_KEY] = faultsText(faults)
  return keys
}

/** No player's key: custom keys have a hyphen. */
export const FAULTS_KEY = 'playhead.faults'

/** `VALUE_TYPE:br KEY_UNKNOWN:xyz`: as many as fit. */
function faultsText(faults: Reading['faults']): string {
  let text = ''
  for (const { code, key } of faults) {
    const next = `${text}${text === '' ? '' : ' '}${code}:${key}`
    if (next.length > CMCD_LIMITS.keyValueCharsMax) break
    text = next
  }
  return text
}

function shown(value: CmcdValue): string {
  return typeof value === 'object' ? `(${value.map(itemText).join(' ')})` : String(value)
}

function itemText({ value, params }: CmcdItem): string {
  const bare = bareText(value)
  if (params === undefined) return bare
  return (
    bare +
    Object.entries(params)
      .map(([name, said]) => (said === true ? `;${name}` : `;${name}=${bareText(said)}`))
      .join('')
  )
}

function bareText(value: Bare): string {
  if (typeof value === 'boolean') return value ? '?1' : '?0'
  return typeof value === 'number' ? String(value) : `"${value.replaceAll(/["\\]/g, '\\$&')}"`
}
