/** One delivery over HTTP, and what came of it. No redirect is followed: where to deliver is configured, not answered. */
import { ALERT_LIMITS } from './limits.ts'

export type Answer =
  | { readonly kind: 'delivered' }
  /** It was heard and not taken: another try is of little use. */
  | { readonly kind: 'refused'; readonly why: string }
  /** It can't be reached, is slow or broken: later perhaps. */
  | { readonly kind: 'failed'; readonly why: string }

export async function send(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
  timeoutMs: number = ALERT_LIMITS.deliveryTimeoutMs,
): Promise<Answer> {
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/json', 'user-agent': 'playhead', ...headers },
      body,
      signal: AbortSignal.any([signal, timeout]),
    })
    // What it says is of no interest, and may be endless.
    await response.body?.cancel()
    return answerOf(response.status)
  } catch (error) {
    if (timeout.aborted) return { kind: 'failed', why: `no answer within ${timeoutMs} ms` }
    return { kind: 'failed', why: codeOf(error) }
  }
}

/** Told to come later: no refusal. */
const LATER: ReadonlySet<number> = new Set([408, 425, 429])

function answerOf(status: number): Answer {
  if (status >= 200 && status < 300) return { kind: 'delivered' }
  const why = `answered ${status}`
  return status >= 300 && status < 500 && !LATER.has(status) ? { kind: 'refused', why } : { kind: 'failed', why }
}

/** A code only: a message may hold the URL. */
function codeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  if (cause instanceof Error && 'code' in cause) return String(cause.code)
  return cause instanceof Error ? cause.name : 'failed'
}
