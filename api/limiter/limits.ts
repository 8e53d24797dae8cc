/** Every limit of api/limiter/, by name, in one place. */
import type { LimitClass } from '../context.ts'

export const LIMITER_LIMITS = {
  windowMs: 60_000,
  /** Subjects that one process counts; beyond them those not seen for longest are forgotten. */
  subjectsMax: 100_000,
  sharedTimeoutMs: 50,
  sharedConnectTimeoutMs: 2_000,
  sharedReconnectMaxMs: 2_000,
  perMinuteMax: 1_000_000,
} as const

/** Requests in a minute, unless configured otherwise. */
export const CLASS_DEFAULTS: Readonly<Record<LimitClass, number>> = {
  progress: 60,
  start: 30,
  browse: 100,
  events: 6_000,
}

export const LIMIT_CLASSES = Object.keys(CLASS_DEFAULTS) as readonly LimitClass[]
