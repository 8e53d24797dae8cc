/** Questions to the API. An answer that is no answer is a value; only what is broken throws. */
import { WEB_LIMITS } from './limits.ts'
import { NO_ANSWER, type Trouble, troubleOf } from './problem.ts'

export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly trouble: Trouble }

export type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>

export interface Client {
  readonly base: string
  readonly headers: Readonly<Record<string, string>>
  /** Undefined: it was given up by `signal`. */
  get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<Answer<T> | undefined>
}

export function createClient(base: string, headers: Readonly<Record<string, string>>): Client {
  return {
    base,
    headers,
    get: async <T>(path: string, query: Query = {}, signal?: AbortSignal) => {
      const late = new AbortController()
      const timer = setTimeout(() => late.abort(), WEB_LIMITS.requestTimeoutMs)
      const giveUp = () => late.abort()
      signal?.addEventListener('abort', giveUp)
      try {
        if (signal?.aborted === true) return undefined
        const answer = await fetch(`${base}${path}${queryText(query)}`, { headers, signal: late.signal })
        if (!answer.ok) return { ok: false, trouble: await troubleOf(answer) }
        return { ok: true, value: (await answer.json()) as T }
      } catch {
        // No answer, or one that is not the API's (a proxy's page): there is none to show, and it is asked again.
        if (signal?.aborted === true) return undefined
        return { ok: false, trouble: NO_ANSWER }
      } finally {
        clearTimeout(timer)
        signal?.removeEventListener('abort', giveUp)
      }
    },
  }
}

export function queryText(query: Query): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue
    for (const one of typeof value === 'object' ? value : [value]) search.append(name, String(one))
  }
  const text = search.toString()
  return text === '' ? '' : `?${text}`
}
