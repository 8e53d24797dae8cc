/**
 * What the API and the tools read: the tables of the generations that are read. Each look-up pins one generation from
 * its beginning to its end.
 */

import { type IncidentReader, incidentReader } from '../api/incidents/reader.ts'
import type { Checkpoints, ProgressReader, StreamsReader, TitleReader } from '../api/ports.ts'
import { progressReader } from '../api/readers/progress.ts'
import { streamsReader } from '../api/readers/streams.ts'
import { titleReader } from '../api/readers/titles.ts'
import type { Position } from '../log/log.ts'
import type { StateTable } from '../stores/state.ts'
import type { Pointers } from './pointers.ts'

export interface OpenReaders {
  readonly progress: ProgressReader
  readonly titles: TitleReader
  readonly streams: StreamsReader
  readonly incidents: IncidentReader
  readonly checkpoints: Checkpoints
}

export function openReaders(pointers: Pointers): OpenReaders {
  const tableOf = (projection: string): StateTable => {
    const { table } = pointers.read(projection)
    if (table === undefined) throw new Error(`${projection} keeps no states`)
    return table
  }
  const progress = () => progressReader(tableOf('progress'))
  const titles = () => titleReader(tableOf('titles'), tableOf('episodes'))
  const incidents = () => incidentReader(tableOf('incidents'))
  return {
    progress: {
      get: async (profileId, titleIds) => await progress().get(profileId, titleIds),
      all: async (profileId) => await progress().all(profileId),
    },
    titles: {
      get: async (titleIds) => await titles().get(titleIds),
      episodes: async (seriesId) => await titles().episodes(seriesId),
    },
    streams: { get: async (accountId) => await streamsReader(tableOf('streams')).get(accountId) },
    incidents: {
      get: async (incidentId) => await incidents().get(incidentId),
      list: async (query) => await incidents().list(query),
    },
    checkpoints: {
      next: async (projection, place) => (await pointers.next(projection, place)) as Position | undefined,
    },
  }
}
