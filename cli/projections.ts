/** The projections that this release runs: what the consumers role starts and what the tools look at. */
import { type Generation, generationOf, groupOf } from '../consumers/generation.ts'
import { erasuresV1 } from '../projections/erasures/v1.ts'
import { eventsV1 } from '../projections/events/v1.ts'
import { progressV1 } from '../projections/progress/v1.ts'
import type { Projection } from '../projections/projection.ts'
import { streamsV1 } from '../projections/streams/v1.ts'
import { episodesV1 } from '../projections/titles/episodes-v1.ts'
import { titlesV1 } from '../projections/titles/v1.ts'
import { TOPICS } from '../schemas/index.ts'
import type { Config } from './settings.ts'

/** What of the configuration is a parameter of a fold: another value means another generation. */
export type FoldSettings = Pick<Config, 'positionDays' | 'historyDays'>

export function projectionsOf({ positionDays, historyDays }: FoldSettings): readonly Projection[] {
  return [
    eventsV1(Object.keys(TOPICS)),
    progressV1({ positionDays, historyDays }),
    titlesV1(),
    episodesV1(),
    streamsV1(),
    erasuresV1(),
  ]
}

export interface LiveGroup {
  readonly generation: Generation
  readonly group: string
}

export function groupsOf(settings: FoldSettings, incarnation: string): readonly LiveGroup[] {
  return projectionsOf(settings).map((projection) => {
    const generation = generationOf(projection, incarnation)
    return { generation, group: groupOf(generation) }
  })
}
