/**
 * A media element's events as signals of the machine, and what it shows as a Look. All that knows of HTMLMediaElement's
 * habits is here: `pause` comes before `ended`, `seeking` comes when the position has moved, `play` of an autoplay comes
 * when everything is loaded.
 */
import type { PlayerView } from './players.ts'
import type { Extra, Look, Recorder, Rendition } from './recorder.ts'

export interface Media {
  readonly look: () => Look
  /** Asked for on a change and once a second: players build lists to answer it. */
  readonly refresh: () => void
  readonly running: () => boolean
  /** Listens until the signal ends it. `on`: what goes wrong in a handler does not reach the page. */
  readonly listen: (recorder: Recorder, on: (type: string, handler: () => void) => void, gone: AbortSignal) => void
}

export function createMedia(video: HTMLVideoElement, player: () => PlayerView | undefined): Media {
  let playerWidth = 0
  let playerHeight = 0
  let rendition: Rendition = {}

  const running = () => !video.paused && !video.seeking

  function look(): Look {
    const { currentTime, duration, playbackRate } = video
    return {
      positionMs: msOf(currentTime),
      playbackRatePermille: Math.round(playbackRate * 1_000),
      playerWidth,
      playerHeight,
      durationMs: Number.isFinite(duration) ? msOf(duration) : undefined,
      bufferMs: bufferMs(video),
      rendition,
      more: () => ({
        droppedFrames: video.getVideoPlaybackQuality?.().droppedVideoFrames,
        throughputKbps: player()?.throughputKbps(),
      }),
    }
  }

  function refresh(): void {
    const { videoWidth: width, videoHeight: height } = video
    rendition = player()?.rendition(height) ?? (height > 0 ? { width, height } : {})
  }

  function listen(recorder: Recorder, on: (type: string, handler: () => void) => void, gone: AbortSignal): void {
    const { signal, tick } = recorder
    let loadAt: number | undefined = video.autoplay ? performance.now() : undefined
    const moved = () => {
      // The position has moved already; the event that says so is on its way.
      if (video.seeking && recorder.state() === 'playing') signal('seeks')
      tick(running())
    }
    on('loadstart', () => {
      loadAt = video.autoplay ? performance.now() : undefined
    })
    on('canplaythrough', () => {
      // Everything is there and it does not play: the browser forbids autoplay.
      if (video.paused) loadAt = undefined
    })
    on('play', () => {
      const asked: Extra = loadAt === undefined ? {} : { agoMs: performance.now() - loadAt, trigger: 'autoplay' }
      loadAt = undefined
      signal('play', asked)
    })
    on('playing', () => running() && signal('moves'))
    on('pause', () => {
      if (video.ended) return
      signal('pause')
      // Paused while it sought, with the position at hand: nothing more will be said of that seek.
      if (!video.seeking) signal('sought')
    })
    on('waiting', () => running() && signal('waits'))
    on('seeking', () => signal('seeks'))
    on('seeked', () => signal('sought'))
    on('ended', () => signal('ends'))
    on('error', () => {
      const { code = 0, message = '' } = video.error ?? {}
      // A page that takes the source away is no failure.
      if (!message.includes('Empty src')) signal('fails', { failure: { code: `MEDIA_ERR_${code}`, message } })
    })
    on('timeupdate', moved)
    on('ratechange', moved)
    on('resize', () => {
      refresh()
      moved()
    })
    // Reading an element's size makes the browser lay the page out; an observer is told it.
    const observer = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect
      playerWidth = Math.round(width * devicePixelRatio)
      playerHeight = Math.round(height * devicePixelRatio)
    })
    observer.observe(video)
    gone.addEventListener('abort', () => observer.disconnect())
    if (!video.error && !video.paused) signal(video.currentTime > 0 && video.readyState > 2 ? 'moves' : 'play')
  }

  return { look, refresh, running, listen }
}

function msOf(seconds: number): number {
  return Math.max(0, Math.round(seconds * 1_000))
}

function bufferMs({ buffered, currentTime }: HTMLVideoElement): number {
  for (let i = 0; i < buffered.length; i++) {
    if (buffered.start(i) <= currentTime && currentTime <= buffered.end(i)) return msOf(buffered.end(i) - currentTime)
  }
  return 0
}
