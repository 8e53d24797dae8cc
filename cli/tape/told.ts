/**
 * What a recording tells: its events, whichever route they came by, as the engine would take them; and what is wrong with
 * the requests themselves. Ids of sessions are the client's own, so views are known by the order in which they appear.
 */
import { checkEvent, type Draft } from '../../api/intake.ts'
import { HeartbeatBody, StartBody, StopBody } from '../../api/playback/bodies.ts'
import { check, timeMsOf } from '../../api/validation.ts'
import { heartbeat, playbackEnded, playbackStarted, type View } from '../../producers/playback.ts'
import { type Arrival, stampMeta } from '../../producers/stamp.ts'
import type { EventCodec } from '../../schemas/index.ts'
import type { Recorded } from './recorded.ts'

export interface Told {
  readonly event: Draft
  readonly request: number
}

export interface Telling {
  readonly told: readonly Told[]
  /** About single requests. */
  readonly faults: readonly string[]
}

type Loose = Readonly<Record<string, unknown>>

const ROUTES = ['/v1/events', '/v1/playback/start', '/v1/playback/heartbeat', '/v1/playback/stop'] as const

/** What was refused did not arrive; whoever recorded it shows whether it came again. */
export function tellingOf(codec: EventCodec, recording: readonly Recorded[]): Telling {
  const reader = new Reader(codec)
  for (const one of recording) {
    const route = ROUTES.find((path) => one.method === 'POST' && one.path.split('?', 1)[0] === path)
    if (route === undefined || (one.status !== undefined && one.status >= 400)) continue
    if (typeof one.body !== 'object' || one.body === null)
      reader.faults.push(`request ${one.index}: its body is no JSON`)
    else if (route === '/v1/events') reader.events(one, one.body as Loose)
    else reader.playback(one, route, one.body as Loose)
  }
  return reader
}

class Reader implements Telling {
  readonly told: Told[] = []
  readonly faults: string[] = []
  readonly #codec: EventCodec
  readonly #views = new Map<string, View>()
  #last: View | undefined
  #minted = 0

  constructor(codec: EventCodec) {
    this.#codec = codec
  }

  events({ index, ...one }: Recorded, body: Loose): void {
    const items = Array.isArray(body) ? (body as readonly unknown[]) : body.events
    if (!Array.isArray(items)) {
      this.faults.push(`request ${index}: there are no "events" in it`)
      return
    }
    if (body.sentAt === undefined)
      this.faults.push(`request ${index}: there is no sentAt, so no clock can be corrected`)
    if (!hasCredential(one)) this.faults.push(`request ${index}: it shows neither token nor key`)
    const arrival = this.#arrival(one.atMs, body.sentAt)
    for (const [i, item] of items.entries()) {
      const checked = checkEvent({ codec: this.#codec, mint: this.#mint }, { kind: 'admin' }, arrival, item, undefined)
      if (!checked.ok) {
        const { field, problem, remedy } = checked.rejection
        this.faults.push(`request ${index}, event ${i}: ${field} ${problem}. ${remedy}`.replace('  ', ' '))
        continue
      }
      const { eventId, idempotencyKey } = item as Loose
      if (eventId === undefined && idempotencyKey === undefined) {
        this.faults.push(`request ${index}, event ${i}: without eventId it counts twice when it is sent twice`)
      }
      this.told.push({ event: checked.event, request: index })
    }
  }

  playback({ index, headers, path, atMs, answer }: Recorded, route: (typeof ROUTES)[number], body: Loose): void {
    const shape = route.endsWith('start') ? StartBody : route.endsWith('stop') ? StopBody : HeartbeatBody
    const checked = check(shape, body)
    if (!checked.ok) {
      const { field, problem, remedy } = checked.wrong
      this.faults.push(`request ${index}: ${field} ${problem}. ${remedy}`)
      return
    }
    if (route.endsWith('start')) {
      this.#start(index, body, answer, atMs)
      return
    }
    const view = this.#viewOf(String(body.playbackToken ?? bearerOf({ headers, path })))
    if (view === undefined) {
      this.faults.push(`request ${index}: no start came before it`)
      return
    }
    const occurredAtMs = body.clientTimestamp === undefined ? undefined : timeMsOf(body.clientTimestamp)
    const meta = stampMeta(
      this.#arrival(atMs, body.sentAt),
      {
        ...(occurredAtMs !== undefined && { occurredAtMs }),
        ...(headers['idempotency-key'] !== undefined && { idempotencyKey: headers['idempotency-key'] }),
      },
      this.#mint,
    )
    const make = route.endsWith('stop') ? playbackEnded : heartbeat
    this.told.push({ event: make(view, meta, checked.value as never, null) as unknown as Draft, request: index })
  }

  #start(request: number, body: Loose, answer: unknown, atMs: number | undefined): void {
    const { sessionId: answered, playbackToken } = (answer ?? {}) as Loose
    const sessionId = String(body.sessionId ?? answered ?? `session of request ${request}`)
    const view = { profileId: 'profile', sessionId, titleId: String(body.titleId) }
    this.#last = view
    if (typeof playbackToken === 'string') this.#views.set(playbackToken, view)
    if (body.events === 'sdk') return
    const report = { positionMs: Number(body.positionMs ?? 0), trigger: null, personal: null }
    const { deviceType = null, player = null } = body as { deviceType?: string; player?: string }
    const meta = stampMeta(this.#arrival(atMs, undefined), { idempotencyKey: sessionId }, this.#mint)
    const event = playbackStarted(view, meta, { ...report, deviceType, player }, null)
    this.told.push({ event: event as unknown as Draft, request })
  }

  #viewOf(token: string): View | undefined {
    return this.#views.get(token) ?? this.#last
  }

  readonly #mint = (): string => {
    this.#minted++
    return `00000000-0000-7000-8000-${this.#minted.toString(16).padStart(12, '0')}`
  }

  #arrival(atMs: number | undefined, sentAt: unknown): Arrival {
    const sentAtMs = sentAt === undefined ? undefined : timeMsOf(sentAt)
    const receivedAtMs = atMs ?? sentAtMs ?? 0
    return {
      source: 'api',
      appId: 'recorded',
      environment: 'recorded',
      receivedAtMs,
      ...(sentAtMs !== undefined && { sentAtMs }),
    }
  }
}

type Shown = Pick<Recorded, 'headers' | 'path'>

function hasCredential({ headers, path }: Shown): boolean {
  return bearerOf({ headers, path }) !== '' || headers['x-playhead-key'] !== undefined || /[?&](key|token)=/.test(path)
}

function bearerOf({ headers }: Shown): string {
  return /^Bearer\s+(\S+)/i.exec(headers.authorization ?? '')?.[1] ?? ''
}
