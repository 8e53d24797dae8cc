/**
 * What routes are given. Each room's file has what it needs in here and nothing else; server.ts puts it together from
 * what cli/ (or a test) hands in.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { EventLog, Placed, TopicPartition } from '../log/log.ts'
import type { EventCodec, Personal, TitleFacts } from '../schemas/index.ts'
import type { KeyGrant, KeyKind } from './auth.ts'
import type { Idempotency } from './idempotency.ts'
import type { Checkpoints, ProgressReader, ReadProjection, StreamsReader, TitleReader } from './ports.ts'
import type { Past } from './replay/past.ts'

export interface ApiContext {
  readonly log: EventLog
  readonly codec: EventCodec
  readonly nowMs: () => number
  /** A new event id. */
  readonly mint: () => string
  readonly admission: Admission
  readonly progress: ProgressReader
  readonly titles: TitleReader
  readonly streams: StreamsReader
  readonly checkpoints: Checkpoints
  readonly facts: FactsSource
  readonly sealer: Sealer
  readonly positions: Positions
  /** One memory for all routes of this process. */
  readonly idempotency: Idempotency
  /** For `?asOf=`; without it nobody can ask for the past. */
  readonly past?: Past
}

/** What is counted together. Each class has its own number of requests in a minute. */
export type LimitClass = 'progress' | 'start' | 'browse' | 'events'

/** Who may do what, and how often. Each call throws the Problem to answer; it sets the X-RateLimit headers itself. */
export interface Admission {
  /** The profile's own token, or an admin key. */
  profile(request: FastifyRequest, reply: FastifyReply, profileId: string, limit: LimitClass): Promise<ProfileCaller>
  /** Whose token it is, where the path names no profile: playback/start. An admin key is no profile. */
  anyProfile(request: FastifyRequest, reply: FastifyReply, limit: LimitClass): Promise<ProfileCaller>
  /** A playback token: from the body, the path or Authorization, whichever the route passes as `token`. */
  playback(request: FastifyRequest, reply: FastifyReply, token: string, limit: LimitClass): Promise<PlaybackCaller>
  key(request: FastifyRequest, reply: FastifyReply, kinds: readonly KeyKind[], limit?: LimitClass): Promise<KeyGrant>
  /** For playback/start: what the player shows from now on. */
  mintPlayback(claims: Omit<PlaybackClaims, 'expiresAtMs'>): { readonly token: string; readonly expiresAtMs: number }
}

export interface ProfileCaller {
  /** Undefined for an admin key, which may act for any profile. */
  readonly account: string | undefined
  readonly profile: string
  /** basic, standard, premium, or a plan of the customer's. */
  readonly plan: string | undefined
  readonly region: string | undefined
  readonly appId: string
  readonly environment: string
  /** What an operator reads in `by`. */
  readonly by: string
}

export interface PlaybackClaims {
  readonly account: string
  readonly profile: string
  readonly title: string
  readonly session: string
  readonly slot: string
  readonly device: string | undefined
  readonly appId: string
  readonly environment: string
  readonly expiresAtMs: number
}

export type PlaybackCaller = PlaybackClaims

/** What the catalogue says of titles, for stamping; remembered for seconds, so that a heartbeat costs no read. */
export interface FactsSource {
  /** Without waiting: null if the catalogue has none, undefined if it must be asked. */
  atHand(titleId: string): TitleFacts | null | undefined
  of(titleIds: readonly string[]): Promise<ReadonlyMap<string, TitleFacts>>
}

/** Seals what points at a person with its profile's key; one key look-up for each call. */
export interface Sealer {
  seal(batch: readonly { readonly profileId: string; readonly personal: Personal }[]): Promise<readonly Personal[]>
}

/** Read your own writes: `Playhead-Position: playback-events/3@1234, …`. */
export interface Positions {
  header(placed: readonly (TopicPartition & Placed)[]): string
  /**
   * Waits, two seconds at most, until the projection has passed every position of the header that concerns it; 'late'
   * if it has not by then. Throws a Problem for a header that can't be read.
   */
  wait(header: string | undefined, projection: ReadProjection): Promise<'passed' | 'late'>
}
