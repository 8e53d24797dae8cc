/** The three playback routes: start, heartbeat, stop. A player that brings no SDK needs no others. */
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { ApiContext } from '../context.ts'
import { gate } from '../gate.ts'
import type { ApiMetrics } from '../metrics.ts'
import { HeartbeatBody, StartAnswer, StartBody, StopBody } from './bodies.ts'
import { STREAMS_BY_PLAN } from './limits.ts'
import { Renewals } from './renewals.ts'
import { takeHeartbeat, takeStop } from './report.ts'
import { type PlaybackPorts, startPlayback } from './start.ts'

export interface PlaybackOptions {
  readonly metrics: ApiMetrics
  /** Streams at once by plan; basic 1, standard 2, premium 4 without it. */
  readonly streamsByPlan?: Readonly<Record<string, number>>
}

const TAGS = ['Playback']
const PLAYBACK = [{ playbackToken: [] }, {}]

export function addPlaybackRoutes(app: FastifyInstance, context: ApiContext, options: PlaybackOptions): void {
  const ports: PlaybackPorts = {
    ...context,
    metrics: options.metrics,
    streamsByPlan: options.streamsByPlan ?? STREAMS_BY_PLAN,
  }
  const renewals = new Renewals()
  const start = {
    tags: TAGS,
    summary: 'Start a playback: a stream slot, a place to resume, a token for what follows',
    security: [{ profileToken: [] }],
    body: StartBody,
    response: { 201: StartAnswer },
  }
  const heartbeat = {
    tags: TAGS,
    summary: 'Say where the player is, about every ten seconds',
    security: PLAYBACK,
    body: HeartbeatBody,
    response: { 204: Type.Null({ description: 'It is in the log.' }) },
  }
  const stop = {
    tags: TAGS,
    summary: 'End a playback and free its stream slot',
    security: PLAYBACK,
    body: StopBody,
    response: { 204: Type.Null({ description: 'It is in the log.' }) },
  }
  // Heartbeat and stop have no gate: they may bring their token in the body.
  const { onRequest, callerOf } = gate((request, reply) => ports.admission.anyProfile(request, reply, 'start'))
  app.post('/v1/playback/start', { schema: start, onRequest }, (request, reply) =>
    startPlayback(ports, callerOf(request), request, reply),
  )
  app.post('/v1/playback/heartbeat', { schema: heartbeat }, (request, reply) =>
    takeHeartbeat(ports, renewals, request, reply),
  )
  app.post('/v1/playback/stop', { schema: stop }, (request, reply) => takeStop(ports, renewals, request, reply))
}
