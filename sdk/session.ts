/**
 * One attached element: recorder → outbox → sender, and the page around them. It owns the session's id, its lock (other
 * tabs leave alone what is locked) and all listeners, until the page goes or detaches.
 */
import { claim, createAccess, type Started } from './access.ts'
import { adopt, holdLock } from './adopt.ts'
import { createClock } from './clock.ts'
import type { Env } from './env.ts'
import type { EndReason, QueuedEvent } from './events.ts'
import { openStore } from './idb.ts'
import { uuid7 } from './ids.ts'
import * as limits from './limits.ts'
import { createMedia } from './media.ts'
import { createOutbox, type StoredSession } from './outbox.ts'
import { pageContext } from './page.ts'
import { type PlayerView, viewPlayer } from './players.ts'
import type { Tell } from './problem.ts'
import { createRecorder, type Failure } from './recorder.ts'
import { followRemote } from './remote.ts'
import { createSender } from './sender.ts'
import type { PlayheadOptions, PlayheadSession } from './types.ts'

export function createSession(video: HTMLVideoElement, options: PlayheadOptions, tell: Tell): PlayheadSession {
  const { titleId, key, player, onRemoteProgress, debug, resume = true, consent = true } = options
  const url = options.url.replace(/\/$/, '')
  const clock = createClock(Date.now, () => performance.now())
  const { now } = clock
  const mint = (atMs: number) => uuid7(atMs, (bytes) => crypto.getRandomValues(bytes))
  const env: Env = {
    fetch: (...args) => fetch(...args),
    beacon: 'keepalive' in Request.prototype ? undefined : (to, body) => navigator.sendBeacon(to, body),
    now,
    random: Math.random,
    later(run, ms) {
      const timer = setTimeout(run, ms)
      return () => clearTimeout(timer)
    },
    tell,
  }

  const sessionId = mint(now())
  const given = consent ? options.token : undefined
  const token = given ? (typeof given === 'function' ? given : () => given) : undefined
  const deviceId = consent ? (options.deviceId ?? (onRemoteProgress && sessionId)) : undefined
  const store = consent ? openStore(tell) : undefined
  let stored: StoredSession = {
    sessionId,
    titleId,
    url,
    savedAt: now(),
    ...(consent && {
      deviceId,
      profileId: options.profileId ?? (typeof given === 'string' ? claim(given, 'profile') : undefined),
    }),
  }
  let heartbeatMs = options.heartbeatMs ?? limits.heartbeatMs
  let view: PlayerView | undefined
  let begun = false
  let adopting = false
  let release: () => void = () => undefined
  let answered: (started: Started | undefined) => void
  const gone = new AbortController()
  const { signal: over } = gone

  /** Nothing that goes wrong in here reaches the page. */
  function safely(run: () => unknown): void {
    try {
      run()
    } catch (error) {
      tell('INTERNAL', error)
    }
  }
  const on = (target: EventTarget, type: string, handler: () => unknown) =>
    target.addEventListener(type, () => safely(handler), { signal: over })

  const outbox = createOutbox(sessionId, store)
  const save = (session: StoredSession) => {
    stored = session
    if (begun) store?.save(session)
  }
  const access = createAccess(env, stored, token, key, save, (started) => answered(started))
  const sender = createSender(env, outbox, access, { url, titleId, confirmed: adoptOthers })
  const media = createMedia(video, () => view)
  const recorder = createRecorder({
    clock,
    look: media.look,
    mint,
    emit: queue,
    context: () => pageContext(video, view, options.context, consent),
    deviceId,
    heartbeatMs: () => heartbeatMs,
  })

  function queue(event: QueuedEvent): void {
    if (!begun) store?.save(stored)
    begun = true
    if (debug) console.debug(event)
    if (!outbox.add(event)) tell('QUEUE_FULL', 'oldest dropped')
    sender.poke()
  }

  /** Own events go first; then what earlier pages left. */
  function adoptOthers(): void {
    if (adopting || !store) return
    adopting = true
    adopt(store, stored, now(), async (session, events) => {
      // Without rights of its own it needs ours, and our token is of one profile.
      const asks = session.profileId === stored.profileId ? token : undefined
      if (!asks && !session.playbackToken && !key) return
      const left = createOutbox(session.sessionId, store, events)
      const other = createSender(env, left, createAccess(env, session, asks, key, store.save), session)
      other.hurry()
      await other.empty()
      store.forget(session.sessionId)
    }).catch((error) => tell('INTERNAL', error))
  }

  function failed({ code, message, business }: Failure, fatal: boolean): void {
    const failure = {
      code: code.slice(0, limits.textCharsMax),
      message: message?.slice(0, limits.messageCharsMax),
      business,
    }
    safely(() => (fatal ? recorder.signal('fails', { failure }) : recorder.trouble(failure)))
  }

  function usePlayer(player: unknown): void {
    safely(() => {
      view?.detach()
      const changed = () =>
        safely(() => {
          media.refresh()
          recorder.tick(false)
        })
      view = viewPlayer(player, { changed, failed })
    })
  }

  function leave(reason: EndReason): void {
    if (over.aborted) return
    safely(() => {
      recorder.signal('leaves', { reason })
      gone.abort()
      view?.detach()
      sender.hurry()
    })
    void sender.empty().then(() => {
      store?.forget(sessionId)
      release()
    })
  }

  /** Not before the element knows its media: a position set earlier is forgotten when a player takes it over. */
  function resumeAt(positionMs: number): void {
    const go = () => {
      if (video.currentTime * 1_000 < limits.resumeBeforeMs) video.currentTime = positionMs / 1_000
    }
    if (video.readyState > 0) go()
    else video.addEventListener('loadedmetadata', () => safely(go), { once: true, signal: over })
  }

  async function start(): Promise<{ resumePositionMs: number }> {
    const answer = new Promise<number>((resolve) => {
      setTimeout(() => resolve(0), token ? limits.readyMaxMs : 0)
      answered = (started) => {
        heartbeatMs = options.heartbeatMs ?? started?.heartbeatIntervalMs ?? heartbeatMs
        resolve(started?.resumePositionMs ?? 0)
      }
    })
    if (token) access.get().catch((error) => tell('OFFLINE', error))
    const resumePositionMs = await answer
    if (resume && resumePositionMs > 0) safely(() => resumeAt(resumePositionMs))
    return { resumePositionMs }
  }

  function hold(): void {
    release()
    // While it was frozen another page may have sent what it had and forgotten it.
    begun = false
    if (consent) release = holdLock(sessionId)
  }

  if (!token && !key) tell('NO_CREDENTIALS', 'no key')
  usePlayer(player)
  media.listen(recorder, (type, handler) => on(video, type, handler), over)
  const timer = setInterval(
    () =>
      safely(() => {
        media.refresh()
        recorder.tick(media.running())
      }),
    limits.tickMs,
  )
  over.addEventListener('abort', () => clearInterval(timer))
  on(document, 'visibilitychange', () => {
    if (!document.hidden) return
    recorder.beat()
    sender.hide()
  })
  on(window, 'pagehide', () => {
    recorder.signal('leaves')
    sender.hide()
    release()
  })
  on(window, 'pageshow', hold)
  on(window, 'online', sender.hurry)
  hold()
  const ready = start()
  if (onRemoteProgress && token) {
    const profile = () => stored.profileId
    followRemote({ url, titleId, token, profile, ready, over }, (progress) => {
      if (progress.device !== deviceId) safely(() => onRemoteProgress(progress))
    })
  }

  return {
    sessionId,
    ready,
    pending: () => ({ queued: outbox.events().length, dropped: outbox.dropped() }),
    event: (...said) => safely(() => recorder.custom(...said)),
    failed: (code, { fatal = true, ...how } = {}) => failed({ code, ...how }, fatal),
    usePlayer,
    async end(reason = 'quit') {
      leave(reason)
      await Promise.race([sender.empty(), new Promise((resolve) => setTimeout(resolve, limits.endMaxMs))])
    },
    detach: () => leave('quit'),
  }
}
