/**
 * Event mode: a body of records → events → log → 204. A record that can't be used is counted and costs the others
 * nothing; a record sent twice has the id it had, and adds nothing.
 */
import type { NewRecord } from '../../log/log.ts'
import {
  anonymousProfile,
  type CmcdValue,
  cmcdReport,
  cmcdRequest,
  type NewContext,
  protocolOf,
  type Reading,
  recordId,
  responseOf,
  sessionOfRecord,
  streamTypeOf,
  titleOfRecord,
  UNKNOWN_TITLE,
} from '../../producers/cmcd/index.ts'
import { toRecord } from '../../producers/record.ts'
import { type Arrival, stampMeta } from '../../producers/stamp.ts'
import type { EventCodec, NewEvent, TitleFacts } from '../../schemas/index.ts'
import { type Agent, playerOf } from './agent.ts'
import type { Reporter } from './caller.ts'
import type { Moment, SessionClocks } from './clocks.ts'
import { COLLECTOR_LIMITS } from './limits.ts'
import type { LeftOut, Tally } from './tally.ts'

/** A record that makes an event, and whose it is. */
export interface Placed {
  readonly reading: Reading
  readonly profileId: string
  readonly sessionId: string
  readonly titleId: string
}

export interface Batch {
  readonly reporter: Reporter
  readonly agent: Agent
  /** Which of the player's targets this is, if the collector's address says so. */
  readonly target: string | null
  readonly receivedAtMs: number
}

export function place(
  readings: readonly Reading[],
  { reporter, agent, receivedAtMs }: Batch,
  tally: Tally,
  leftOut: (reason: LeftOut) => void,
  first: (reason: LeftOut, reading: Reading) => void,
): readonly Placed[] {
  const { appId, environment, bound } = reporter
  const anonymous = new Map<string, string>()
  const placed: Placed[] = []
  for (const reading of readings) {
    const sessionId = sessionOfRecord(reading) ?? bound?.session
    if (reading.ignored !== undefined || sessionId === undefined) {
      const reason = reading.ignored ?? 'session'
      const { raw: example, version } = reading
      const isFirst = tally.add(reporter, {
        player: playerOf(agent),
        reason,
        version,
        lastSeenMs: receivedAtMs,
        example,
      })
      leftOut(reason)
      if (isFirst) first(reason, reading)
      continue
    }
    let profileId = bound?.profile ?? anonymous.get(sessionId)
    if (profileId === undefined) {
      profileId = anonymousProfile(appId, environment, sessionId)
      anonymous.set(sessionId, profileId)
    }
    placed.push({ reading, profileId, sessionId, titleId: titleOfRecord(reading) ?? bound?.title ?? UNKNOWN_TITLE })
  }
  return placed
}

export interface Making {
  readonly codec: EventCodec
  readonly clocks: SessionClocks
  readonly mint: () => string
  readonly facts: ReadonlyMap<string, TitleFacts>
}

/** In the order of the body; an `rr` record is a report and a request. */
export function recordsOf(placed: readonly Placed[], batch: Batch, making: Making): readonly NewRecord[] {
  const arrivals = arrivalsOf(placed, batch, making.clocks)
  const records: NewRecord[] = []
  const contexts = new Map<string, NewContext>()
  for (const [i, one] of placed.entries()) {
    for (const event of eventsOf(one, arrivals[i]!, batch, making, contexts)) {
      records.push(toRecord(making.codec, event))
    }
  }
  return records
}

function eventsOf(
  { reading, ...whose }: Placed,
  { arrival, atMs }: Timed,
  { agent, target }: Batch,
  { mint, facts }: Making,
  contexts: Map<string, NewContext>,
): readonly NewEvent[] {
  const { appId, environment } = arrival
  const eventId = recordId(reading, { appId, environment, sessionId: whose.sessionId, target: target ?? '' })
  const claim = { ...(eventId !== undefined && { eventId }), ...(atMs !== undefined && { occurredAtMs: atMs }) }
  const meta = stampMeta(arrival, claim, mint)
  const context = contextOf(reading, agent, contexts)
  const report = cmcdReport(reading, whose, meta, { target, context, facts: facts.get(whose.titleId) ?? null })
  const line = responseOf(reading)
  if (line === undefined) return [report]
  const id = recordId(reading, { appId, environment, sessionId: whose.sessionId, target: `${target ?? ''} rr` })
  const titleId = whose.titleId === UNKNOWN_TITLE ? undefined : whose.titleId
  const requestMeta = { ...meta, eventId: id ?? mint() }
  return [report, cmcdRequest(reading, { sessionId: whose.sessionId, titleId }, line, requestMeta, context)]
}

/** The records of a body mostly say the same of what plays. */
function contextOf({ values }: Reading, agent: Agent, known: Map<string, NewContext>): NewContext {
  const streamType = streamTypeOf(values)
  const protocol = protocolOf(values)
  const key = `${streamType} ${protocol}`
  let context = known.get(key)
  if (context === undefined) {
    context = { ...agent, streamType, protocol }
    known.set(key, context)
  }
  return context
}

interface Timed {
  readonly arrival: Arrival
  readonly atMs: number | undefined
}

/** Each session has a clock of its own, should one body hold records of several. */
function arrivalsOf(placed: readonly Placed[], batch: Batch, clocks: SessionClocks): readonly Timed[] {
  const { reporter, receivedAtMs, target } = batch
  const { appId, environment } = reporter
  const arrival: Arrival = { source: 'cmcd', appId, environment, receivedAtMs }
  const bySession = new Map<string, number[]>()
  for (const [i, { sessionId }] of placed.entries()) {
    const indexes = bySession.get(sessionId)
    if (indexes === undefined) bySession.set(sessionId, [i])
    else indexes.push(i)
  }
  const timed: Timed[] = new Array(placed.length)
  for (const [sessionId, indexes] of bySession) {
    const moments = indexes.map((i) => momentOf(placed[i]!.reading))
    const { times, sentAtMs } = clocks.read(
      JSON.stringify([appId, environment, sessionId, target]),
      moments,
      receivedAtMs,
    )
    const own = sentAtMs === undefined ? arrival : { ...arrival, sentAtMs }
    for (const [k, i] of indexes.entries()) timed[i] = { arrival: own, atMs: times[k] }
  }
  return timed
}

function momentOf({ values }: Reading): Moment {
  const tsMs = timeOf(values.get('ts'))
  // The time of a response's record is its request's, and nothing that was written between them is out of order.
  if (values.get('e') !== 'rr') return { tsMs, writtenMs: tsMs, sequence: numberOf(values.get('sn')) }
  return { tsMs, writtenMs: tsMs && tsMs + (numberOf(values.get('ttlb')) ?? 0), sequence: undefined }
}

function timeOf(value: CmcdValue | undefined): number | undefined {
  const ms = numberOf(value)
  return ms === undefined || ms > COLLECTOR_LIMITS.tsMaxMs ? undefined : ms
}

function numberOf(value: CmcdValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined
}

/** A name for the target, from the collector's address: `?target=a`. */
export function targetOf(query: Readonly<Record<string, unknown>>): string | null {
  const { target } = query
  return typeof target === 'string' && /^[\w.-]+$/.test(target) && target.length <= COLLECTOR_LIMITS.targetCharsMax
    ? target
    : null
}
