/**
 * What to offer a profile next: pure but for two questions to the catalogue.
 *
 * A title counts once more than a minute or 5 % of it was watched, and until it is completed. Of a series only the
 * episode watched last is offered, or the one that follows it once it is completed.
 */
import type { ProgressRow } from '../../projections/progress/row.ts'
import type { EpisodeRow, TitleRow } from '../../projections/titles/row.ts'
import { API_LIMITS } from '../limits.ts'
import type { TitleReader } from '../ports.ts'
import { counts, minutesLeft, type Place, placeOf, resumeOf } from './shown.ts'

const BEGUN_MS = 60_000
const BEGUN_PERMYRIAD = 500

/** A title that was begun or completed, with what the catalogue says of it. */
interface Seen {
  readonly row: ProgressRow
  readonly title: TitleRow | undefined
  readonly place: Place
}

export type Item = ReturnType<typeof resumeOf> & {
  readonly name: string | null
  readonly images: Readonly<Record<string, string>>
  readonly next: boolean
}

export async function continueWatching(
  rows: readonly ProgressRow[],
  titles: TitleReader,
  nowMs: number,
  limit: number,
): Promise<readonly Item[]> {
  const begun = rows
    .filter((row) => counts(row, nowMs) && (row.completed || hasBegun(row)))
    .sort(newestFirst)
    .slice(0, API_LIMITS.continueWatchingRowsMax)
  const catalogue = await titles.get(begun.map(({ titleId }) => titleId))
  const seen = begun.map((row, index) => {
    const title = catalogue[index]
    return { row, title, place: placeOf(row, title) }
  })
  const byTitle = new Map(rows.map((row) => [row.titleId, row]))
  const leads = leadOfEach(seen)
  const items: Item[] = []
  // A series that is watched to its end offers nothing, so the next ones are asked until there are enough.
  for (let at = 0; at < leads.length && items.length < limit; at += limit) {
    const found = await Promise.all(
      leads.slice(at, at + limit).map(async (lead) => await itemOf(lead, byTitle, titles, nowMs)),
    )
    items.push(...found.flatMap((item) => item ?? []))
  }
  return items.slice(0, limit)
}

export function hasBegun({ positionMs, permyriad }: ProgressRow): boolean {
  return positionMs > BEGUN_MS || (permyriad ?? 0) > BEGUN_PERMYRIAD
}

/** Newest first already: the first of a series stands for it. Seasons in one sitting may share a time: the later leads. */
function leadOfEach(seen: readonly Seen[]): readonly Seen[] {
  const leads = new Map<string, Seen>()
  for (const one of seen) {
    const { seriesId } = one.place
    const name = seriesId === null ? `title ${one.row.titleId}` : `series ${seriesId}`
    const lead = leads.get(name)
    if (lead === undefined) leads.set(name, one)
    else if (lead.row.updatedAtMs === one.row.updatedAtMs && follows(one.place, lead.place)) leads.set(name, one)
  }
  return [...leads.values()]
}

async function itemOf(
  lead: Seen,
  byTitle: ReadonlyMap<string, ProgressRow>,
  titles: TitleReader,
  nowMs: number,
): Promise<Item | undefined> {
  const { row, title, place } = lead
  if (!row.completed) {
    return title?.withdrawn === true ? undefined : { ...resumeOf(row, place), ...look(title), next: false }
  }
  if (place.seriesId === null || place.season === null || place.episode === null) return undefined
  const next = await nextEpisode(place, byTitle, titles, nowMs)
  if (next === undefined) return undefined
  return { ...nextOf(next, byTitle.get(next.titleId), nowMs), updatedAt: row.updatedAtMs, ...look(next), next: true }
}

/** The first that follows, is still where the series has it, is not withdrawn and was not watched to its end. */
async function nextEpisode(
  after: Place,
  byTitle: ReadonlyMap<string, ProgressRow>,
  titles: TitleReader,
  nowMs: number,
): Promise<TitleRow | undefined> {
  const episodes = (await titles.episodes(after.seriesId ?? '')).filter((episode) => follows(episode, after))
  for (let at = 0; at < episodes.length; at += API_LIMITS.nextEpisodesAtOnce) {
    const some = episodes.slice(at, at + API_LIMITS.nextEpisodesAtOnce)
    const found = await titles.get(some.map(({ titleId }) => titleId))
    const next = found.find((title, index) => {
      const row = title && byTitle.get(title.titleId)
      const watched = row?.completed === true && counts(row, nowMs)
      return title !== undefined && stillThere(title, some[index]) && !watched
    })
    if (next !== undefined) return next
  }
  return undefined
}

function stillThere(title: TitleRow, episode: EpisodeRow | undefined): boolean {
  const { seriesId, season, episode: number, withdrawn } = title
  return !withdrawn && seriesId === episode?.seriesId && season === episode.season && number === episode.episode
}

function nextOf(title: TitleRow, row: ProgressRow | undefined, nowMs: number) {
  const { titleId, durationMs, seriesId, season, episode } = title
  const place = { seriesId, season, episode }
  if (row !== undefined && counts(row, nowMs)) return resumeOf(row, place)
  return {
    titleId,
    positionMs: 0,
    durationMs,
    percent: durationMs === null ? null : 0,
    minutesRemaining: minutesLeft(0, durationMs),
    ...place,
    label: `S${season}:E${episode}`,
  }
}

function look(title: TitleRow | undefined) {
  return { name: title?.name ?? null, images: title?.images ?? {} }
}

function follows(a: Omit<Place, 'seriesId'>, b: Omit<Place, 'seriesId'>): boolean {
  const [seasonA, seasonB] = [a.season ?? 0, b.season ?? 0]
  return seasonA > seasonB || (seasonA === seasonB && (a.episode ?? 0) > (b.episode ?? 0))
}

function newestFirst(a: ProgressRow, b: ProgressRow): number {
  return b.updatedAtMs - a.updatedAtMs || (a.titleId < b.titleId ? -1 : 1)
}
