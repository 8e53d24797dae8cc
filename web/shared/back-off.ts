/** How long to wait before the n-th try: doubling, with jitter, so that pages that lost a server don't return as one. */
import { WEB_LIMITS } from './limits.ts'

export function backOffMs(tries: number, random: () => number, askedMs = 0): number {
  const full = Math.min(WEB_LIMITS.retryMsMax, WEB_LIMITS.retryMs * 2 ** Math.min(tries, 10))
  return Math.max(askedMs, full / 2 + random() * (full / 2))
}
