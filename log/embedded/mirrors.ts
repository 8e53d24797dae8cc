/** Where groups say how far they are. For lag tools; nothing here decides by it. */
import { partitionName, partitionNamed } from '../assignment.ts'
import type { MirroredCheckpoint } from '../log.ts'
import type { Environment } from './environment.ts'

export async function mirror(
  environment: Environment,
  group: string,
  checkpoints: readonly MirroredCheckpoint[],
): Promise<void> {
  if (checkpoints.length === 0) return
  environment.writeGroups(`mirroring the checkpoints of ${group}`, () => {
    const next = checkpoints.map((c) => [partitionName(c), String(c.next)])
    environment.mirrors.putSync(group, { ...environment.mirrors.get(group), ...Object.fromEntries(next) })
  })
}

export function mirrored(environment: Environment, group: string): MirroredCheckpoint[] {
  environment.latest()
  const next = Object.entries(environment.mirrors.get(group) ?? {})
  return next.map(([name, position]) => ({ ...partitionNamed(name), next: BigInt(position) }))
}
