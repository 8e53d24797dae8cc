/**
 * What the catalogue says of titles, remembered for seconds: players send thousands of events of one title, and each is
 * stamped with the title's facts.
 *
 * What can fail: the catalogue may be slow or away. A write never waits long for facts: it takes the old ones if this
 * process has any, else the event is stamped with none and readers join what is missing.
 */
import type { TitleRow } from '../../projections/titles/row.ts'
import type { TitleFacts } from '../../schemas/index.ts'
import type { FactsSource } from '../context.ts'
import { API_LIMITS } from '../limits.ts'
import type { TitleReader } from '../ports.ts'
import { isAway } from '../position.ts'
import { within } from '../within.ts'

interface Known {
  readonly facts: TitleFacts | undefined
  readonly freshUntilMs: number
}

export function createFacts(titles: TitleReader, nowMs: () => number): FactsSource {
  /** In order of the last answer: the one that was longest not asked for is dropped first. */
  const known = new Map<string, Known>()
  const asked = new Map<string, Promise<void>>()

  function remember(titleId: string, facts: TitleFacts | undefined): void {
    known.delete(titleId)
    known.set(titleId, { facts, freshUntilMs: nowMs() + API_LIMITS.factsFreshMs })
    for (const oldest of known.keys()) {
      if (known.size <= API_LIMITS.factsTitlesMax) break
      known.delete(oldest)
    }
  }

  async function ask(titleIds: readonly string[]): Promise<void> {
    try {
      // Asked only after `asked` knows of it, even by a reader that fails at once.
      const rows = await Promise.resolve().then(() => titles.get(titleIds))
      titleIds.forEach((titleId, index) => {
        remember(titleId, factsOf(rows[index]))
      })
    } catch (error) {
      if (!isAway(error)) throw error
      // Not asked again before the time is up: a catalogue that is away needs no crowd at its door.
      for (const titleId of titleIds) remember(titleId, known.get(titleId)?.facts)
    } finally {
      for (const titleId of titleIds) asked.delete(titleId)
    }
  }

  return {
    atHand: (titleId) => {
      const entry = known.get(titleId)
      return entry !== undefined && entry.freshUntilMs > nowMs() ? (entry.facts ?? null) : undefined
    },
    of: async (titleIds) => {
      const now = nowMs()
      const stale = new Set(titleIds.filter((titleId) => !((known.get(titleId)?.freshUntilMs ?? 0) > now)))
      const missing = [...stale].filter((titleId) => !asked.has(titleId))
      if (missing.length > 0) {
        const asking = ask(missing)
        for (const titleId of missing) asked.set(titleId, asking)
      }
      if (stale.size > 0) {
        const answers = Promise.all([...stale].flatMap((titleId) => asked.get(titleId) ?? []))
        await within(API_LIMITS.factsWaitMs, answers, undefined)
      }
      return new Map(
        titleIds.flatMap((titleId) => {
          const facts = known.get(titleId)?.facts
          return facts === undefined ? [] : [[titleId, facts]]
        }),
      )
    },
  }
}

function factsOf(row: TitleRow | undefined): TitleFacts | undefined {
  if (row === undefined) return undefined
  const { kind, durationMs, creditsStartMs, seriesId, season, episode } = row
  return { contentType: kind, durationMs, creditsStartMs, seriesId, season, episode }
}
