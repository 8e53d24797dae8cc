/**
 * Up to fifty reports of one profile at once, such as a device brings that was offline. Each item gets an answer of its
 * own, and a bad one costs the others nothing. Stale items are stored all the same: what was played still counts.
 */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { type Made, reportProgress } from '../../producers/progress.ts'
import type { Arrival } from '../../producers/stamp.ts'
import type { ProfileCaller } from '../context.ts'
import { profileGate } from '../gate.ts'
import { API_LIMITS } from '../limits.ts'
import { Problem } from '../problems.ts'
import { check, type FieldProblem, fieldProblem } from '../validation.ts'
import { type Judged, judgeAfter, judgeBefore, type Rows, type Verdict } from './judge.ts'
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
import { Batch, BatchShown, BatchWritten, ProfilePath, WaitQuery } from './shapes.ts'
import { type TakenItem, takeItem } from './take.ts'

interface Result {
  readonly index: number
  readonly titleId: string | null
  readonly status: Verdict | 'invalid'
  readonly eventId?: string
  readonly field?: string
  readonly problem?: string
  readonly remedy?: string
}

/** An item that goes to the log. */
interface Going {
  readonly index: number
  readonly made: Made
  readonly judged: Judged
  readonly again: boolean
}

export function addBatchRoute(app: FastifyInstance, parts: ProgressParts): void {
  const gate = profileGate(parts.admission, 'progress')
  app.post(
    '/v1/profiles/:profileId/progress/batch',
    {
      onRequest: gate.onRequest,
      schema: {
        summary: 'Say where a profile is in many titles',
        description:
          'At most 50 items, each with an answer of its own: accepted, stale, duplicate, or invalid and why.',
        tags: ['Progress'],
        params: ProfilePath,
        querystring: WaitQuery,
        // The items are checked one by one below; this only describes them.
        bodyShown: BatchShown,
        response: { 200: BatchWritten },
      },
    },
    async (request: ProfileRequest<unknown, { wait?: boolean }>, reply) => {
      const { items, sentAt } = opened(request.body)
      const caller = gate.callerOf(request)
      const { profileId } = request.params
      const scope = scopeOf(caller, profileId)
      const arrival = arrivalOf(parts, caller, timeOf('sentAt', sentAt))
      const key = parts.idempotency.keyOf(request, scope)
      const taken = items.map((item, index) => takeItem(parts.idempotency, { scope, key }, item, index))
      const [all, before] = await Promise.all([
        makeAll(parts, caller, arrival, profileId, taken),
        rowsNow(parts, profileId, titlesOf(taken)),
      ])
      const { goes, twice } = unique(all)
      const made = goes.map((one) => one.made)
      const position = made.length === 0 ? null : await append(parts, 'batch', reply, made)
      const waits = request.query.wait === true ? position : null
      const { verdicts, judged } = await judge(parts, profileId, goes, before, waits)
      const results = resultsOf(taken, goes, twice, verdicts)
      return answer(reply, results, { serverTimestamp: arrival.receivedAtMs, position, judged })
    },
  )
}

function titlesOf(taken: readonly TakenItem[]): readonly string[] {
  return taken.flatMap((t) => (t.ok ? [t.item.titleId] : []))
}

async function makeAll(
  parts: ProgressParts,
  caller: ProfileCaller,
  arrival: Arrival,
  profileId: string,
  taken: readonly TakenItem[],
): Promise<readonly Going[]> {
  const devices = taken.map((t) => (t.ok ? t.item.deviceId : null))
  const [facts, personal] = await Promise.all([
    parts.facts.of(titlesOf(taken)),
    sealedFor(parts, caller, profileId, devices),
  ])
  return taken.flatMap((t, index) => {
    if (!t.ok) return []
    const { titleId, positionMs, durationMs, sessionId, played } = t.item
    const made = reportProgress(parts, arrival, t.claim, {
      profileId,
      titleId,
      positionMs,
      durationMs: durationMs ?? null,
      sessionId: sessionId ?? null,
      played: played ?? [],
      facts: facts.get(titleId) ?? null,
      personal: personal[index] ?? null,
    })
    const judged = { titleId, positionMs, occurredAtMs: made.meta.occurredAt }
    return [{ index, made, judged, again: t.again }]
  })
}

/** By the rows before; by the rows after where the caller waits and they can be had in time. */
async function judge(
  parts: ProgressParts,
  profileId: string,
  goes: readonly Going[],
  before: Rows | undefined,
  waitsFor: string | null,
): Promise<{ readonly verdicts: readonly Verdict[]; readonly judged: 'before' | 'after' | 'unknown' }> {
  const reports = goes.map((one) => one.judged)
  const predicted = before === undefined ? reports.map((): Verdict => 'accepted') : judgeBefore(before, reports)
  const passed = waitsFor !== null && (await parts.positions.wait(waitsFor, 'progress')) === 'passed'
  const titleIds = reports.map(({ titleId }) => titleId)
  const after = passed ? await rowsNow(parts, profileId, titleIds) : undefined
  if (after !== undefined) return { verdicts: judgeAfter(after, reports, predicted), judged: 'after' }
  return { verdicts: predicted, judged: before === undefined ? 'unknown' : 'before' }
}

function opened(body: unknown) {
  const checked = check(Batch, body)
  if (!checked.ok) throw fieldProblem(checked.wrong, 'body')
  const { length } = checked.value.items
  if (length === 0) throw fieldProblem({ field: 'items', problem: 'is empty', remedy: 'Send at least one.' }, 'body')
  if (length > API_LIMITS.progressPerRequestMax) {
    throw new Problem(
      'TOO_MANY_ITEMS',
      `${length} items; at most ${API_LIMITS.progressPerRequestMax} are taken at a time.`,
    )
  }
  return checked.value
}

/** The first of each event id goes; the others of the same request are known for what they are. */
function unique(all: readonly Going[]): { readonly goes: readonly Going[]; readonly twice: readonly Going[] } {
  const ids = new Set<string>()
  const goes: Going[] = []
  const twice: Going[] = []
  for (const one of all) {
    if (ids.has(one.made.meta.eventId)) twice.push(one)
    else goes.push(one)
    ids.add(one.made.meta.eventId)
  }
  return { goes, twice }
}

function resultsOf(
  taken: readonly TakenItem[],
  goes: readonly Going[],
  twice: readonly Going[],
  verdicts: readonly Verdict[],
): readonly Result[] {
  const results: Result[] = taken.flatMap((t, index) => (t.ok ? [] : [refused(index, t)]))
  goes.forEach(({ index, made, judged, again }, at) => {
    const status = again ? 'duplicate' : (verdicts[at] ?? 'accepted')
    results.push({ index, titleId: judged.titleId, status, eventId: made.meta.eventId })
  })
  for (const { index, made, judged } of twice) {
    results.push({ index, titleId: judged.titleId, status: 'duplicate', eventId: made.meta.eventId })
  }
  return results.sort((a, b) => a.index - b.index)
}

function refused(index: number, { titleId, wrong }: { titleId: string | null; wrong: FieldProblem }): Result {
  return { index, titleId, status: 'invalid', ...wrong }
}

function answer(reply: FastifyReply, results: readonly Result[], facts: object): FastifyReply {
  const count = (status: Result['status']) => results.filter((result) => result.status === status).length
  const counts = {
    accepted: count('accepted'),
    stale: count('stale'),
    duplicate: count('duplicate'),
    invalid: count('invalid'),
  }
  return reply.send({ ...facts, ...counts, results })
}
