/**
 * One device of the viewer: a video element, what plays it, and the SDK attached to it. States: *off* (nothing loaded)
 * → `start` → *on* → `stop` → off. The SDK owns all reporting; this only shows what it is doing.
 */
import Hls from 'hls.js'
import { attach, type PlayheadSession, type RemoteProgress } from '../../sdk/browser.ts'
import { h, say } from '../shared/dom.ts'
import { clock } from '../shared/format.ts'
import { WEB_LIMITS } from '../shared/limits.ts'

export interface DeviceOptions {
  readonly id: string
  readonly clip: string
  readonly titleId: string
  readonly profileId: string
  readonly token: string
  readonly onSession: (sessionId: string) => void
  readonly onRemote: (progress: RemoteProgress) => void
  readonly onTrouble: (says: string) => void
}

export interface Device {
  readonly element: HTMLElement
  readonly on: boolean
  /** From where it was left, on whichever device: the SDK asks the engine. */
  start(): void
  stop(): Promise<void>
}

export function createDevice(options: DeviceOptions): Device {
  const video = h('video', { playsinline: true, muted: true, preload: 'none' })
  // The attribute is only read when the document is parsed.
  video.muted = true
  const line = h('p', { class: 'device-line', 'aria-live': 'off' }, 'Off')
  const element = h('div', { class: 'device off' }, video, line)
  let hls: Hls | undefined
  let session: PlayheadSession | undefined

  const show = () => {
    if (session === undefined) return
    const state = video.paused ? 'paused' : video.readyState < 3 ? 'waiting' : 'playing'
    const { queued } = session.pending()
    say(
      line,
      `${state} · ${clock(video.currentTime * 1_000)} of ${clock(video.duration * 1_000 || null)} · ${queued === 0 ? 'all reports confirmed' : `${queued} reports under way`}`,
    )
  }
  for (const name of ['timeupdate', 'pause', 'playing', 'waiting', 'seeked']) video.addEventListener(name, show)
  setInterval(show, 1_000)

  function load(): Hls | undefined {
    if (!Hls.isSupported()) {
      video.src = options.clip
      return undefined
    }
    const player = new Hls({ enableWorker: false, maxBufferLength: 12 })
    player.loadSource(options.clip)
    player.attachMedia(video)
    return player
  }

  return {
    element,
    get on() {
      return session !== undefined
    },
    start: () => {
      if (session !== undefined) return
      video.controls = true
      element.classList.remove('off')
      hls = load()
      session = attach(video, {
        url: location.origin,
        token: options.token,
        profileId: options.profileId,
        titleId: options.titleId,
        deviceId: options.id,
        player: hls,
        // A person who watches this wants to see them come.
        heartbeatMs: WEB_LIMITS.demoHeartbeatMs,
        context: { appVersion: 'demo', cdn: 'this-machine' },
        onRemoteProgress: options.onRemote,
        onProblem: ({ code, message }) => options.onTrouble(`${code}: ${message}`),
      })
      options.onSession(session.sessionId)
      video.play().catch((error: unknown) => {
        // The browser wants a click first: the controls are there.
        if (!(error instanceof DOMException)) reportError(error)
      })
      show()
    },
    stop: async () => {
      const ending = session
      session = undefined
      video.pause()
      await ending?.end('quit')
      hls?.destroy()
      hls = undefined
      video.removeAttribute('src')
      video.load()
      video.controls = false
      element.classList.add('off')
      say(line, 'Off')
    },
  }
}
