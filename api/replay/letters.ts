/** Dead letters: listed, shown, sent again, given up. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { fieldProblem, readTime } from '../validation.ts'
import { told } from './bounded.ts'
import { REPLAY_ROUTE_LIMITS } from './limits.ts'
import type { Routes } from './parts.ts'
import type { LetterShown, LettersChosen, LettersWanted } from './ports.ts'
import {
  DiscardBody,
  described,
  LetterPath,
  Letters,
  LettersActed,
  LettersQuery,
  LetterWhole,
  ReplayBody,
} from './schemas.ts'

type Filters = Pick<ReplayBody, 'projection' | 'cause' | 'since' | 'until'>

export function addLetterRoutes(app: FastifyInstance, routes: Routes): void {
  addLooks(app, routes)
  addActs(app, routes)
}

function addLooks(app: FastifyInstance, { replay, gate: { onRequest } }: Routes): void {
  app.get(
    '/v1/dead-letters',
    {
      onRequest,
      schema: {
        ...described('Dead letters', 'Events that could not be decoded or folded. Nothing else waits for them.'),
        querystring: LettersQuery,
        response: { 200: Letters },
      },
    },
    async (request: FastifyRequest<{ Querystring: LettersQuery }>) => {
      const { all = false, grouped = false, limit = REPLAY_ROUTE_LIMITS.lettersListed, ...filters } = request.query
      const wanted = wantedOf(filters, all, 'query')
      if (grouped) return await told(replay.letterGroups(wanted))
      const { letters, more } = await told(replay.letters(wanted, limit))
      return { letters: letters.map(shown), more }
    },
  )
  app.get(
    '/v1/dead-letters/:projection/:place',
    {
      onRequest,
      schema: {
        ...described('One dead letter', 'Decoded as far as that goes, and its bytes.'),
        params: LetterPath,
        response: { 200: LetterWhole },
      },
    },
    async (request: FastifyRequest<{ Params: { projection: string; place: string } }>) => {
      const { projection, place } = request.params
      const { event, bytes, hex, ...letter } = await told(replay.letter(`${projection}:${place}`))
      return { ...shown(letter), event, bytes, hex }
    },
  )
}

function addActs(app: FastifyInstance, { replay, gate, idempotency, asker }: Routes): void {
  const { onRequest } = gate
  app.post(
    '/v1/dead-letters/replay',
    {
      onRequest,
      schema: {
        ...described(
          'Send dead letters again',
          'One, or all that fit: behind the others of their keys, for the projection that parked them. No checkpoint moves; sent twice they count once.',
        ),
        body: ReplayBody,
        response: { 202: LettersActed },
      },
    },
    async (request: FastifyRequest<{ Body: ReplayBody }>, reply) => {
      const { reason, event, ...which } = request.body
      const chosen = chosenOf(which)
      if (event !== undefined && !('letter' in chosen)) {
        throw fieldProblem({ field: 'event', problem: 'mends one letter', remedy: 'Name it as "letter".' }, 'body')
      }
      idempotency.keyOf(request, 'replay letters')
      return reply.code(202).send(await told(replay.replayLetters(chosen, event, asker(request, reason))))
    },
  )
  app.post(
    '/v1/dead-letters/discard',
    {
      onRequest,
      schema: {
        ...described('Give dead letters up', 'For good, with a reason that is kept. The records stay in the log.'),
        body: DiscardBody,
        response: { 202: LettersActed },
      },
    },
    async (request: FastifyRequest<{ Body: ReplayBody & { reason: string } }>, reply) => {
      const { reason, ...which } = request.body
      idempotency.keyOf(request, 'discard letters')
      return reply.code(202).send(await told(replay.discardLetters(chosenOf(which), asker(request, reason))))
    },
  )
}

function chosenOf({ letter, all, ...filters }: ReplayBody): LettersChosen {
  const wanted = wantedOf(filters, false, 'body')
  const said = Object.keys(wanted).length > 1
  if (letter !== undefined && all === undefined && !said) return { letter }
  if (letter === undefined && all === true) return { wanted }
  const remedy = 'Name one letter and nothing else, or say "all": true with what they have in common.'
  throw fieldProblem({ field: 'letter', problem: 'does not go with the rest', remedy }, 'body')
}

function wantedOf({ projection, cause, since, until }: Filters, all: boolean, where: 'body' | 'query'): LettersWanted {
  const [sinceMs, untilMs] = [timeOf('since', since, where), timeOf('until', until, where)]
  return {
    all,
    ...(projection !== undefined && { projection }),
    ...(cause !== undefined && { cause }),
    ...(sinceMs !== undefined && { sinceMs }),
    ...(untilMs !== undefined && { untilMs }),
  }
}

function timeOf(field: string, value: string | number | undefined, where: 'body' | 'query'): number | undefined {
  const checked = readTime(field, typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value)
  if (!checked.ok) throw fieldProblem(checked.wrong, where)
  return checked.value
}

function shown({ receivedAtMs, ...letter }: LetterShown): object {
  return { ...letter, receivedAt: receivedAtMs }
}
