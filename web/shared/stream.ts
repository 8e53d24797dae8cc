/**
 * Server-sent events by fetch, because EventSource sends no headers and a key must not stand in an address. States:
 *   connecting → open (an answer is there) → waiting (it broke, or was never there; until when is told) → connecting …
 *   refused: the key is not let in. Nothing is tried again until somebody gives another one. closed: by `close`.
 * A stream that is silent for too long is taken for broken; sleep, a change of network and a dead proxy end so.
 */
import { backOffMs } from './back-off.ts'
import { isRefusal, NO_ANSWER, type Trouble, troubleOf } from './problem.ts'
import { createSseParser, type SseMessage } from './sse-parse.ts'

export type StreamState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  | { readonly kind: 'waiting'; readonly untilMs: number; readonly trouble: Trouble }
  | { readonly kind: 'refused'; readonly trouble: Trouble }

export interface StreamOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly silentMs: number
  readonly onMessage: (message: SseMessage) => void
  readonly onState: (state: StreamState) => void
  readonly nowMs?: () => number
  readonly random?: () => number
  readonly fetch?: typeof globalThis.fetch
}

export interface Stream {
  /** Now rather than when the wait is over. */
  retry(): void
  close(): void
}

export function follow(options: StreamOptions): Stream {
  const { url, headers, silentMs, onMessage, onState, nowMs = Date.now, random = Math.random } = options
  const ask = options.fetch ?? globalThis.fetch.bind(globalThis)
  let closed = false
  let wake: (() => void) | undefined
  let current: AbortController | undefined

  /** A message that can't be shown is a defect: let it be seen, and let the stream go on. */
  function hear(message: SseMessage): void {
    if (closed) return
    try {
      onMessage(message)
    } catch (error) {
      reportError(error)
    }
  }

  /** Undefined: it was closed while open, or ended in order. */
  async function once(): Promise<Trouble | undefined> {
    const abort = new AbortController()
    current = abort
    let watchdog = setTimeout(() => abort.abort(), silentMs)
    const alive = () => {
      clearTimeout(watchdog)
      watchdog = setTimeout(() => abort.abort(), silentMs)
    }
    try {
      const answer = await ask(url, { headers: { ...headers, accept: 'text/event-stream' }, signal: abort.signal })
      if (!answer.ok || answer.body === null) return await troubleOf(answer)
      onState({ kind: 'open' })
      const parse = createSseParser()
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
      for (;;) {
        alive()
        const { done, value } = await reader.read()
        if (done) return undefined
        tries = 0
        for (const message of parse(value)) hear(message)
      }
    } catch {
      // It broke, was silent for too long, or was never there.
      return NO_ANSWER
    } finally {
      clearTimeout(watchdog)
      abort.abort()
    }
  }

  let tries = 0
  async function run(): Promise<void> {
    while (!closed) {
      onState({ kind: 'connecting' })
      const trouble = (await once()) ?? NO_ANSWER
      if (closed) return
      if (isRefusal(trouble)) {
        onState({ kind: 'refused', trouble })
        return
      }
      const waitMs = backOffMs(tries++, random, trouble.retryAfterMs)
      onState({ kind: 'waiting', untilMs: nowMs() + waitMs, trouble })
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  run().catch(reportError)
  return {
    retry: () => wake?.(),
    close: () => {
      closed = true
      current?.abort()
      wake?.()
    },
  }
}
