/** What the page is told when something is not as it should be. Nothing is thrown at it. */
export interface SdkProblem {
  /** Of the service (`STREAM_LIMIT`, `EVENT_INVALID`, …), or of the SDK: `OFFLINE`, `QUEUE_FULL`, `STORE`, `INTERNAL`, `NO_CREDENTIALS`. */
  readonly code: string
  readonly message: string
  /** Of the answer, if there was one. */
  readonly status: number | undefined
  /** The problem document of the service, the rejection of one event, or what was thrown. */
  readonly detail?: unknown
}

/** `error`: what was thrown, a problem document, a rejection. */
export type Tell = (code: string, error: unknown, status?: number) => void

/** A problem document, or the answer to a batch of events. */
export interface AnswerBody {
  readonly code: string
  readonly results?: readonly { readonly index: number; readonly status: string; readonly code: string }[]
}

/** HTTP where it is no JSON: something between us and the service has answered. */
export async function bodyOfAnswer(answer: Response): Promise<AnswerBody> {
  return (await answer.json().catch(() => ({ code: 'HTTP' }))) as AnswerBody
}

/** Milliseconds to wait, from a number of seconds; 0 if it does not say. */
export function retryAfterMs(answer: Response): number {
  return Number(answer.headers.get('retry-after')) * 1_000 || 0
}
