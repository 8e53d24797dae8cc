/**
 * The audience: who watches now (`/v1/live`, from the tail of the log), what is trending and where viewers leave a
 * title (from the tables). The live counters run from here on, whoever asks, until the server closes.
 */
import type { FastifyInstance } from 'fastify'
import type { EventLog } from '../../log/log.ts'
import type { EventCodec } from '../../schemas/index.ts'
import type { Admission } from '../context.ts'
import type { AnalyticsReader, Checkpoints, TitleReader } from '../ports.ts'
import { freshnessOf } from '../qoe/freshness.ts'
import { AudienceCounters } from './counters.ts'
import { AudienceFrames } from './frames.ts'
import { addLiveNumbers } from './live.ts'
import { addRetention } from './retention.ts'
import { AudienceTail } from './tail.ts'
import { addTrending } from './trending.ts'

export interface AudienceParts {
  readonly admission: Admission
  readonly log: EventLog
  readonly codec: EventCodec
  readonly nowMs: () => number
  readonly logger: { error(fields: object, message: string): void }
  /** Without these two there are the live numbers only. */
  readonly analytics?: AnalyticsReader
  readonly checkpoints?: Checkpoints
  /** Names of trending titles; without it they have none. */
  readonly titles?: Pick<TitleReader, 'get'>
  /** Off: this process doesn't follow the log, and has no live numbers. */
  readonly live?: boolean
}

/** For metrics and tests; the server closes it. */
export interface Audience {
  readonly counters: AudienceCounters
  readonly frames: AudienceFrames
}

export function addAudienceRoutes(app: FastifyInstance, parts: AudienceParts): Audience {
  const { admission, log, nowMs, logger, analytics, checkpoints, titles } = parts
  const counters = new AudienceCounters()
  const tail = new AudienceTail({ ...parts, counters })
  const frames = new AudienceFrames(counters, tail, nowMs, (error) =>
    logger.error({ err: error }, 'a live frame failed'),
  )
  if (parts.live !== false) {
    addLiveNumbers(app, { admission, frames })
    tail.start()
    app.addHook('onClose', async () => await tail.close())
  }
  if (analytics !== undefined && checkpoints !== undefined) {
    const freshness = freshnessOf({ log, checkpoints, nowMs })
    addTrending(app, { admission, analytics, freshness, nowMs, ...(titles && { titles }) })
    addRetention(app, { admission, analytics, freshness, nowMs })
  }
  return { counters, frames }
}
