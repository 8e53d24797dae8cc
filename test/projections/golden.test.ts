/**
 * Fixed events, fixed digests. If one of these fails, the same events mean other rows than they did: that is a new
 * version of the fold (a folder or file beside the old one, and a new golden digest), never a change in place.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { progressV1 } from '../../projections/progress/v1.ts'
import type { Projection } from '../../projections/projection.ts'
import { streamsV1 } from '../../projections/streams/v1.ts'
import { episodesV1 } from '../../projections/titles/episodes-v1.ts'
import { titlesV1 } from '../../projections/titles/v1.ts'
import type { PlayheadEvent } from '../../schemas/index.ts'
import { progressLog } from './progress-log.ts'
import { released, renewed, requested } from './streams.ts'
import { after, digestOfRows, numbers, START_MS } from './support.ts'
import { registered, withdrawn } from './titles.ts'

function titlesLog(): PlayheadEvent[] {
  const next = numbers(2)
  return Array.from({ length: 200 }, (_, i) => {
    const titleId = `title-${next(20)}`
    const atMs = START_MS + next(100) * 1_000
    if (next(6) === 0) return withdrawn(atMs, i, titleId)
    const place = {
      seriesId: next(3) === 0 ? null : `series-${next(2)}`,
      season: next(3) || null,
      episode: next(9) || null,
    }
    const lists = { genres: ['a', 'b'].slice(next(3)), regionsBlocked: ['DE', 'FR'].slice(next(3)) }
    const more = { durationMs: next(4) === 0 ? null : next(9_000_000), images: { poster: `p${next(9)}`, hero: 'h' } }
    return registered(atMs, i, { titleId, name: `Name ${next(50)}`, ...place, ...lists, ...more })
  })
}

function streamsLog(): PlayheadEvent[] {
  const next = numbers(3)
  let ms = 0
  return Array.from({ length: 300 }, () => {
    ms += next(20_000)
    const slotId = `slot-${next(12)}`
    const kind = next(5)
    if (kind === 0) return released(ms, slotId)
    if (kind === 1) return renewed(ms - next(5_000), slotId)
    return requested(ms, slotId, { streamsMax: 1 + next(3), device: `device-${next(4)}` })
  })
}

const GOLDEN: readonly [Projection, readonly PlayheadEvent[], string][] = [
  [progressV1(), progressLog(), '569 rows, e09cef4558dc4928'],
  [titlesV1(), titlesLog(), '376 rows, 5831b3cb76955d22'],
  [episodesV1(), titlesLog(), '683 rows, 7b3d3e2179373878'],
  [streamsV1(), streamsLog(), '20 rows, 2962f89dc7e4fc31'],
]

/** After each twentieth of the log, so that what later events hide is held fast too. */
function digest(projection: Projection, events: readonly PlayheadEvent[]): string {
  const step = events.length / 20
  const cuts = Array.from({ length: 20 }, (_, i) => after(projection, events.slice(0, (i + 1) * step)))
  const { rows, sum } = digestOfRows(projection, cuts.flat())
  return `${rows} rows, ${sum.toString(16)}`
}

for (const [projection, events, golden] of GOLDEN) {
  test(`${projection.name} v${projection.foldVersion} means by its golden log what it always meant`, () => {
    assert.equal(digest(projection, events), golden)
  })
}
