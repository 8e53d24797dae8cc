import type { Position } from '../../log/log.ts'
import type { CommitStore } from '../../stores/state.ts'
import type { Checkpoints, ReadProjection } from '../ports.ts'

/** `generationIds`: which generation of each projection this process reads; one that it does not read has not begun. */
export function checkpointsOf(
  commits: CommitStore,
  generationIds: Readonly<Partial<Record<ReadProjection, string>>>,
): Checkpoints {
  return {
    async next(projection, { topic, partition }) {
      const generation = generationIds[projection]
      if (generation === undefined) return undefined
      const record = await commits.read({ generation, topic, partition })
      return record?.checkpoint as Position | undefined
    },
  }
}
