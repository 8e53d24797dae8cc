/** Which generation of `views` a command means: that of the usual definition, or of one that is configured beside it. */
import { UsageError } from './args.ts'
import { type FoldSettings, groupsOf, type LiveGroup } from './projections.ts'

export const DEFINITION_FLAG = {
  name: 'definition',
  value: 'NAME',
  help: 'The views of this definition, one of PLAYHEAD_DEFINITIONS; without it, the usual ones.',
} as const

export function viewsGroup(
  settings: FoldSettings,
  incarnation: string,
  definition: string | undefined,
  command: string,
): LiveGroup {
  const groups = groupsOf(settings, incarnation).filter(({ generation }) => generation.projection.name === 'views')
  const found = groups.find((group) => group.definition === definition)
  if (found !== undefined) return found
  const names = groups.flatMap((group) => group.definition ?? [])
  const known = names.length === 0 ? 'none is configured' : `there are ${names.join(', ')}`
  throw new UsageError(`--definition: there is no "${definition}" (${known}).`, command)
}
