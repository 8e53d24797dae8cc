/** A player, a clock, a network and a store that do as they are told. */
import { createAccess } from '../../sdk/access.ts'
import { createClock } from '../../sdk/clock.ts'
import type { Env } from '../../sdk/env.ts'
import type { QueuedEvent } from '../../sdk/events.ts'
import { uuid7 } from '../../sdk/ids.ts'
import { createOutbox, type Store, type StoredSession } from '../../sdk/outbox.ts'
import { createRecorder, type Look } from '../../sdk/recorder.ts'
import { createSender } from '../../sdk/sender.ts'

export const START_MS = 1_700_000_000_000

/** A wall clock and a steady one, moved by hand. */
export function fakeTime() {
  const time = {
    wallMs: START_MS,
    steadyMs: 0,
    /** Both go on. */
    pass(ms: number) {
      time.wallMs += ms
      time.steadyMs += ms
    },
    /** The steady clock stands, as in a machine that sleeps. */
    sleep(ms: number) {
      time.wallMs += ms
    },
  }
  return time
}

/** A recorder with a player whose position is set by hand. */
export function recording({ heartbeatMs = 10_000 } = {}) {
  const time = fakeTime()
  const clock = createClock(
    () => time.wallMs,
    () => time.steadyMs,
  )
  const events: QueuedEvent[] = []
  const look = {
    positionMs: 0,
    playbackRatePermille: 1_000,
    playerWidth: 640,
    playerHeight: 360,
    durationMs: 60_000,
    bufferMs: 5_000,
    rendition: {},
    more: () => ({}),
  } as { -readonly [Key in keyof Look]: Look[Key] }
  const recorder = createRecorder({
    clock,
    look: () => ({ ...look }),
    mint: (atMs) => uuid7(atMs, (bytes) => crypto.getRandomValues(bytes)),
    emit: (event) => events.push(event),
    context: () => ({ player: 'test' }),
    heartbeatMs: () => heartbeatMs,
  })
  return {
    time,
    look,
    events,
    recorder,
    types: () => events.map(({ type }) => type),
    last: () => events.at(-1)!,
    /** Media plays for so long, sampled as browsers do. */
    play(ms: number, stepMs = 250) {
      for (let left = ms; left > 0; left -= stepMs) {
        const step = Math.min(left, stepMs)
        time.pass(step)
        look.positionMs += step
        recorder.tick(true)
      }
    },
  }
}

export function memoryStore() {
  const events = new Map<string, Map<number, QueuedEvent>>()
  const sessions = new Map<string, StoredSession>()
  const store: Store = {
    put(sessionId, event) {
      const own = events.get(sessionId) ?? new Map<number, QueuedEvent>()
      events.set(sessionId, own.set(event.sequence, event))
    },
    remove(sessionId, gone) {
      for (const { sequence } of gone) events.get(sessionId)?.delete(sequence)
    },
    save: (session) => void sessions.set(session.sessionId, session),
    forget(sessionId) {
      events.delete(sessionId)
      sessions.delete(sessionId)
    },
    sessions: async () => [...sessions.values()],
    events: async (sessionId) => [...(events.get(sessionId)?.values() ?? [])],
  }
  return { store, left: (sessionId: string) => [...(events.get(sessionId)?.keys() ?? [])] }
}

export interface Sent {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: { readonly events: readonly (QueuedEvent & Record<string, unknown>)[]; readonly sentAt: number }
  readonly keepalive: boolean
}

export type Answer = Response | Error | Promise<Response>

export function json(status: number, body: unknown = {}, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers })
}

/** A sender of one session, and the service: `answer` is asked for each request. Timers run when `run` says. */
export function sending(
  answer: (sent: Sent, count: number) => Answer,
  { key = 'pk', token = undefined as (() => string) | undefined } = {},
) {
  const time = fakeTime()
  const sent: Sent[] = []
  const problems: { code: string; status: number | undefined }[] = []
  let timers: { run: () => void; atMs: number }[] = []
  const env: Env = {
    fetch: (async (url: string, init: { body: string; headers: Record<string, string>; keepalive?: boolean }) => {
      const one = { url, headers: init.headers, body: JSON.parse(init.body), keepalive: init.keepalive === true }
      sent.push(one)
      const answered = await answer(one, sent.length)
      if (answered instanceof Error) throw answered
      return answered
    }) as unknown as typeof fetch,
    now: () => time.wallMs,
    random: () => 1,
    later(run, ms) {
      const timer = { run, atMs: time.wallMs + ms }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
    tell: (code, _, status) => problems.push({ code, status }),
  }
  const memory = memoryStore()
  const session: StoredSession = { sessionId: 's1', titleId: 't1', url: 'https://api.test', savedAt: START_MS }
  const outbox = createOutbox('s1', memory.store)
  const access = createAccess(env, session, token, key, memory.store.save)
  const sender = createSender(env, outbox, access, session)
  return {
    time,
    sent,
    problems,
    outbox,
    access,
    sender,
    memory,
    /** The next timer fires at its time; how long that was. */
    async run(): Promise<number> {
      const next = timers.sort((a, b) => a.atMs - b.atMs).shift()
      if (next === undefined) throw new Error('no timer runs')
      const waitedMs = next.atMs - time.wallMs
      time.pass(waitedMs)
      next.run()
      await settled()
      return waitedMs
    },
    waits: () => timers.length > 0,
  }
}

/** Lets everything that is ready run. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}

export function event(sequence: number, padding = ''): QueuedEvent {
  return {
    type: 'Heartbeat',
    eventId: uuid7(START_MS + sequence, (bytes) => crypto.getRandomValues(bytes)),
    occurredAt: START_MS + sequence,
    sequence,
    positionMs: sequence,
    ...(padding !== '' && { cdn: padding }),
  }
}
