/** The API as a simulation asks it: for its numbers, and whether they are complete. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Ask } from './compare.ts'
import { SIMULATE_LIMITS } from './limits.ts'

/** An answer that is none of the numbers: a wrong key, an engine without analytics. */
export class AskRefused extends Error {
  readonly code = 'ASK_REFUSED'
}

export function askApi(url: string, key: string): Ask {
  return async (route, words) => {
    const query = new URLSearchParams(words.map(([name, value]): [string, string] => [name, value]))
    const response = await fetch(`${url}/v1/qoe/${route}?${query}`, {
      headers: { 'x-playhead-key': key },
      signal: AbortSignal.timeout(SIMULATE_LIMITS.requestTimeoutMs),
    })
    const text = await response.text()
    if (!response.ok) throw new AskRefused(`/v1/qoe/${route} answered ${response.status}: ${text.slice(0, 500)}`)
    return JSON.parse(text)
  }
}

interface Freshness {
  readonly freshness: { readonly lag: number | null }
}

/** Until the engine's numbers hold all that is in the log. False: they did not within the time there is. */
export async function settled(ask: Ask, nowMs: () => number, signal: AbortSignal): Promise<boolean> {
  const untilMs = nowMs() + SIMULATE_LIMITS.settleMs
  while (!signal.aborted) {
    const { freshness } = (await ask('overview', [['metric', 'views']])) as Freshness
    if (freshness.lag === 0) return true
    if (nowMs() >= untilMs) return false
    await sleep(SIMULATE_LIMITS.settlePollMs)
  }
  return false
}
