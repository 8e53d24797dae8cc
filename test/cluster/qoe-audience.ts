/**
 * An audience for the cluster's tables, as players post it: thirty views a minute over six minutes that are over, of
 * which one CDN starts none in the first three. All of it hangs on one app version, since the log is shared.
 */
export const MINUTE_MS = 60_000
/** A view's event, as POST /v1/events takes it. */
export type Posted = Readonly<Record<string, unknown>>

export const BAD_MINUTES = 3
export const GOOD_MINUTES = 3
export const VIEWS_A_MINUTE = 10
export const STARTUP_MS = 800
const WATCHED_MS = 20_000

export interface Names {
  readonly appVersion: string
  readonly titleId: string
  readonly badCdn: string
  readonly goodCdn: string
  readonly sessionId: string
}

export function namesOf(unique: string): Names {
  return {
    appVersion: `app-${unique}`,
    titleId: `title-${unique}`,
    badCdn: `bad-${unique}`,
    goodCdn: `good-${unique}`,
    sessionId: `story-${unique}`,
  }
}

/** `fromMs` is the start of the first minute. */
export function audience(names: Names, fromMs: number): readonly Posted[] {
  const events: Posted[] = []
  for (let minute = 0; minute < BAD_MINUTES + GOOD_MINUTES; minute++) {
    for (let i = 0; i < VIEWS_A_MINUTE; i++) {
      const atMs = fromMs + minute * MINUTE_MS + i * 1_000
      const view = `${names.appVersion}-${minute}-${i}`
      events.push(...plays(names, `${view}-good`, names.goodCdn, atMs))
      const onBad = minute < BAD_MINUTES ? fails : plays
      events.push(...onBad(names, `${view}-bad`, names.badCdn, atMs))
    }
  }
  return events
}

/** One view with a stall of four seconds, reported as an SDK does. */
export function story(names: Names, fromMs: number): readonly Posted[] {
  const say = sayer(names, names.sessionId, fromMs)
  return [
    say('PlaybackStarted', 0, { positionMs: 0, context: contextOf(names, names.goodCdn) }),
    say('FirstFrame', STARTUP_MS, { positionMs: 0, startupMs: STARTUP_MS }),
    say('Heartbeat', 10_800, { positionMs: 10_000, state: 'playing' }),
    say('StallStarted', 11_800, { positionMs: 11_000 }),
    say('StallEnded', 15_800, { positionMs: 11_000, stallMs: 4_000 }),
    say('PlaybackEnded', 24_800, { positionMs: 20_000, reason: 'quit' }),
  ]
}

/** The CDN's own log of the same minutes: what it had to fetch first in the bad ones, from its cache in the good ones. */
export function accessLog(names: Names, fromMs: number): string {
  const lines: string[] = []
  for (let minute = 0; minute < BAD_MINUTES + GOOD_MINUTES; minute++) {
    for (let i = 0; i < VIEWS_A_MINUTE; i++) {
      const cmcd = encodeURIComponent(`cid="${names.titleId}",ot=v,sid="${names.appVersion}-${minute}-${i}-bad"`)
      const time = new Date(fromMs + minute * MINUTE_MS + i * 1_000).toISOString()
      const cache = minute < BAD_MINUTES ? 'MISS' : 'HIT'
      lines.push(JSON.stringify({ time, url: `/${i}.m4s?CMCD=${cmcd}`, status: 200, cache }))
    }
  }
  return `${lines.join('\n')}\n`
}

/** A view that plays now and does not end. */
export function playingNow(names: Names, sessionId: string, nowMs: number): readonly Posted[] {
  const say = sayer(names, sessionId, nowMs - STARTUP_MS)
  return [
    say('PlaybackStarted', 0, { positionMs: 0, context: contextOf(names, names.goodCdn) }),
    say('FirstFrame', STARTUP_MS, { positionMs: 0, startupMs: STARTUP_MS }),
  ]
}

function plays(names: Names, sessionId: string, cdn: string, fromMs: number): readonly Posted[] {
  const say = sayer(names, sessionId, fromMs)
  return [
    say('PlaybackStarted', 0, { positionMs: 0, context: contextOf(names, cdn) }),
    say('FirstFrame', STARTUP_MS, { positionMs: 0, startupMs: STARTUP_MS }),
    say('PlaybackEnded', STARTUP_MS + WATCHED_MS, { positionMs: WATCHED_MS, reason: 'quit' }),
  ]
}

function fails(names: Names, sessionId: string, cdn: string, fromMs: number): readonly Posted[] {
  const say = sayer(names, sessionId, fromMs)
  return [
    say('PlaybackStarted', 0, { positionMs: 0, context: contextOf(names, cdn) }),
    say('PlaybackFailed', 3_000, { positionMs: 0, code: 'CDN_503', fatal: true, phase: 'startup' }),
  ]
}

function contextOf({ appVersion }: Names, cdn: string) {
  return { appVersion, cdn, player: 'test', deviceType: 'tv' }
}

function sayer({ titleId }: Names, sessionId: string, fromMs: number) {
  let sequence = 0
  return (type: string, afterMs: number, fields: Posted): Posted => ({
    ...{ type, profileId: `of-${sessionId}`, sessionId, titleId, sequence: sequence++, occurredAt: fromMs + afterMs },
    ...fields,
  })
}
