/** The projections that this release runs: what the consumers role starts and what the tools look at. */
import { type Generation, generationOf, groupOf } from '../consumers/generation.ts'
import { eventsV1 } from '../projections/events/v1.ts'
import type { Projection } from '../projections/projection.ts'
import { TOPICS } from '../schemas/index.ts'

export const PROJECTIONS: readonly Projection[] = [eventsV1(Object.keys(TOPICS))]

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
