/** Catalogue events for tests. */
import type { EventOf } from '../../schemas/index.ts'
import { meta } from './support.ts'

export function registered(
  atMs: number,
  id: number,
  fields: Partial<EventOf<'TitleRegistered'>> = {},
): EventOf<'TitleRegistered'> {
  return {
    ...{ type: 'TitleRegistered', meta: meta(atMs, id), titleId: 'dune', kind: 'movie', name: 'Dune' },
    ...{ description: null, durationMs: null, creditsStartMs: null, seriesId: null, season: null, episode: null },
    ...{ releaseYear: null, rating: null, genres: [], cast: [], directors: [], regionsAvailable: [] },
    ...{ regionsBlocked: [], audioLanguages: [], textLanguages: [], images: {}, externalIds: {}, manifests: {} },
    by: null,
    ...fields,
  }
}

export function withdrawn(atMs: number, id: number, titleId = 'dune'): EventOf<'TitleWithdrawn'> {
  return { type: 'TitleWithdrawn', meta: meta(atMs, id), titleId, reason: null, by: null }
}
