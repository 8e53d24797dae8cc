/** The demo's people: an hour of them in the log before anything starts, and the same ones live from then on. */
import { mkdirSync } from 'node:fs'
import type { EventCodec } from '../../schemas/index.ts'
import { type Audience, createAudience, type Fault } from '../../simulator/index.ts'
import { foldersOf, openCodec, openLog } from '../engines.ts'
import type { Config } from '../settings.ts'
import { registerTitles, writeHistory } from '../simulate/history.ts'
import { type LiveCounts, sendLive } from '../simulate/live.ts'
import type { DemoNote } from './folder.ts'
import { DEMO_LIMITS } from './limits.ts'

export interface DemoAudience {
  readonly audience: Audience
  /** The CDN that goes bad next, and when; undefined: none does any more. */
  readonly nextFault: Fault | undefined
}

/** As it stood when it stopped: what it has said before is thought through again, and not said. */
export function demoAudience({ seed, views, fromMs, madeAtMs, reachedMs }: DemoNote, nowMs: number): DemoAudience {
  const { firstFaultMs, faultEveryMs, faultForMs: forMs, titles } = DEMO_LIMITS
  const faults = Array.from({ length: DEMO_LIMITS.faults }, (_, n) => ({
    cdn: n % 2 === 0 ? 'fastly' : 'cloudfront',
    atMs: madeAtMs - firstFaultMs + n * faultEveryMs,
    forMs,
  }))
  // Of one run after another the ids must differ: an id counts once.
  const options = {
    seed: `${seed} ${madeAtMs}`,
    fromMs,
    views,
    titles,
    titleScale: 0.5,
    curve: 'flat',
    faults,
  } as const
  const audience = createAudience(options)
  while (audience.nextAtMs() <= reachedMs) audience.next(reachedMs)
  return { audience, nextFault: faults.find(({ atMs }) => atMs > nowMs) }
}

export interface HistoryWanted {
  readonly config: Config
  readonly audience: Audience
  readonly untilMs: number
  readonly signal: AbortSignal
  readonly onProgress: (events: number, reachedMs: number) => void
}

/** Straight into the log, before the engine runs; answers how many events. */
export async function writeDemoHistory(wanted: HistoryWanted): Promise<number> {
  const { config, audience, untilMs, signal, onProgress } = wanted
  mkdirSync(foldersOf(config).data, { recursive: true, mode: 0o700 })
  const codec: EventCodec = await openCodec(config)
  const log = await openLog(config)
  try {
    await registerTitles({ audience, log, codec, appId: 'default', environment: 'production', atMs: untilMs })
    const { events } = await writeHistory({
      audience,
      log,
      codec,
      untilMs,
      signal,
      nowMs: Date.now,
      onProgress: (done) => onProgress(done.events, done.reachedMs),
    })
    return events
  } finally {
    await log.close()
  }
}

export interface LiveWanted {
  readonly audience: Audience
  readonly url: string
  readonly key: string
  readonly signal: AbortSignal
  readonly onProgress: (counts: LiveCounts) => void
}

export async function liveDemoAudience({ audience, url, key, signal, onProgress }: LiveWanted): Promise<void> {
  await sendLive({ audience, url, key, signal, nowMs: Date.now, onProgress })
}
