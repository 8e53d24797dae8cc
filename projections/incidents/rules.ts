/**
 * Rules as people write them, in JSON, and what is wrong with them: the first fault, with the field it is in. What is
 * not said has a default; what is not known is a fault, for a misspelt field would otherwise be a rule that never fires.
 */
import { DIMENSIONS_OF, readFilter } from './dimensions.ts'
import { INCIDENT_LIMITS } from './limits.ts'
import { DEFAULT_DEFINITION, WATCHED_METRICS } from './metrics.ts'
import type { Rule } from './rule.ts'
import { SHIPPED_RULES } from './shipped.ts'

export class RuleInvalid extends Error {
  readonly code = 'RULE_INVALID'
  readonly field: string
  constructor(field: string, problem: string) {
    super(`${field} ${problem}`)
    this.name = 'RuleInvalid'
    this.field = field
  }
}

type Fields = Readonly<Record<string, unknown>>

const FILE_FIELDS = ['shipped', 'rules']
const RULE_FIELDS = [
  ...['name', 'disabled', 'severity', 'metric', 'definition', 'filter', 'by', 'direction', 'threshold'],
  ...['resolveThreshold', 'ratioToBefore', 'windowMinutes', 'forMinutes', 'resolveMinutes', 'minViews', 'summary'],
]

/** The rules in force: the shipped ones (unless `shipped` is false), replaced, switched off or joined by the file's. */
export function rulesInForce(file: unknown): readonly Rule[] {
  if (file === undefined) return SHIPPED_RULES
  const fields = object(file, 'the file')
  known(fields, FILE_FIELDS, '')
  const shipped = boolean(fields.shipped, 'shipped', true)
  if (!Array.isArray(fields.rules)) throw new RuleInvalid('rules', 'is no list of rules')
  const inForce = new Map((shipped ? SHIPPED_RULES : []).map((rule) => [rule.name, rule]))
  const seen = new Set<string>()
  for (const [i, item] of fields.rules.entries()) {
    const place = `rules[${i}]`
    const own = object(item, place)
    const name = nameOf(own, place)
    if (seen.has(name)) throw new RuleInvalid(`${place}.name`, `"${name}" is there twice`)
    seen.add(name)
    if (boolean(own.disabled, `${place}.disabled`, false)) inForce.delete(name)
    else inForce.set(name, readRule(own, place))
  }
  if (inForce.size > INCIDENT_LIMITS.rulesMax) {
    throw new RuleInvalid('rules', `are ${inForce.size}; at most ${INCIDENT_LIMITS.rulesMax} are judged`)
  }
  return [...inForce.values()]
}

export function readRule(fields: Fields, place: string): Rule {
  known(fields, RULE_FIELDS, `${place}.`)
  const at = (name: string) => `${place}.${name}`
  const name = nameOf(fields, place)
  const { metric, definition } = metricOf(fields, at)
  const source = WATCHED_METRICS[metric]![definition]!.source
  const direction = oneOf(fields.direction, at('direction'), ['above', 'below'] as const)
  const compared = comparedWith(fields, at, direction)
  const windowMinutes = whole(fields.windowMinutes, at('windowMinutes'), 1, INCIDENT_LIMITS.windowMinutesMax, 1)
  const forMinutes = whole(fields.forMinutes, at('forMinutes'), 1, INCIDENT_LIMITS.forMinutesMax)
  return {
    ...{ name, metric, definition, direction, ...compared, windowMinutes, forMinutes },
    severity: oneOf(fields.severity, at('severity'), ['info', 'warning', 'critical'] as const),
    filter: filterOf(fields.filter, at('filter'), DIMENSIONS_OF[source]),
    by: fields.by == null ? null : oneOf(fields.by, at('by'), DIMENSIONS_OF[source]),
    resolveMinutes: whole(
      fields.resolveMinutes,
      at('resolveMinutes'),
      1,
      INCIDENT_LIMITS.resolveMinutesMax,
      Math.min(forMinutes, INCIDENT_LIMITS.resolveMinutesMax),
    ),
    minViews: whole(fields.minViews, at('minViews'), 1, Number.MAX_SAFE_INTEGER, 50),
    summary: summaryOf(fields.summary, at('summary')),
  }
}

function nameOf(fields: Fields, place: string): string {
  const { name } = fields
  const good = typeof name === 'string' && name.length <= INCIDENT_LIMITS.ruleNameCharsMax && /^[a-z0-9-]+$/.test(name)
  if (!good) {
    throw new RuleInvalid(
      `${place}.name`,
      `is no name: lower case letters, digits and dashes, at most ${INCIDENT_LIMITS.ruleNameCharsMax}`,
    )
  }
  return name
}

function metricOf(fields: Fields, at: (name: string) => string): { metric: string; definition: string } {
  const metric = oneOf(fields.metric, at('metric'), Object.keys(WATCHED_METRICS))
  const definitions = Object.keys(WATCHED_METRICS[metric] ?? {})
  const definition = oneOf(fields.definition ?? DEFAULT_DEFINITION, at('definition'), definitions)
  return { metric, definition }
}

type Compared = Pick<Rule, 'threshold' | 'resolveThreshold' | 'beforeMinutes'>

function comparedWith(fields: Fields, at: (name: string) => string, direction: Rule['direction']): Compared {
  const { ratioToBefore } = fields
  if ((fields.threshold === undefined) === (ratioToBefore === undefined)) {
    throw new RuleInvalid(at('threshold'), 'or ratioToBefore has to be there, and not both')
  }
  const before = ratioToBefore === undefined ? undefined : object(ratioToBefore, at('ratioToBefore'))
  if (before !== undefined) known(before, ['ratio', 'minutes'], `${at('ratioToBefore')}.`)
  const threshold =
    before === undefined ? number(fields.threshold, at('threshold')) : number(before.ratio, at('ratioToBefore.ratio'))
  const resolveThreshold = number(fields.resolveThreshold ?? threshold, at('resolveThreshold'))
  if (direction === 'above' ? resolveThreshold > threshold : resolveThreshold < threshold) {
    throw new RuleInvalid(
      at('resolveThreshold'),
      'lies on the wrong side of the threshold: it would open and resolve at once',
    )
  }
  const beforeMinutes =
    before === undefined
      ? null
      : whole(before.minutes, at('ratioToBefore.minutes'), 1, INCIDENT_LIMITS.beforeMinutesMax)
  return { threshold, resolveThreshold, beforeMinutes }
}

function filterOf(value: unknown, field: string, dimensions: readonly string[]): readonly string[] {
  if (value === undefined) return []
  if (!Array.isArray(value) || value.length > INCIDENT_LIMITS.filtersMax) {
    throw new RuleInvalid(field, `is no list of at most ${INCIDENT_LIMITS.filtersMax} filters`)
  }
  return value.map((item: unknown, i) => {
    const read = typeof item === 'string' ? readFilter(item) : undefined
    if (read === undefined) throw new RuleInvalid(`${field}[${i}]`, 'is not written dim:value or !dim:value')
    oneOf(read.dimension, `${field}[${i}]`, dimensions)
    return item as string
  })
}

function summaryOf(value: unknown, field: string): string {
  if (typeof value === 'string' && value !== '' && value.length <= INCIDENT_LIMITS.summaryCharsMax) return value
  throw new RuleInvalid(field, `is no text of 1 to ${INCIDENT_LIMITS.summaryCharsMax} characters`)
}

function object(value: unknown, field: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw new RuleInvalid(field, 'is no JSON object')
}

function known(fields: Fields, names: readonly string[], prefix: string): void {
  const unknown = Object.keys(fields).find((name) => !names.includes(name))
  if (unknown !== undefined)
    throw new RuleInvalid(`${prefix}${unknown}`, `is not known here; there are: ${names.join(', ')}`)
}

function boolean(value: unknown, field: string, fallback: boolean): boolean {
  if (value === undefined) return fallback
  if (typeof value !== 'boolean') throw new RuleInvalid(field, 'is neither true nor false')
  return value
}

function oneOf<T extends string>(value: unknown, field: string, words: readonly T[]): T {
  const found = words.find((word) => word === value)
  if (found !== undefined) return found
  throw new RuleInvalid(field, `is ${JSON.stringify(value) ?? 'missing'}; it can be: ${words.join(', ')}`)
}

function number(value: unknown, field: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new RuleInvalid(field, 'is no number')
}

function whole(value: unknown, field: string, min: number, max: number, fallback?: number): number {
  const given = value ?? fallback
  if (typeof given === 'number' && Number.isInteger(given) && given >= min && given <= max) return given
  throw new RuleInvalid(field, `is no whole number from ${min} to ${max}`)
}
