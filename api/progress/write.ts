/** Where a profile is in a title: said, taken back, marked. The answer goes out after the log has the event on disk. */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { clearProgress, type Made, markWatched, reportProgress } from '../../producers/progress.ts'
import type { Claim } from '../../producers/stamp.ts'
import type { ProfileCaller } from '../context.ts'
import { type Gate, profileGate } from '../gate.ts'
import { check, fieldProblem } from '../validation.ts'
import { judgeAfter, judgeBefore } from './judge.ts'
import {
  append,
  arrivalOf,
  type ProfileRequest,
  type ProgressParts,
  rowsNow,
  scopeOf,
  sealedFor,
  timeOf,
} from './ports.ts'
import { Report, Stored, TitlePath, WaitQuery, Watched, Written } from './shapes.ts'
import { wrongRange } from './take.ts'

const TAGS = ['Progress']

export function addWriteRoutes(app: FastifyInstance, parts: ProgressParts): void {
  const gate = profileGate(parts.admission, 'progress')
  addReport(app, parts, gate)
  addClear(app, parts, gate)
  addMark(app, parts, gate)
}

function addReport(app: FastifyInstance, parts: ProgressParts, gate: Gate<ProfileCaller>): void {
  app.put(
    '/v1/profiles/:profileId/progress/:titleId',
    {
      onRequest: gate.onRequest,
      schema: {
        summary: 'Say where a profile is in a title',
        description: 'The newest report by the time of the device counts, in whatever order reports arrive.',
        tags: TAGS,
        params: TitlePath,
        querystring: WaitQuery,
        body: Report,
        response: { 200: Written },
      },
    },
    async (request: ProfileRequest<Report, { wait?: boolean }>, reply) => {
      const { body, params, query } = request
      const wrong = wrongRange(body.played)
      if (wrong !== undefined) throw fieldProblem(wrong, 'body')
      const caller = gate.callerOf(request)
      const arrival = arrivalOf(parts, caller, timeOf('sentAt', body.sentAt))
      const claim = claimOf(
        parts,
        request,
        scopeOf(caller, params.profileId),
        timeOf('clientTimestamp', body.clientTimestamp),
      )
      const [facts, [personal], before] = await Promise.all([
        parts.facts.of([params.titleId]),
        sealedFor(parts, caller, params.profileId, [body.deviceId]),
        rowsNow(parts, params.profileId, [params.titleId]),
      ])
      const made = reportProgress(parts, arrival, claim, {
        ...params,
        positionMs: body.positionMs,
        durationMs: body.durationMs ?? null,
        sessionId: body.sessionId ?? null,
        played: body.played ?? [],
        facts: facts.get(params.titleId) ?? null,
        personal: personal ?? null,
      })
      const answer = await stored(parts, 'report', reply, made)
      const reports = [{ titleId: params.titleId, occurredAtMs: made.meta.occurredAt, positionMs: body.positionMs }]
      let [verdict] = before === undefined ? [] : judgeBefore(before, reports)
      if (query.wait === true && (await parts.positions.wait(answer.position, 'progress')) === 'passed') {
        const after = await rowsNow(parts, params.profileId, [params.titleId])
        if (after !== undefined) [verdict] = judgeAfter(after, reports, [verdict ?? 'accepted'])
      }
      return { ...answer, wasUpdated: verdict === undefined ? null : verdict !== 'stale' }
    },
  )
}

function addClear(app: FastifyInstance, parts: ProgressParts, gate: Gate<ProfileCaller>): void {
  app.delete(
    '/v1/profiles/:profileId/progress/:titleId',
    {
      onRequest: gate.onRequest,
      schema: {
        summary: 'Forget where a profile is in a title',
        description: 'Takes the title off continue-watching. What was watched stays in the history.',
        tags: TAGS,
        params: TitlePath,
        response: { 200: Stored },
      },
    },
    async (request: ProfileRequest, reply) => {
      const caller = gate.callerOf(request)
      const { params } = request
      const claim = claimOf(parts, request, scopeOf(caller, params.profileId), undefined)
      const [personal] = await sealedFor(parts, caller, params.profileId, [null])
      const made = clearProgress(parts, arrivalOf(parts, caller, undefined), claim, {
        ...params,
        personal: personal ?? null,
      })
      return await stored(parts, 'clear', reply, made)
    },
  )
}

function addMark(app: FastifyInstance, parts: ProgressParts, gate: Gate<ProfileCaller>): void {
  app.post(
    '/v1/profiles/:profileId/progress/:titleId/watched',
    {
      onRequest: gate.onRequest,
      schema: {
        summary: 'Mark a title as watched, or take the mark back',
        description: 'The body may be left out. A report that is newer than the mark counts again.',
        tags: TAGS,
        params: TitlePath,
        bodyShown: Watched,
        response: { 200: Stored },
      },
    },
    async (request: ProfileRequest, reply) => {
      const checked = check(Watched, request.body ?? {})
      if (!checked.ok) throw fieldProblem(checked.wrong, 'body')
      const { watched = true, clientTimestamp, sentAt } = checked.value
      const caller = gate.callerOf(request)
      const { params } = request
      const claim = claimOf(
        parts,
        request,
        scopeOf(caller, params.profileId),
        timeOf('clientTimestamp', clientTimestamp),
      )
      const [facts, [personal]] = await Promise.all([
        parts.facts.of([params.titleId]),
        sealedFor(parts, caller, params.profileId, [null]),
      ])
      const made = markWatched(parts, arrivalOf(parts, caller, timeOf('sentAt', sentAt)), claim, {
        ...params,
        watched,
        facts: facts.get(params.titleId) ?? null,
        personal: personal ?? null,
      })
      return await stored(parts, 'mark', reply, made)
    },
  )
}

function claimOf(
  parts: ProgressParts,
  request: ProfileRequest,
  scope: string,
  occurredAtMs: number | undefined,
): Claim {
  const key = parts.idempotency.keyOf(request, scope)
  return {
    ...(key !== undefined && { idempotencyKey: key.name }),
    ...(occurredAtMs !== undefined && { occurredAtMs }),
  }
}

async function stored(parts: ProgressParts, kind: 'report' | 'clear' | 'mark', reply: FastifyReply, made: Made) {
  const position = await append(parts, kind, reply, [made])
  return { success: true, serverTimestamp: made.meta.receivedAt, eventId: made.meta.eventId, position }
}
