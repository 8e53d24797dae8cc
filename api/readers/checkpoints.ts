import type { Position } from '../../log/log.ts'
import type { CommitStore } from '../../stores/state.ts'
import type { Checkpoints, ReadProjection } from '../ports.ts'

/** `generationIds`: which generation of each projection this process reads. */
export function checkpointsOf(
  commits: CommitStore,
  generationIds: Readonly<Record<ReadProjection, string>>,
): Checkpoints {
  return {
    async next(projection, { topic, partition }) {
      const record = await commits.read({ generation: generationIds[projection], topic, partition })
      return record?.checkpoint as Position | undefined
    },
  }
}
