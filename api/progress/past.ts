/** Where a profile was in a title as it was known at a moment: for operators, because each such answer reads the log. */
import type { ApiContext, ProfileCaller } from '../context.ts'
import { Problem } from '../problems.ts'
import { fieldProblem } from '../validation.ts'
import { counts, progressOf } from './shown.ts'

export async function progressAt(
  { past }: ApiContext,
  caller: ProfileCaller,
  whose: { readonly profileId: string; readonly titleId: string },
  asOf: string,
) {
  if (caller.account !== undefined) {
    throw new Problem('KEY_NOT_ALLOWED', "A profile's token reads what is; wanted for asOf: an admin key.")
  }
  if (past === undefined) {
    throw fieldProblem({ field: 'asOf', problem: 'is not known here', remedy: 'Leave it out.' }, 'query')
  }
  const { asOf: shown, ...moment } = past.moment(asOf)
  const { profileId, titleId } = whose
  const { row, clockMs } = await past.progress({ profileId, titleId }, moment)
  // A position ran out, or not, by the clock of that moment.
  if (row === undefined || !counts(row, moment.untilMs ?? clockMs ?? 0)) {
    throw new Problem('PROGRESS_NONE', 'Nothing of it was known then, or what was known counted no more.')
  }
  return { ...progressOf(row), asOf: shown }
}
