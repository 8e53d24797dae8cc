/**
 * Projection `episodes`, fold version 1: a series' episodes in order. A title that moves to another place leaves its old
 * one behind; the title's own row says where it is.
 */
import type { Keyed, Projection, StateCell } from '../projection.ts'
import { newest, type Stamp, stampOf } from '../stamp.ts'
import type { EpisodeRow } from './row.ts'

interface Episode extends Stamp {
  readonly name: string
}

const keyed: Keyed<Episode> = {
  shape: {
    name: 'episodes',
    comment: "A series' episodes in order; a title that moved leaves its old place behind",
    partition: [{ name: 'series_id', type: 'text' }],
    clustering: [
      { name: 'season', type: 'int' },
      { name: 'episode', type: 'int' },
      { name: 'title_id', type: 'text' },
    ],
    columns: [
      { name: 'name', type: 'text' },
      { name: 'registered_at', type: 'timestamp' },
      { name: 'registered_by', type: 'text', comment: 'the event that said so' },
    ],
  },
  key(event) {
    if (event.type !== 'TitleRegistered') return undefined
    const { seriesId, season, episode, titleId } = event
    return seriesId === null || season === null || episode === null ? undefined : [seriesId, season, episode, titleId]
  },
  fold(state, event) {
    if (event.type !== 'TitleRegistered') throw new TypeError(`${event.type} places no episode`)
    return newest(state, { ...stampOf(event.meta), name: event.name })
  },
  rows: () => [],
  toColumns: ({ name, atMs, eventId }) => [name, atMs, eventId],
  fromColumns: ([name, atMs, eventId]) => ({
    atMs: atMs as number,
    eventId: eventId as string,
    name: name as string,
  }),
}

export function episodesV1(): Projection {
  return { name: 'episodes', foldVersion: 1, topics: ['ingest-events'], batchMs: 50, landings: [], keyed }
}

export function episodeRow(cells: readonly StateCell[], key: readonly StateCell[]): EpisodeRow {
  const [seriesId, season, episode, titleId] = key
  return {
    seriesId: seriesId as string,
    season: season as number,
    episode: episode as number,
    titleId: titleId as string,
    name: cells[0] as string,
  }
}
