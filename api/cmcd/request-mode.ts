/**
 * Request mode: what players put on their media requests, in the query argument `CMCD` or in four headers, sent here by
 * a page, an edge or a proxy. Headers beat the query. Each is one CmcdRequest, in `cdn_requests`.
 */
import type { FastifyRequest } from 'fastify'
import type { NewRecord } from '../../log/log.ts'
import {
  cmcdOfUrl,
  cmcdRequest,
  protocolOf,
  type Reading,
  readHeaders,
  readQuery,
  recordId,
  streamTypeOf,
  titleOfRecord,
} from '../../producers/cmcd/index.ts'
import { toRecord } from '../../producers/record.ts'
import { stampMeta } from '../../producers/stamp.ts'
import type { EventCodec } from '../../schemas/index.ts'
import { Problem } from '../problems.ts'
import type { Batch, Placed } from './collect.ts'

export function readRequest(request: FastifyRequest): Reading {
  const fromHeaders = readHeaders(request.headers)
  if (fromHeaders !== undefined) return fromHeaders
  const encoded = cmcdOfUrl(request.raw.url ?? '')
  if (encoded !== undefined) return readQuery(encoded)
  throw new Problem('BAD_REQUEST', 'Send CMCD as ?CMCD=… or in the headers CMCD-Object, -Request, -Session, -Status.')
}

interface Making {
  readonly codec: EventCodec
  readonly mint: () => string
}

export function recordOfRequest(
  { reading, sessionId }: Placed,
  { reporter, agent, receivedAtMs }: Batch,
  request: FastifyRequest,
  { codec, mint }: Making,
): NewRecord {
  const { appId, environment, bound } = reporter
  const eventId = recordId(reading, { appId, environment, sessionId, target: 'request' })
  const arrival = { source: 'cmcd', appId, environment, receivedAtMs } as const
  const meta = stampMeta(arrival, eventId === undefined ? {} : { eventId }, mint)
  const titleId = titleOfRecord(reading) ?? bound?.title
  const { url } = request.query as Readonly<Record<string, unknown>>
  const line = typeof url === 'string' && url !== '' ? { url } : {}
  const context = { ...agent, streamType: streamTypeOf(reading.values), protocol: protocolOf(reading.values) }
  return toRecord(codec, cmcdRequest(reading, { sessionId, titleId }, line, meta, context))
}
