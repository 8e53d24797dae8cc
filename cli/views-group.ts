/** Which generation of `views` a command means: that of the usual definition, or of one that is configured beside it. */

import type { Book } from '../consumers/book.ts'
import { UsageError } from './args.ts'
import { groupsRead } from './generations.ts'
import type { FoldSettings, LiveGroup } from './projections.ts'

export const DEFINITION_FLAG = {
  name: 'definition',
  value: 'NAME',
  help: 'The views of this definition, one of PLAYHEAD_DEFINITIONS; without it, the usual ones.',
} as const

export function viewsGroup(
  settings: FoldSettings,
  book: Book,
  incarnation: string,
  definition: string | undefined,
  command: string,
): LiveGroup {
  const groups = groupsRead(settings, book, incarnation).filter(
    ({ generation }) => generation.projection.name === 'views',
  )
  const found = groups.find((group) => group.definition === definition)
  if (found !== undefined) return found
  const names = groups.flatMap((group) => group.definition ?? [])
  const known = names.length === 0 ? 'none is configured' : `there are ${names.join(', ')}`
  throw new UsageError(`--definition: there is no "${definition}" (${known}).`, command)
}
