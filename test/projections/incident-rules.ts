/** A rule for the tests, with what matters to a test said and the rest left alone. */
import type { Rule } from '../../projections/incidents/rule.ts'

export function rule(fields: Partial<Rule> = {}): Rule {
  const threshold = fields.threshold ?? 95
  return {
    ...{ name: 'start-success', severity: 'critical', metric: 'start_success_percent', definition: 'cta-2066' },
    ...{ filter: [], by: null, direction: 'below', beforeMinutes: null, windowMinutes: 1 },
    ...{ forMinutes: 3, resolveMinutes: 2, minViews: 10, summary: 'Too few starts' },
    ...fields,
    threshold,
    resolveThreshold: fields.resolveThreshold ?? threshold,
  }
}
