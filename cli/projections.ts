/** The projections that this release runs: what the consumers role starts and what the tools look at. */
import { type Generation, generationOf, groupOf } from '../consumers/generation.ts'
import { cdnRequestsV1 } from '../projections/cdn-requests/v1.ts'
import { erasuresV1 } from '../projections/erasures/v1.ts'
import { eventsV1 } from '../projections/events/v1.ts'
import { importedViewsV1 } from '../projections/imported-views/v1.ts'
import { incidentsV1 } from '../projections/incidents/v1.ts'
import { progressV1 } from '../projections/progress/v1.ts'
import { progressRowsV1 } from '../projections/progress-rows/v1.ts'
import type { Projection } from '../projections/projection.ts'
import { streamsV1 } from '../projections/streams/v1.ts'
import { titleRowsV1 } from '../projections/title-rows/v1.ts'
import { episodesV1 } from '../projections/titles/episodes-v1.ts'
import { titlesV1 } from '../projections/titles/v1.ts'
import { viewsV1 } from '../projections/views/v1.ts'
import { TOPICS } from '../schemas/index.ts'
import type { Config } from './settings.ts'

/** What of the configuration is a parameter of a fold: another value means another generation. */
export type FoldSettings = Pick<Config, 'positionDays' | 'historyDays' | 'definitions'>

/** A projection as it runs here. */
export interface LiveProjection {
  readonly projection: Projection
  /** Of a definition beside the usual ones: its name. */
  readonly definition?: string
}

export function liveProjections({ positionDays, historyDays, definitions }: FoldSettings): readonly LiveProjection[] {
  const progress = { positionDays, historyDays }
  const usual = [
    eventsV1(Object.keys(TOPICS)),
    viewsV1(),
    cdnRequestsV1(),
    importedViewsV1(),
    progressV1(progress),
    progressRowsV1(progress),
    titlesV1(),
    titleRowsV1(),
    episodesV1(),
    streamsV1(),
    erasuresV1(),
    incidentsV1(),
  ]
  return [
    ...usual.map((projection) => ({ projection: projection as Projection })),
    ...definitions.map(({ name, parameters }) => ({
      projection: viewsV1(parameters) as Projection,
      definition: name,
    })),
  ]
}

export interface LiveGroup {
  readonly generation: Generation
  readonly group: string
  readonly definition: string | undefined
}

/** Those of the usual definitions come first. */
export function groupsOf(settings: FoldSettings, incarnation: string): readonly LiveGroup[] {
  return liveProjections(settings).map(({ projection, definition }) => {
    const generation = generationOf(projection, incarnation)
    return { generation, group: groupOf(generation), definition }
  })
}
