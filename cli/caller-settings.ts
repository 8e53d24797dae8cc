/** Parsers of the settings about callers: tokens and limits. Like those of addresses.ts: a value, or what was wanted. */
import type { LimitClass } from '../api/context.ts'
import { CLASS_DEFAULTS, LIMIT_CLASSES, LIMITER_LIMITS } from '../api/limiter/limits.ts'
import { CLAIM_NAMES, type ClaimMapping, type ClaimName } from '../api/tokens/claims.ts'
import { TOKEN_LIMITS } from '../api/tokens/limits.ts'
import type { Parsed, Parser } from './addresses.ts'

const good = <T>(value: T): Parsed<T> => ({ ok: true, value })
const bad = (wanted: string): Parsed<never> => ({ ok: false, wanted })

/** RFC 7518 §3.2: a key for HS256 has 256 bits at least. */
export const secretText: Parser<string> = (t) =>
  Buffer.byteLength(t) >= TOKEN_LIMITS.secretCharsMin
    ? good(t)
    : bad(`a secret of at least ${TOKEN_LIMITS.secretCharsMin} characters`)

/** Keys that came over plain http may be anybody's; a file is a path. */
export const jwksPlace: Parser<string> = (t) => {
  const url = URL.canParse(t) ? new URL(t) : undefined
  const local = url !== undefined && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && local)) return good(t)
  return t === '' || url !== undefined ? bad('an https address, or the path of a file') : good(t)
}

export const claimMapping: Parser<ClaimMapping> = (t) => {
  const wanted = `pairs such as profile=sub,account=https://example.com/account (${CLAIM_NAMES.join(', ')})`
  const mapping: Partial<Record<ClaimName, string>> = {}
  for (const [name, claim] of pairs(t)) {
    const known = CLAIM_NAMES.find((n) => n === name)
    if (known === undefined || claim === '' || mapping[known] !== undefined) return bad(wanted)
    mapping[known] = claim
  }
  return good(mapping)
}

export type LimitsAddress = { readonly engine: 'memory' } | { readonly engine: 'redis'; readonly url: string }

/** Valkey speaks Redis' protocol. */
export const limitsAddress: Parser<LimitsAddress> = (t) => {
  if (t === 'memory') return good({ engine: 'memory' })
  const url = t.replace(/^valkey(s?):/, 'redis$1:')
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed !== undefined && /^rediss?:$/.test(parsed.protocol) && parsed.hostname !== '') {
    return good({ engine: 'redis', url })
  }
  return bad('memory, or redis(s)://[user:password@]host:port[/database]')
}

export const classLimits: Parser<Readonly<Record<LimitClass, number>>> = (t) => {
  const wanted = `pairs such as progress=60,start=30: requests in a minute (${LIMIT_CLASSES.join(', ')})`
  const limits = { ...CLASS_DEFAULTS }
  for (const [name, number] of pairs(t)) {
    const known = LIMIT_CLASSES.find((c) => c === name)
    const perMinute = /^\d{1,7}$/.test(number) ? Number(number) : 0
    if (known === undefined || perMinute < 1 || perMinute > LIMITER_LIMITS.perMinuteMax) return bad(wanted)
    limits[known] = perMinute
  }
  return good(limits)
}

function pairs(t: string): readonly (readonly [string, string])[] {
  return t
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=')
      return equals < 0 ? [part, ''] : [part.slice(0, equals).trim(), part.slice(equals + 1).trim()]
    })
}
