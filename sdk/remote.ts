/** Progress of other devices, over server-sent events. A stream that is refused is asked for again, with a fresh token. */
import * as limits from './limits.ts'
import type { RemoteProgress } from './types.ts'

interface Followed {
  readonly url: string
  readonly titleId: string
  readonly token: () => string | Promise<string>
  readonly profile: () => string | undefined
  /** The profile is known from here on. */
  readonly ready: Promise<unknown>
  readonly over: AbortSignal
}

export function followRemote(followed: Followed, heard: (progress: RemoteProgress) => void): void {
  const { url, titleId, token, profile, ready, over } = followed
  let source: EventSource | undefined
  const open = async () => {
    if (over.aborted) return
    const profileId = profile()
    if (profileId === undefined) return again()
    const query = `token=${encodeURIComponent(await token())}`
    source = new EventSource(`${url}/v1/profiles/${encodeURIComponent(profileId)}/live?${query}`)
    source.addEventListener('progress', ({ data }: MessageEvent<string>) => {
      const progress = JSON.parse(data) as RemoteProgress
      // A title that was only asked for has a row, but no place in it.
      if (progress.titleId === titleId && progress.started) heard(progress)
    })
    // It would come back by itself, but with the token of old.
    source.onerror = () => {
      source?.close()
      again()
    }
  }
  const tryOpen = () => void open().catch(again)
  const again = () => {
    if (!over.aborted) setTimeout(tryOpen, limits.remoteRetryMs)
  }
  over.addEventListener('abort', () => source?.close())
  void ready.then(tryOpen)
}
