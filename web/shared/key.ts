/**
 * Where the page has its key from: `#key=…` of the address, taken out of it at once, else what was given in this tab.
 * It is kept for this tab only, and travels in a header; never in a query, which servers and proxies write down.
 */
import { WEB_LIMITS } from './limits.ts'

const NAME = 'playhead.key'

/** Parts of the fragment by name, once; the address loses them. */
export function takeFragment(names: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const parts = new URLSearchParams(location.hash.replace(/^#/, ''))
  for (const name of names) {
    const value = parts.get(name)
    if (value !== null && value !== '') found.set(name, value)
  }
  if (found.size > 0) history.replaceState(null, '', `${location.pathname}${location.search}`)
  return found
}

export function readKey(): string | undefined {
  const given = takeFragment(['key']).get('key')
  if (given !== undefined) keepKey(given)
  return given ?? stored()
}

export function keepKey(key: string): void {
  storage((kept) => kept.setItem(NAME, key.slice(0, WEB_LIMITS.keyCharsMax)))
}

export function forgetKey(): void {
  storage((kept) => kept.removeItem(NAME))
}

function stored(): string | undefined {
  return storage((kept) => kept.getItem(NAME)) ?? undefined
}

/** A browser that keeps nothing asks for the key each time. */
function storage<T>(use: (kept: Storage) => T): T | undefined {
  try {
    return use(sessionStorage)
  } catch (error) {
    if (error instanceof DOMException) return undefined
    throw error
  }
}
