/** Every rule over every view of a session: pure. Findings by severity, then as the rules are listed, then by view. */
import { CMCD } from './cmcd.ts'
import { DESCRIBED } from './described.ts'
import { LIFECYCLE } from './lifecycle.ts'
import { LINT_LIMITS } from './limits.ts'
import { NUMBERING } from './numbering.ts'
import { POSITIONS } from './positions.ts'
import { REPORTS } from './reports.ts'
import { type Rule, SEVERITIES, type Severity } from './rule.ts'
import type { LintView } from './said.ts'

export const RULES: readonly Rule[] = [
  ...LIFECYCLE,
  ...POSITIONS,
  ...NUMBERING,
  ...REPORTS,
  ...DESCRIBED,
  ...CMCD,
].sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity))

export interface Finding {
  readonly code: string
  readonly severity: Severity
  readonly titleId: string
  readonly profileId: string
  readonly says: string
  readonly remedy: string
  readonly count: number
  /** Of many the first. */
  readonly events: readonly string[]
}

export interface Lint {
  readonly findings: readonly Finding[]
  /** What was judged and found in no view. */
  readonly fine: readonly { readonly code: string; readonly says: string }[]
}

export function lint(views: readonly LintView[]): Lint {
  const findings: Finding[] = []
  const fine: { code: string; says: string }[] = []
  for (const rule of RULES) {
    const { code, severity, remedy } = rule
    let judged = false
    let wrong = false
    for (const view of views) {
      const verdict = rule.judge(view)
      if (verdict === 'moot') continue
      judged = true
      if (verdict === 'fine') continue
      wrong = true
      const { says, count } = verdict
      const events = verdict.events.slice(0, LINT_LIMITS.eventsShown).map(({ id }) => id)
      findings.push({ code, severity, titleId: view.titleId, profileId: view.profileId, says, remedy, count, events })
    }
    if (judged && !wrong) fine.push({ code, says: rule.fine })
  }
  return { findings, fine }
}
