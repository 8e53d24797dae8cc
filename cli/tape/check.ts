/**
 * A recording against a tape: pure. The scenario is the same, the times are not, so it compares what happened and in
 * which order, what was counted, and what the lint says of it; not how events were packed into requests.
 */
import { lint } from '../../api/lint/lint.ts'
import { viewOf } from '../../api/lint/read.ts'
import type { LintView } from '../../api/lint/said.ts'
import type { StoredEvent } from '../../api/qoe/session.ts'
import { explainView } from '../../projections/views/explain.ts'
import type { EventCodec } from '../../schemas/index.ts'
import type { Recorded } from './recorded.ts'
import type { Tape } from './tape.ts'
import { type Told, tellingOf } from './told.ts'

export interface Verdict {
  /** What has to be put right. */
  readonly problems: readonly string[]
  /** What was counted, the tape's and the recording's, view by view. */
  readonly views: readonly {
    readonly titleId: string
    readonly events: number
    readonly moments: readonly string[]
  }[]
}

/** Whole numbers of a scenario that are the same however fast it was played. */
const COUNTED = [
  'starts',
  'startups',
  'stalls',
  'seeks',
  'failures',
  'business_failures',
  'clean_ends',
  'lost_reports',
  'duplicate_reports',
] as const

export function checkRecording(codec: EventCodec, tape: Tape, recording: readonly Recorded[]): Verdict {
  const wanted = viewsOf(tellingOf(codec, tape.recording).told)
  const { told, faults } = tellingOf(codec, recording)
  const found = viewsOf(told)
  const problems = [...faults]
  if (found.length !== wanted.length) {
    problems.push(`${found.length} views; the tape has ${wanted.length} (a view is one title in one session)`)
  }
  for (const [i, view] of found.entries()) {
    const model = wanted[i]
    if (model === undefined) break
    const where = found.length === 1 ? '' : `view ${i + 1}: `
    const allowed = tape.lint[model.sessionId] ?? codesOf(model)
    problems.push(
      ...[...orderOf(model, view), ...countsOf(model, view), ...findingsOf(view, allowed)].map((p) => where + p),
    )
  }
  return {
    problems,
    views: found.map(({ titleId, events, moments }) => ({ titleId, events, moments })),
  }
}

interface Seen {
  readonly sessionId: string
  readonly titleId: string
  readonly events: number
  readonly row: Readonly<Record<string, unknown>>
  /** What happened, without heartbeats, by time. */
  readonly moments: readonly string[]
  readonly lint: LintView
}

function viewsOf(told: readonly Told[]): readonly Seen[] {
  const views = new Map<string, Told[]>()
  for (const one of told) {
    const { sessionId, titleId } = one.event as unknown as { sessionId: string; titleId: string }
    const key = JSON.stringify([sessionId, titleId])
    views.set(key, [...(views.get(key) ?? []), one])
  }
  return [...views.values()].flatMap((own) => seenOf(own) ?? [])
}

function seenOf(own: readonly Told[]): Seen | undefined {
  const first = new Map(own.toReversed().map((one) => [one.event.meta.eventId, one]))
  const stored = own.map((one) =>
    storedOf(one.event, first.get(one.event.meta.eventId) === one ? 'folded' : 'duplicate'),
  )
  const { sessionId, titleId } = own[0]!.event as unknown as { sessionId: string; titleId: string }
  const loose = [...first.values()].map(({ event }) => ({ ...event, profileId: 'profile', sessionId, titleId }))
  const row = explainView(loose)?.row as unknown as Readonly<Record<string, unknown>> | undefined
  if (row === undefined) return undefined
  const raw = Object.fromEntries(Object.entries(row).map(([name, value]) => [`x_${name}`, value]))
  const view = viewOf({ profileId: 'profile', titleId }, sessionId, raw, stored, Number.MAX_SAFE_INTEGER)
  const moments = view.own.map(({ type }) => type).filter((type) => type !== 'Heartbeat')
  return { sessionId, titleId, events: view.events.length, row, moments, lint: view }
}

function storedOf(event: Told['event'], fate: string): StoredEvent {
  const { type, meta, titleId, ...rest } = event as unknown as Record<string, unknown> & Told['event']
  const { profileId: _, sessionId: __, personal: ___, ...fields } = rest as Readonly<Record<string, unknown>>
  return {
    topic: 'playback-events',
    partition: 0,
    position: '0',
    fate,
    type,
    eventId: meta.eventId,
    occurredAtMs: meta.occurredAt,
    receivedAtMs: meta.receivedAt,
    source: meta.source,
    appId: meta.appId,
    environment: meta.environment,
    profileId: 'profile',
    titleId: titleId ?? '',
    fields: Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)),
  }
}

/** The first place at which the two part says more than all that follows from it. */
function orderOf(wanted: Seen, found: Seen): readonly string[] {
  const steady = (moments: readonly string[]) => moments.filter((type) => type !== 'RenditionChanged')
  const [model, own] = [steady(wanted.moments), steady(found.moments)]
  const i = model.findIndex((type, place) => own[place] !== type)
  if (i >= 0) {
    const after = i === 0 ? 'at the beginning' : `after ${model[i - 1]} (${i})`
    return [`${after}: wanted ${model[i]}, ${own[i] === undefined ? 'nothing came' : `came ${own[i]}`}`]
  }
  if (own.length === model.length) return []
  return [`after ${model.at(-1) ?? 'the beginning'}: wanted nothing more, came ${own[model.length]}`]
}

function countsOf(wanted: Seen, found: Seen): readonly string[] {
  return COUNTED.flatMap((name) =>
    wanted.row[name] === found.row[name] ? [] : [`${name}: wanted ${wanted.row[name]}, is ${found.row[name]}`],
  )
}

function codesOf({ lint: view }: Seen): readonly string[] {
  return lint([view]).findings.map(({ code }) => code)
}

/** Hints are no reason to fail: how much a client tells is its choice. */
function findingsOf({ lint: view }: Seen, allowed: readonly string[]): readonly string[] {
  return lint([view])
    .findings.filter(({ code, severity }) => severity !== 'hint' && !allowed.includes(code))
    .map(({ code, says, remedy }) => `${code}: ${says} ${remedy}`)
}
