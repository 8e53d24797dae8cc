/**
 * The keys of CMCD, and what each may hold: CTA-5004 (version 1) and CTA-5004-B (version 2). Which keys there are is
 * `@svta/cml-cmcd`'s to say, the library that players report with; the kinds and bounds are the standard's.
 */
import {
  CMCD_EVENT_KEYS,
  CMCD_REQUEST_KEYS,
  CMCD_RESPONSE_KEYS,
  CMCD_V1_KEYS,
  CmcdEventType,
  CmcdObjectType,
  CmcdPlayerState,
  CmcdStreamingFormat,
  CmcdStreamType,
} from '@svta/cml-cmcd'
import { CMCD_LIMITS } from './limits.ts'

export type Kind = 'integer' | 'decimal' | 'boolean' | 'text' | 'token' | 'numbers' | 'texts'

export interface Term {
  readonly kind: Kind
  /** In version 1 the same key holds one value, where version 2 has a list. */
  readonly scalarInV1: boolean
  readonly inV1: boolean
  readonly inV2: boolean
  readonly tokens: ReadonlySet<string> | undefined
  readonly charsMax: number | undefined
  readonly min: number
  readonly max: number
}

const NUMBERS = 'ab bl br bsa bsd bsda lab lb mtp pb tab tb tbl tpb'
const INTEGERS = 'd dfa dl ltc msd pt rc rtp sn ts ttfb ttfbb ttlb v'
const SMALL = 'd dfa dl ltc msd rc rtp sn ttfb ttfbb ttlb'.split(' ')
const BOOLEANS = 'bg bs nr su'
const TOKENS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  e: CmcdEventType,
  ot: CmcdObjectType,
  sf: CmcdStreamingFormat,
  st: CmcdStreamType,
  sta: CmcdPlayerState,
}
const CHARS_MAX: Readonly<Record<string, number>> = { sid: 64, cid: 128, cdn: 128, h: 128, cen: 64 }
const SCALAR_IN_V1 = 'bl br mtp tb nor'.split(' ')
const V1: ReadonlySet<string> = new Set(CMCD_V1_KEYS)
const V2: ReadonlySet<string> = new Set([...CMCD_REQUEST_KEYS, ...CMCD_RESPONSE_KEYS, ...CMCD_EVENT_KEYS])

/** A custom key's value, by the standard. */
export const CUSTOM_CHARS_MAX = 64
/** The newest version that this reader knows. */
export const NEWEST_VERSION = 2

export const TERMS: ReadonlyMap<string, Term> = new Map(
  [...new Set([...V1, ...V2])].map((key): [string, Term] => [key, termOf(key)]),
)

function termOf(key: string): Term {
  const tokens = TOKENS[key]
  return {
    kind: kindOf(key),
    scalarInV1: SCALAR_IN_V1.includes(key),
    inV1: V1.has(key),
    inV2: V2.has(key),
    tokens: tokens && new Set(Object.values(tokens)),
    charsMax: CHARS_MAX[key],
    // Only these may be less than nothing: rewinding, and a player ahead of the edge as it believes.
    min: key === 'pr' || key === 'ltc' ? Number.NEGATIVE_INFINITY : 0,
    // Lengths of time and counts: dash.js 5.2 sends a time of day as ttfb.
    max: SMALL.includes(key) ? CMCD_LIMITS.int32Max : CMCD_LIMITS.integerMax,
  }
}

function kindOf(key: string): Kind {
  if (NUMBERS.split(' ').includes(key)) return 'numbers'
  if (INTEGERS.split(' ').includes(key)) return 'integer'
  if (BOOLEANS.split(' ').includes(key)) return 'boolean'
  if (key in TOKENS) return 'token'
  if (key === 'pr') return 'decimal'
  return key === 'nor' || key === 'ec' ? 'texts' : 'text'
}

/** Begins with a letter, and has a hyphen that is neither first nor last. */
export function isCustomKey(key: string): boolean {
  const hyphen = key.indexOf('-', 1)
  return hyphen > 0 && hyphen < key.length - 1
}

const HEADERS: Readonly<Record<string, string>> = {
  'cmcd-object': 'ab br d lab lb ot tab tb tpb',
  'cmcd-request': 'bl cs dfa dl ltc mtp nor nrr pb sn sta su tbl',
  'cmcd-session': 'cid msd sf sid st v',
  'cmcd-status': 'bg bs bsa bsd bsda cdn ec nr pr pt rtp',
}

export const HEADER_NAMES: readonly string[] = Object.keys(HEADERS)

/** The header that each key belongs in. */
export const HEADER_OF: ReadonlyMap<string, string> = new Map(
  Object.entries(HEADERS).flatMap(([header, keys]) => keys.split(' ').map((key): [string, string] => [key, header])),
)
