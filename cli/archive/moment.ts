/** A moment as an operator gives it: a day (its beginning, in UTC), or a time with its zone. */
import { UsageError } from '../args.ts'
import { timeOf } from '../moments.ts'

export function momentOf(flag: string, text: string, command: string): number {
  const ms = timeOf(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text)
  if (ms !== undefined) return ms
  throw new UsageError(
    `--${flag} ${text}: wanted a day such as 2026-11-20, or a time such as 2026-11-20T12:00:00Z.`,
    command,
  )
}
