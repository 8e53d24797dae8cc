/**
 * Idempotency-Key: the id of a write's event is derived from it, so the log itself knows a write that comes again. What
 * the log can't know is that the *same key came with another body*: this process remembers for a while what was sent
 * under a key, and refuses the second meaning. Beyond that memory (another process, a restart, ten minutes) the second
 * event has the first one's id and is dropped as its duplicate.
 */
import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { API_LIMITS } from './limits.ts'
import { Problem } from './problems.ts'

export interface Idempotency {
  /** The request's key, or undefined without one. Throws if it is malformed or was used for another request. */
  keyOf(request: FastifyRequest, scope: string): RequestKey | undefined
  /** The same for a key that stands beside an item of a batch; 'reused' is an answer about that item alone. */
  item(scope: string, key: string, content: unknown): 'new' | 'again' | 'reused'
}

export interface RequestKey {
  /** What ids are derived from: unlike the key itself, nobody else's. */
  readonly name: string
  /** This process has seen the same request before. */
  readonly again: boolean
}

interface Remembered {
  readonly hash: string
  readonly untilMs: number
}

export function createIdempotency(nowMs: () => number): Idempotency {
  // Insertion order is order of expiry: the oldest are dropped first, by age and by number.
  const seen = new Map<string, Remembered>()

  function remember(name: string, hash: string): 'new' | 'again' | 'reused' {
    const now = nowMs()
    for (const [oldest, { untilMs }] of seen) {
      if (untilMs > now && seen.size < API_LIMITS.idempotencyKeysMax) break
      seen.delete(oldest)
    }
    const found = seen.get(name)
    if (found !== undefined) return found.hash === hash ? 'again' : 'reused'
    seen.set(name, { hash, untilMs: now + API_LIMITS.idempotencyMs })
    return 'new'
  }

  return {
    keyOf(request, scope) {
      const key = request.headers['idempotency-key']
      if (key === undefined) return undefined
      if (typeof key !== 'string' || !isItemKey(key)) {
        throw new Problem('IDEMPOTENCY_KEY', `Send 1 to ${CHARS_MAX} printable ASCII characters.`)
      }
      const name = scoped(scope, key)
      const content = [request.method, request.url.split('?', 1)[0], request.body ?? null]
      const verdict = remember(name, hashOf(content))
      if (verdict === 'reused') {
        throw new Problem('IDEMPOTENCY_REUSED', 'The key came before with another request. Send a new key.')
      }
      return { name, again: verdict === 'again' }
    },
    item: (scope, key, content) => remember(scoped(scope, key), hashOf(content)),
  }
}

/** '#499' is put behind a request's key for the items of a batch: room for that is left. */
const CHARS_MAX = API_LIMITS.idempotencyKeyCharsMax - 4

export function isItemKey(key: string): boolean {
  return key.length <= CHARS_MAX && /^[\x21-\x7e]+$/.test(key)
}

/** Keys hold no line break, so whatever the scope holds, two pairs never make one name. */
export function scoped(scope: string, key: string): string {
  return `${scope}\n${key}`
}

function hashOf(content: unknown): string {
  return createHash('sha256').update(textOf(content)).digest('base64')
}

/** A body may be nested deeper than it can be written again: it is parsed without recursion. */
function textOf(content: unknown): string {
  try {
    return JSON.stringify(content)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new Problem('BODY_SHAPE', 'The body is nested too deeply.')
  }
}
