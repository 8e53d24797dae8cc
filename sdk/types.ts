/** What a page sees of the SDK. */
import type { EndReason, PlayerContext } from './events.ts'
import type { SdkProblem } from './problem.ts'

export type { SdkProblem } from './problem.ts'

/** Progress of the same title on another device. */
export interface RemoteProgress {
  readonly titleId: string
  readonly positionMs: number
  readonly durationMs: number | null
  readonly percent: number | null
  readonly completed: boolean
  /** There is a position to go on from. */
  readonly started: boolean
  readonly device: string | null
  readonly updatedAt: number
}

export interface PlayheadOptions {
  /** Of the API, such as https://playhead.example.com. */
  readonly url: string
  readonly titleId: string
  /** A profile's token, minted by your backend, or how to get a fresh one: gives resume and progress. */
  readonly token?: string | (() => string | Promise<string>)
  /** A publishable key. Without a token: quality of experience of an anonymous viewer, no resume. */
  readonly key?: string
  /** Needed only where the token does not name it in `profile`. */
  readonly profileId?: string
  readonly deviceId?: string
  /** The hls.js, dash.js or Shaka instance that feeds the element: renditions, bandwidth, CDN, errors. */
  readonly player?: unknown
  /** What the application knows: appVersion, cdn, drm, … stands above what the SDK finds out. */
  readonly context?: PlayerContext
  /** False: no identifiers, nothing stored; a random session, sent with the key. */
  readonly consent?: boolean
  /** False: the element's position is left alone. */
  readonly resume?: boolean
  readonly heartbeatMs?: number
  readonly onProblem?: (problem: SdkProblem) => void
  readonly onRemoteProgress?: (progress: RemoteProgress) => void
  /** Says each event and each problem in the console. */
  readonly debug?: boolean
}

export interface PlayheadSession {
  readonly sessionId: string
  /** Never rejects. After 3 s without an answer it says 0, and the play is reported all the same. */
  readonly ready: Promise<{ readonly resumePositionMs: number }>
  /** An event of the application's own. */
  event(name: string, words?: Readonly<Record<string, string>>, numbers?: Readonly<Record<string, number>>): void
  /** A failure that the page knows of: of entitlement (`business`), of its own loading. Fatal unless it says otherwise. */
  failed(code: string, how?: { readonly message?: string; readonly business?: boolean; readonly fatal?: boolean }): void
  /** The player, where it was made after the element was attached. */
  usePlayer(player: unknown): void
  /** Events that the service has not confirmed yet, and those that were dropped because there were too many. */
  pending(): { readonly queued: number; readonly dropped: number }
  /** Ends the view; resolves when everything is confirmed, or after 5 s. */
  end(reason?: EndReason): Promise<void>
  /** Ends the view without waiting. What is left is sent in the background. */
  detach(): void
}
