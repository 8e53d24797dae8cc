/** What a rule is: one mistake of an integration, told by a view's events. Pure. */
import type { LintView, Said } from './said.ts'

/** error: numbers are wrong. warning: numbers are missing, or can't be trusted. hint: more could be known. */
export const SEVERITIES = ['error', 'warning', 'hint'] as const
export type Severity = (typeof SEVERITIES)[number]

/** `moot`: the view has nothing by which it could be told. */
export type Verdict =
  | 'fine'
  | 'moot'
  | { readonly says: string; readonly count: number; readonly events: readonly Said[] }

export interface Rule {
  readonly code: string
  readonly severity: Severity
  /** What is so where nothing is found. */
  readonly fine: string
  readonly remedy: string
  readonly judge: (view: LintView) => Verdict
}

/** Fine if there is none of them. */
export function unlessAny(events: readonly Said[], says: (count: number) => string): Verdict {
  return events.length === 0 ? 'fine' : { says: says(events.length), count: events.length, events }
}

/** Something that no event says. */
export function missing(says: string): Verdict {
  return { says, count: 1, events: [] }
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
