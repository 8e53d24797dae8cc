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

export const PROJECTIONS: readonly Projection[] = [
  eventsV1(Object.keys(TOPICS)),
  progressV1(),
  titlesV1(),
  episodesV1(),
  streamsV1(),
  erasuresV1(),
]

export interface LiveGroup {
  readonly generation: Generation
  readonly group: string
}

export function groupsOf(incarnation: string): readonly LiveGroup[] {
  return PROJECTIONS.map((projection) => {
    const generation = generationOf(projection, incarnation)
    return { generation, group: groupOf(generation) }
  })
}
