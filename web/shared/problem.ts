/** What went wrong, in words for people; from the API's problem documents, or from a network that failed. */

export interface Trouble {
  /** 0: no answer came. */
  readonly status: number
  readonly code: string
  readonly says: string
  readonly retryAfterMs: number
}

export async function troubleOf(answer: Response): Promise<Trouble> {
  const seconds = Number(answer.headers.get('retry-after') ?? 0)
  const retryAfterMs = Number.isFinite(seconds) ? Math.max(0, seconds) * 1_000 : 0
  let code = `HTTP_${answer.status}`
  let says = `The API answered ${answer.status}.`
  try {
    const document = (await answer.json()) as { code?: unknown; title?: unknown; detail?: unknown }
    if (typeof document.code === 'string') code = document.code
    if (typeof document.title === 'string') {
      says = `${document.title}.${typeof document.detail === 'string' ? ` ${document.detail}` : ''}`
    }
  } catch (error) {
    // A proxy's page in place of ours: its status is all there is to say.
    if (!(error instanceof Error)) throw error
  }
  return { status: answer.status, code, says, retryAfterMs }
}

export const NO_ANSWER: Trouble = {
  status: 0,
  code: 'NO_ANSWER',
  says: 'The API can not be reached.',
  retryAfterMs: 0,
}

/** A key that is wrong stays wrong: somebody has to give another one. */
export function isRefusal({ status }: Pick<Trouble, 'status'>): boolean {
  return status === 401 || status === 403
}
