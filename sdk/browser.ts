/**
 * The browser SDK: `/sdk/playhead.js`. One function; what it returns is described in types.ts. Nothing thrown in here
 * reaches the page: what goes wrong is told to `onProblem`, and the video plays on.
 */
import type { Tell } from './problem.ts'
import { createSession } from './session.ts'
import type { PlayheadOptions, PlayheadSession } from './types.ts'

export type { SdkProblem } from './problem.ts'
export type { PlayheadOptions, PlayheadSession, RemoteProgress } from './types.ts'

export function attach(video: HTMLVideoElement, options: PlayheadOptions): PlayheadSession {
  const tell: Tell = (code, detail, status) => {
    const { message, detail: words } = (detail ?? {}) as { message?: string; detail?: string }
    const problem = { code, message: `${words ?? message ?? detail}`, detail, status }
    if (options.debug) console.debug(problem)
    try {
      options.onProblem?.(problem)
    } catch (error) {
      console.warn(error)
    }
  }
  try {
    return createSession(video, options, tell)
  } catch (error) {
    tell('INTERNAL', error)
    return NOTHING
  }
}

/** Where nothing can be reported (a browser without what is needed), the page goes on as if it could. */
const NOTHING: PlayheadSession = {
  sessionId: '',
  ready: Promise.resolve({ resumePositionMs: 0 }),
  pending: () => ({ queued: 0, dropped: 0 }),
  event: () => undefined,
  failed: () => undefined,
  usePlayer: () => undefined,
  end: () => Promise.resolve(),
  detach: () => undefined,
}
