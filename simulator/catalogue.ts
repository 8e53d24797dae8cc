/** What there is to watch: films, series with their episodes, clips. A few are watched by most (Zipf). */
import type { NewEventOf, TitleFacts } from '../schemas/index.ts'
import { Choices, type Random, Streams } from './random.ts'

export interface Title {
  readonly titleId: string
  readonly name: string
  readonly kind: 'movie' | 'episode' | 'clip'
  readonly durationMs: number
  readonly facts: TitleFacts
  /** The episode after this one. */
  readonly next: Title | undefined
}

export interface Catalogue {
  readonly titles: readonly Title[]
  pick(random: Random): Title
}

const ZIPF = 0.9
const MINUTE_MS = 60_000
/** Shares of films and clips; the rest are episodes, EPISODES to a series. */
const [FILMS, CLIPS] = [0.3, 0.2]
const EPISODES = 8

export function makeCatalogue(seed: string, count: number, scale: number): Catalogue {
  const random = new Streams(seed, 'catalogue').of(0)
  const titles: Title[] = []
  while (titles.length < count) {
    const share = random.share()
    if (share < FILMS) titles.push(film(titles.length, random, scale))
    else if (share < FILMS + CLIPS) titles.push(clip(titles.length, random, scale))
    else titles.push(...series(titles.length, Math.min(EPISODES, count - titles.length), random, scale))
  }
  const ranked = shuffled(titles, random)
  const choices = new Choices(ranked.map((title, rank): [Title, number] => [title, 1 / (rank + 1) ** ZIPF]))
  return { titles, pick: (from) => from.pick(choices) }
}

/** As the catalogue's own record. */
export function registration(title: Title): Omit<NewEventOf<'TitleRegistered'>, 'meta'> {
  const { titleId, kind, name, durationMs, facts } = title
  const { creditsStartMs, seriesId, season, episode } = facts
  return {
    type: 'TitleRegistered',
    titleId,
    kind,
    name,
    durationMs,
    creditsStartMs,
    seriesId,
    season,
    episode,
    genres: [],
    cast: [],
    directors: [],
    regionsAvailable: [],
    regionsBlocked: [],
    audioLanguages: [],
    textLanguages: [],
    images: {},
    externalIds: {},
    manifests: {},
    by: 'simulator',
  }
}

function film(index: number, random: Random, scale: number): Title {
  const durationMs = lengthOf(random.between(80, 150), scale)
  return single(index, 'movie', `${wordsOf(random)}`, durationMs)
}

function clip(index: number, random: Random, scale: number): Title {
  return single(index, 'clip', `Clip: ${wordsOf(random)}`, lengthOf(random.between(1, 9), scale))
}

function single(index: number, kind: 'movie' | 'clip', name: string, durationMs: number): Title {
  const titleId = `sim-${kind === 'movie' ? 'film' : 'clip'}-${numbered(index)}`
  return { titleId, name, kind, durationMs, facts: factsOf(kind, durationMs), next: undefined }
}

function series(index: number, episodes: number, random: Random, scale: number): readonly Title[] {
  const seriesId = `sim-series-${numbered(index)}`
  const name = wordsOf(random)
  const minutes = random.between(22, 58)
  const made: Title[] = []
  // From the last on, so that each knows its next.
  for (let episode = episodes; episode >= 1; episode--) {
    const durationMs = lengthOf(minutes * random.between(0.95, 1.05), scale)
    const facts = { ...factsOf('episode', durationMs), seriesId, season: 1, episode }
    made.unshift({
      titleId: `${seriesId}-s1e${episode}`,
      name: `${name}, episode ${episode}`,
      kind: 'episode',
      durationMs,
      facts,
      next: made[0],
    })
  }
  return made
}

function factsOf(contentType: string, durationMs: number): TitleFacts {
  const creditsStartMs = contentType === 'clip' ? null : Math.floor(durationMs * 0.95)
  return { contentType, durationMs, creditsStartMs, seriesId: null, season: null, episode: null }
}

function lengthOf(minutes: number, scale: number): number {
  return Math.max(10_000, Math.round((minutes * scale * MINUTE_MS) / 1_000) * 1_000)
}

function numbered(index: number): string {
  return String(index + 1).padStart(4, '0')
}

function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  const mixed = items.slice()
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const held = mixed[i]!
    mixed[i] = mixed[j]!
    mixed[j] = held
  }
  return mixed
}

const HOW = ['Quiet', 'Broken', 'Northern', 'Last', 'Hidden', 'Electric', 'Paper', 'Silver', 'Distant', 'Slow']
const WHAT = ['Harbour', 'Season', 'Machine', 'Letters', 'River', 'Station', 'Orchard', 'Signal', 'Winter', 'Company']

function wordsOf(random: Random): string {
  return `${HOW[random.below(HOW.length)]} ${WHAT[random.below(WHAT.length)]}`
}
