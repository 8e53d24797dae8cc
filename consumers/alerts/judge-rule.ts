/** One rule over the minutes that are to be judged: reads them, asks the state machine, makes events of what it says. */
import type { NewRecord } from '../../log/log.ts'
import {
  type IncidentPlace,
  incidentIdOf,
  incidentOpened,
  incidentResolved,
  incidentSubject,
} from '../../producers/incidents.ts'
import { conditionsOf } from '../../projections/incidents/dimensions.ts'
import { contextMinutes, evaluate, type Standing, type Transition } from '../../projections/incidents/evaluate.ts'
import { INCIDENT_LIMITS } from '../../projections/incidents/limits.ts'
import type { IncidentRow } from '../../projections/incidents/row.ts'
import type { Rule } from '../../projections/incidents/rule.ts'
import { samplesOf } from '../../projections/incidents/samples.ts'
import type { Book } from './book.ts'
import type { AlertPorts } from './ports.ts'
import { largestValues, type Minutes, readMinutes } from './roll-ups.ts'

const MINUTE_MS = 60_000

/** One value of a rule's dimension, or the rule as a whole. */
interface Watched {
  readonly value: string
  readonly place: IncidentPlace | undefined
  readonly subject: string
  readonly last: IncidentRow | undefined
}

/** `decidedMs` is the start of the last minute that was judged, `toMs` of the last that is to be. */
export async function judgeRule(
  ports: AlertPorts,
  rule: Rule,
  book: Book,
  decidedMs: number,
  toMs: number,
): Promise<readonly NewRecord[]> {
  const watched = await watchedOf(ports, rule, book, decidedMs, toMs)
  if (watched.length === 0) return []
  const context = Math.max(...watched.map(({ last }) => contextMinutes(rule, last?.resolved === null)))
  const fromMs = decidedMs + (1 - context) * MINUTE_MS
  const minutes = await minutesFor(ports, rule, watched, fromMs, toMs)
  return watched.flatMap((one) => {
    const samples = samplesOf(rule, minutes.get(one.value) ?? new Map(), fromMs, toMs)
    return recordsOf(ports, rule, one, evaluate(rule, standingOf(one.last), decidedMs, samples))
  })
}

/** The rule in force that speaks of an open incident; undefined: there is none any more. */
export function ruleOf(
  incident: Pick<IncidentRow, 'rule' | 'subject' | 'dimensions'>,
  rules: readonly Rule[],
): Rule | undefined {
  return rules.find(({ name, by }) => {
    if (name !== incident.rule) return false
    const value = by === null ? undefined : incident.dimensions[by]
    if (by === null) return incident.subject === incidentSubject(name, undefined)
    return value !== undefined && incident.subject === incidentSubject(name, { dimension: by, value })
  })
}

async function watchedOf(
  ports: AlertPorts,
  rule: Rule,
  book: Book,
  decidedMs: number,
  toMs: number,
): Promise<readonly Watched[]> {
  const { by, name } = rule
  if (by === null) {
    const subject = incidentSubject(name, undefined)
    return [{ value: '', place: undefined, subject, last: book.last.get(subject) }]
  }
  const fromMs = decidedMs - (rule.forMinutes + rule.windowMinutes) * MINUTE_MS
  const values = new Set(await largestValues(ports, rule, INCIDENT_LIMITS.valuesMax, fromMs, toMs + MINUTE_MS))
  // What is open is watched until it is over, however little is left of it.
  for (const row of book.last.values()) {
    if (row.resolved === null && ruleOf(row, [rule]) !== undefined) values.add(row.dimensions[by] as string)
  }
  return [...values].map((value) => {
    const place = { dimension: by, value }
    const subject = incidentSubject(name, place)
    return { value, place, subject, last: book.last.get(subject) }
  })
}

async function minutesFor(
  ports: AlertPorts,
  rule: Rule,
  watched: readonly Watched[],
  fromMs: number,
  toMs: number,
): Promise<ReadonlyMap<string, Minutes>> {
  const values = watched.map(({ value }) => value)
  const read = (shiftMs: number) => {
    const firstMs = fromMs - (rule.windowMinutes - 1) * MINUTE_MS - shiftMs
    return readMinutes(ports, rule, values, firstMs, toMs + MINUTE_MS - shiftMs)
  }
  const now = await read(0)
  if (rule.beforeMinutes === null) return now
  const before = await read(rule.beforeMinutes * MINUTE_MS)
  return new Map(values.map((value) => [value, new Map([...(before.get(value) ?? []), ...(now.get(value) ?? [])])]))
}

function standingOf(last: IncidentRow | undefined): Standing {
  if (last === undefined) return { open: false, changedMs: 0 }
  return { open: last.resolved === null, changedMs: Math.max(last.openedMs, last.resolved?.atMs ?? 0) }
}

function recordsOf(
  { codec, world, origin }: AlertPorts,
  rule: Rule,
  { place, subject, last }: Watched,
  transitions: readonly Transition[],
): readonly NewRecord[] {
  const arrival = { ...origin, source: 'engine', receivedAtMs: world.nowMs() } as const
  const { name, severity, threshold } = rule
  let incidentId = last?.incidentId
  return transitions.map((transition) => {
    const { atMs } = transition
    if (transition.kind === 'resolve') {
      if (incidentId === undefined) throw new Error(`${subject} resolves and was never open`)
      const { reason } = transition
      const observed = transition.observed === null ? null : shown(transition.observed)
      return incidentResolved(codec, arrival, { atMs, subject, incidentId, rule: name, observed, reason })
    }
    incidentId = incidentIdOf(subject, incidentId)
    const where = { dimensions: dimensionsOf(rule, place), since: transition.sinceMs }
    const summary = place === undefined ? rule.summary : `${rule.summary} (${place.dimension}: ${place.value})`
    const observed = shown(transition.observed)
    return incidentOpened(codec, arrival, {
      ...{ atMs, subject, incidentId, rule: name, severity, summary, observed, threshold, ...where },
    })
  })
}

function dimensionsOf(rule: Rule, place: IncidentPlace | undefined): Readonly<Record<string, string>> {
  const filters = conditionsOf(rule.filter).map(({ dimension, excluded, values }) => [
    excluded ? `!${dimension}` : dimension,
    values.join(', '),
  ])
  return Object.fromEntries([...filters, ...(place === undefined ? [] : [[place.dimension, place.value]])])
}

/** As many digits as mean something. */
function shown(value: number): number {
  return Number(value.toPrecision(6))
}
