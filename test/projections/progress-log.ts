/** A log of progress events that is always the same: a few viewers, all that can be said, clocks ahead and behind. */
import type { PlayheadEvent } from '../../schemas/index.ts'
import { ended, paused } from './arbitrary-progress.ts'
import { beat, cleared, device, FACTS, marked, numbers, report, START_MS, started } from './support.ts'

export function progressLog(length = 400): PlayheadEvent[] {
  const next = numbers(1)
  return Array.from({ length }, (_, id) => {
    const who = { profileId: `profile-${next(5)}`, titleId: `title-${next(6)}` }
    const sessionId = `session-${next(4)}`
    const drift = next(8) === 0 ? -next(3 * 86_400_000) : 0
    const atMs = START_MS + next(40) * 10_000 + drift
    const positionMs = next(6_100_000)
    const fromMs = Math.max(0, positionMs - next(20_000))
    const known = { durationMs: next(4) === 0 ? null : 6_000_000, played: [{ fromMs, toMs: positionMs }] }
    const personal = next(3) === 0 ? null : device(`device-${next(3)}`)
    const episode = { seriesId: 'series', season: 1, episode: 1 + next(4), creditsStartMs: 5_500_000 }
    const facts = next(3) === 0 ? { ...FACTS, ...episode } : null
    const said = { ...who, positionMs, facts, personal }
    const kind = next(14)
    if (kind === 0) return cleared(atMs, id, who)
    if (kind === 1) return marked(atMs, id, { ...who, watched: next(3) > 0, facts })
    if (kind === 2) return started(atMs, id, { ...said, sessionId })
    if (kind === 3) return paused(atMs, id, { ...said, sessionId, played: known.played })
    if (kind === 4) return ended(atMs, id, { ...said, sessionId, ...known })
    if (kind < 8) return report(atMs, id, { ...said, ...known, sessionId: kind === 5 ? sessionId : null })
    return beat(atMs, id, { ...said, sessionId, ...known })
  })
}
