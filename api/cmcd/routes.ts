/**
 * The CMCD collector (docs/cmcd.md): stock players report here with one line of configuration. The answer, 204, goes out
 * after the log has the records; whatever the bytes, it is 204 or a 4xx, and 503 or 429 where the engine is short of
 * something and the player may try again.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { NewRecord } from '../../log/log.ts'
import { CMCD_LIMITS, countRecords, type Reading, readReports } from '../../producers/cmcd/index.ts'
import { toRecord } from '../../producers/record.ts'
import { stampMeta } from '../../producers/stamp.ts'
import { slotRenewed } from '../../producers/streams.ts'
import type { ApiContext } from '../context.ts'
import { type Gate, gate } from '../gate.ts'
import type { ApiMetrics } from '../metrics.ts'
import { PLAYBACK_LIMITS } from '../playback/limits.ts'
import { Renewals } from '../playback/renewals.ts'
import type { AnalyticsReader } from '../ports.ts'
import { Problem } from '../problems.ts'
import { agentOf, playerOf } from './agent.ts'
import { textOfBody } from './bytes.ts'
import { type Reporter, reporterOf } from './caller.ts'
import { SessionClocks } from './clocks.ts'
import { type Batch, type Placed, place, recordsOf, targetOf } from './collect.ts'
import { addConformance } from './conformance.ts'
import { COLLECTOR_LIMITS } from './limits.ts'
import { readRequest, recordOfRequest } from './request-mode.ts'
import { EventSchema, RequestPostSchema, RequestSchema } from './schemas.ts'
import { type LeftOut, Tally } from './tally.ts'

export interface CollectorParts {
  readonly metrics: Pick<ApiMetrics, 'accepted' | 'rejected' | 'appendSeconds'>
  readonly logger: { info(fields: object, message: string): void }
  /** Without it there is no conformance. */
  readonly analytics?: AnalyticsReader
}

export function addCmcdRoutes(app: FastifyInstance, context: ApiContext, parts: CollectorParts): void {
  const tally = new Tally()
  const collector = new Collector(context, parts, tally)
  const reporter = gate((request, reply) => reporterOf(context, request, reply))
  // In a scope of its own: here a body may have any type, or none, and is bytes.
  app.register((scope, _options, done) => {
    addParser(scope)
    addCollecting(scope, collector, reporter)
    done()
  })
  const { analytics } = parts
  if (analytics !== undefined) addConformance(app, { ...context, analytics, tally })
}

function addParser(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: COLLECTOR_LIMITS.bodyBytesMax },
    (_request: FastifyRequest, bytes: Buffer, done: (error: Error | null, body?: unknown) => void) => done(null, bytes),
  )
}

function addCollecting(scope: FastifyInstance, collector: Collector, { onRequest, callerOf }: Gate<Reporter>): void {
  for (const url of ['/v1/cmcd', '/v1/cmcd/:token']) {
    scope.post(url, { onRequest, schema: EventSchema }, (request, reply) =>
      collector.reports(callerOf(request), request, reply),
    )
  }
  for (const url of ['/v1/cmcd/request', '/v1/cmcd/request/:token']) {
    const handler = (request: FastifyRequest, reply: FastifyReply) =>
      collector.request(callerOf(request), request, reply)
    scope.get(url, { onRequest, schema: RequestSchema }, handler)
    scope.post(url, { onRequest, schema: RequestPostSchema }, handler)
  }
}

class Collector {
  private readonly context: ApiContext
  private readonly parts: CollectorParts
  private readonly tally: Tally
  private readonly clocks = new SessionClocks()
  private readonly renewals = new Renewals()

  constructor(context: ApiContext, parts: CollectorParts, tally: Tally) {
    this.context = context
    this.parts = parts
    this.tally = tally
  }

  async reports(reporter: Reporter, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const text = await textOfBody(request.body, request.headers['content-encoding'])
    const count = countRecords(text)
    if (count > CMCD_LIMITS.recordsPerBodyMax) {
      const detail = `${count} records; at most ${CMCD_LIMITS.recordsPerBodyMax} are taken at a time.`
      throw new Problem('TOO_MANY_EVENTS', detail)
    }
    const readings = readReports(text)
    const batch = this.batchOf(reporter, request)
    const placed = this.place(readings, batch)
    const facts = await this.context.facts.of([...new Set(placed.map(({ titleId }) => titleId))])
    const { codec, mint } = this.context
    const records = [...recordsOf(placed, batch, { codec, mint, clocks: this.clocks, facts })]
    // Not awaited here: what was read may go while the log writes what was made of it.
    return this.store(reply, reporter, records, outcomeOf('CmcdReport', readings, placed), batch.receivedAtMs)
  }

  request(reporter: Reporter, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const reading = readRequest(request)
    const batch = this.batchOf(reporter, request)
    const placed = this.place([reading], batch)
    const records = placed.map((one) => recordOfRequest(one, batch, request, this.context))
    return this.store(reply, reporter, records, outcomeOf('CmcdRequest', [reading], placed), batch.receivedAtMs)
  }

  private batchOf(reporter: Reporter, request: FastifyRequest): Batch {
    const target = targetOf(request.query as Readonly<Record<string, unknown>>)
    return { reporter, agent: agentOf(request), target, receivedAtMs: this.context.nowMs() }
  }

  private place(readings: readonly Reading[], batch: Batch): readonly Placed[] {
    const { logger, metrics } = this.parts
    const player = playerOf(batch.agent)
    return place(
      readings,
      batch,
      this.tally,
      (reason) => metrics.rejected.inc({ code: CODES[reason] }),
      (reason, { version }) => logger.info({ reason, version, player }, 'CMCD records that can not be used'),
    )
  }

  private async store(
    reply: FastifyReply,
    { bound, appId, environment }: Reporter,
    records: NewRecord[],
    { type, taken, said }: Outcome,
    receivedAtMs: number,
  ): Promise<FastifyReply> {
    const { codec, log, mint, positions } = this.context
    reply.code(204).header('playhead-cmcd', said)
    if (records.length === 0) return reply.send()
    const due = bound !== undefined && this.renewals.due(bound.slot, receivedAtMs)
    if (due) {
      const meta = stampMeta({ source: 'cmcd', appId, environment, receivedAtMs }, {}, mint)
      records.push(toRecord(codec, slotRenewed(meta, bound.account, bound.slot, PLAYBACK_LIMITS.slotTtlMs)))
    }
    const stop = this.parts.metrics.appendSeconds.startTimer()
    const places = await log.append(records)
    stop()
    if (due) this.renewals.done(bound.slot, receivedAtMs)
    this.parts.metrics.accepted.inc({ type }, taken)
    // Beside the reports stand the requests that some of them tell of.
    const requests = places.length - taken - (due ? 1 : 0)
    if (requests > 0) this.parts.metrics.accepted.inc({ type: 'CmcdRequest' }, requests)
    const at = places.map((one, i) => ({ topic: records[i]!.topic, ...one }))
    return reply.header('playhead-position', positions.header(at)).send()
  }
}

interface Outcome {
  readonly type: 'CmcdReport' | 'CmcdRequest'
  readonly taken: number
  /** For whoever configures a player and looks at its answers. */
  readonly said: string
}

function outcomeOf(type: Outcome['type'], readings: readonly Reading[], { length: taken }: readonly Placed[]): Outcome {
  let faults = 0
  for (const reading of readings) faults += reading.faults.length
  return { type, taken, said: `taken=${taken}, left-out=${readings.length - taken}, faults=${faults}` }
}

const CODES: Readonly<Record<LeftOut, string>> = {
  version: 'CMCD_VERSION',
  empty: 'CMCD_EMPTY',
  length: 'CMCD_TOO_LONG',
  session: 'CMCD_NO_SESSION',
}
