/**
 * Parsers of what a setting may hold. A parser answers the value or, in words, what was wanted; it never throws and
 * never repeats its input (it may be a secret).
 */
import { isIP } from 'node:net'

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly wanted: string }
export type Parser<T> = (text: string) => Parsed<T>

export interface HostPort {
  readonly host: string
  readonly port: number
}

export type LogAddress =
  | { readonly engine: 'embedded' }
  | {
      readonly engine: 'kafka'
      readonly brokers: readonly HostPort[]
      readonly username?: string
      readonly password?: string
    }

export type StoreAddress =
  | { readonly engine: 'embedded' }
  | {
      readonly engine: 'cassandra'
      readonly contactPoints: readonly HostPort[]
      readonly keyspace: string
      readonly username?: string
      readonly password?: string
    }

export type AnalyticsAddress =
  | { readonly engine: 'embedded' }
  | {
      readonly engine: 'clickhouse'
      /** Scheme, host and port only. */
      readonly url: string
      readonly database: string
      readonly username?: string
      readonly password?: string
    }

const good = <T>(value: T): Parsed<T> => ({ ok: true, value })
const bad = (wanted: string): Parsed<never> => ({ ok: false, wanted })

export const text: Parser<string> = (t) => good(t)

export const filledText: Parser<string> = (t) => (t.length > 0 ? good(t) : bad('a text that is not empty'))

export function integer(min: number, max: number): Parser<number> {
  return (t) => {
    const n = Number(t)
    return /^\d{1,15}$/.test(t) && n >= min && n <= max ? good(n) : bad(`a whole number from ${min} to ${max}`)
  }
}

export const port: Parser<number> = integer(0, 65_535)

export function oneOf<const T extends string>(...choices: readonly T[]): Parser<T> {
  return (t) => {
    const found = choices.find((c) => c === t.toLowerCase())
    return found === undefined ? bad(`one of ${choices.join(', ')}`) : good(found)
  }
}

export const bool: Parser<boolean> = (t) => {
  if (/^(true|yes|on|1)$/i.test(t)) return good(true)
  if (/^(false|no|off|0)$/i.test(t)) return good(false)
  return bad('true or false')
}

export const list: Parser<readonly string[]> = (t) =>
  good(
    t
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  )

/** Addresses, or networks such as 10.0.0.0/8. */
export const networks: Parser<readonly string[]> = (t) => {
  const all = t.split(',').map((part) => part.trim())
  const given = all.filter((part) => part !== '')
  return given.every(isNetwork)
    ? good(given)
    : bad('addresses and networks such as 10.0.0.0/8, with commas between them')
}

function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  const version = isIP(address)
  if (version === 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
}

export const webAddress: Parser<string> = (t) => {
  const url = URL.canParse(t) ? new URL(t) : undefined
  return url && (url.protocol === 'http:' || url.protocol === 'https:') ? good(t) : bad('http(s)://host:port')
}

const LOG_WANTED = 'embedded, or kafka://[user:password@]host:port,host:port'
export const logAddress: Parser<LogAddress> = (t) => {
  if (t === 'embedded') return good({ engine: 'embedded' })
  const parts = split(t, 'kafka', 9092)
  if (parts === undefined || parts.path !== '') return bad(LOG_WANTED)
  return good({ engine: 'kafka', brokers: parts.hosts, ...parts.login })
}

const STORE_WANTED = 'embedded, or cassandra://[user:password@]host:port,host:port/keyspace (keyspace: a–z, 0–9, _)'
export const storeAddress: Parser<StoreAddress> = (t) => {
  if (t === 'embedded') return good({ engine: 'embedded' })
  const parts = split(t, 'cassandra', 9042)
  if (parts === undefined || !/^[a-z][a-z0-9_]{0,47}$/.test(parts.path)) return bad(STORE_WANTED)
  return good({ engine: 'cassandra', contactPoints: parts.hosts, keyspace: parts.path, ...parts.login })
}

const ANALYTICS_WANTED = 'embedded, or http(s)://user:password@host:8123/database'
export const analyticsAddress: Parser<AnalyticsAddress> = (t) => {
  if (t === 'embedded') return good({ engine: 'embedded' })
  const scheme = /^(https?):/.exec(t)?.[1]
  const parts = scheme === undefined ? undefined : split(t, scheme, scheme === 'https' ? 8443 : 8123)
  const host = parts?.hosts[0]
  if (parts === undefined || host === undefined || parts.hosts.length !== 1) return bad(ANALYTICS_WANTED)
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(parts.path || 'default')) return bad(ANALYTICS_WANTED)
  const url = `${scheme}://${host.host.includes(':') ? `[${host.host}]` : host.host}:${host.port}`
  return good({ engine: 'clickhouse', url, database: parts.path || 'default', ...parts.login })
}

interface AddressParts {
  readonly hosts: readonly HostPort[]
  readonly path: string
  readonly login: { readonly username?: string; readonly password?: string }
}

/** `scheme://[user:password@]host[:port],…[/path]`: like a URL, but with several hosts, which URL doesn't know. */
function split(address: string, scheme: string, defaultPort: number): AddressParts | undefined {
  const prefix = `${scheme}://`
  if (!address.startsWith(prefix)) return undefined
  const rest = address.slice(prefix.length)
  const at = rest.lastIndexOf('@')
  const slash = rest.indexOf('/', at + 1)
  const hosts = hostPorts(rest.slice(at + 1, slash < 0 ? undefined : slash), defaultPort)
  const login = at < 0 ? {} : credentials(rest.slice(0, at))
  if (hosts === undefined || login === undefined) return undefined
  return { hosts, login, path: slash < 0 ? '' : rest.slice(slash + 1).replace(/\/$/, '') }
}

function credentials(userInfo: string): AddressParts['login'] | undefined {
  const colon = userInfo.indexOf(':')
  const username = decode(colon < 0 ? userInfo : userInfo.slice(0, colon))
  if (username === undefined || username === '') return undefined
  if (colon < 0) return { username }
  const password = decode(userInfo.slice(colon + 1))
  return password === undefined ? undefined : { username, password }
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}

function hostPorts(hostList: string, defaultPort: number): readonly HostPort[] | undefined {
  const hosts: HostPort[] = []
  for (const part of hostList.split(',')) {
    const match = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(part.trim())
    if (match === null) return undefined
    const portNumber = match[2] === undefined ? defaultPort : Number(match[2])
    if (portNumber < 1 || portNumber > 65_535) return undefined
    hosts.push({ host: match[1]!.replace(/^\[|\]$/g, ''), port: portNumber })
  }
  return hosts
}

/** The same address with its password hidden, for eyes and logs. */
export function maskPassword(address: string): string {
  return address.replace(/^([a-z][a-z0-9+.-]*:\/\/[^:@/]*):.*@/i, '$1:***@')
}
