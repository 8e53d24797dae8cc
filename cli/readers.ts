/** What the API and the tools read: the tables of the projections that this release runs, made if they are missing. */

import { type IncidentReader, incidentReader } from '../api/incidents/reader.ts'
import type { Checkpoints, ProgressReader, ReadProjection, StreamsReader, TitleReader } from '../api/ports.ts'
import { checkpointsOf } from '../api/readers/checkpoints.ts'
import { progressReader } from '../api/readers/progress.ts'
import { streamsReader } from '../api/readers/streams.ts'
import { titleReader } from '../api/readers/titles.ts'
import { stateTableOf } from '../consumers/generation.ts'
import type { StateStore, StateTable } from '../stores/state.ts'
import { type FoldSettings, groupsOf } from './projections.ts'

export interface OpenReaders {
  readonly progress: ProgressReader
  readonly titles: TitleReader
  readonly streams: StreamsReader
  readonly incidents: IncidentReader
  readonly checkpoints: Checkpoints
}

export async function openReaders(
  settings: FoldSettings,
  state: StateStore,
  incarnation: string,
): Promise<OpenReaders> {
  const groups = groupsOf(settings, incarnation)
  const generationOf = (name: ReadProjection | 'incidents') => {
    const found = groups.find(({ generation }) => generation.projection.name === name)
    if (found === undefined) throw new Error(`this release runs no projection ${name}`)
    return found.generation
  }
  const tableOf = async (name: ReadProjection | 'incidents'): Promise<StateTable> => {
    const spec = stateTableOf(generationOf(name))
    if (spec === undefined) throw new Error(`${name} keeps no states`)
    return await state.table(spec)
  }
  return {
    progress: progressReader(await tableOf('progress')),
    titles: titleReader(await tableOf('titles'), await tableOf('episodes')),
    incidents: incidentReader(await tableOf('incidents')),
    streams: streamsReader(await tableOf('streams')),
    checkpoints: checkpointsOf(state.commits, {
      progress: generationOf('progress').id,
      titles: generationOf('titles').id,
      episodes: generationOf('episodes').id,
      streams: generationOf('streams').id,
      views: generationOf('views').id,
    }),
  }
}
