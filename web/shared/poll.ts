/**
 * One question again and again. Asks when the page is seen and not when it is hidden, one at a time; after a failure it
 * waits longer each time. `now` gives up what is under way: the question has changed.
 */
import { backOffMs } from './back-off.ts'
import { NO_ANSWER, type Trouble } from './problem.ts'

export interface PollOptions {
  readonly everyMs: () => number
  /** What went wrong; undefined: nothing. */
  readonly ask: (signal: AbortSignal) => Promise<Trouble | undefined>
}

export interface Poll {
  now(): void
  close(): void
}

export function poll({ everyMs, ask }: PollOptions): Poll {
  let timer: ReturnType<typeof setTimeout> | undefined
  let current: AbortController | undefined
  let tries = 0
  let askedMs = 0
  let closed = false

  async function once(): Promise<void> {
    clearTimeout(timer)
    current?.abort()
    const mine = new AbortController()
    current = mine
    askedMs = performance.now()
    const trouble = await ask(mine.signal).catch((error: unknown) => {
      // A defect in what shows the answer: let it be seen, and let the page go on.
      reportError(error)
      return NO_ANSWER
    })
    if (closed || mine.signal.aborted) return
    current = undefined
    tries = trouble === undefined ? 0 : tries + 1
    const waitMs = trouble === undefined ? everyMs() : backOffMs(tries, Math.random, trouble.retryAfterMs)
    timer = setTimeout(() => {
      // A hidden page asks nothing; it asks when it is seen again.
      if (!document.hidden) start()
    }, waitMs)
  }

  function start(): void {
    once().catch(reportError)
  }

  const seen = () => {
    if (!document.hidden && current === undefined && performance.now() - askedMs >= everyMs()) start()
  }
  document.addEventListener('visibilitychange', seen)
  start()
  return {
    now: start,
    close: () => {
      closed = true
      clearTimeout(timer)
      current?.abort()
      document.removeEventListener('visibilitychange', seen)
    },
  }
}
