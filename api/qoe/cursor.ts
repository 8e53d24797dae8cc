/** Where a page of views ended, as text that a caller sends back. */
import { fieldProblem } from '../validation.ts'
import { QOE_LIMITS } from './limits.ts'

export interface ViewCursor {
  readonly startedAtMs: number
  readonly viewId: string
}

export function cursorText({ startedAtMs, viewId }: ViewCursor): string {
  return Buffer.from(`${startedAtMs}/${viewId}`).toString('base64url')
}

/** Throws the Problem for a text that is none. */
export function parseCursor(text: string): ViewCursor {
  const [, ms, viewId] = /^(-?\d{1,15})\/([0-9a-f]{32})$/.exec(Buffer.from(text, 'base64url').toString()) ?? []
  if (ms === undefined || viewId === undefined || Math.abs(Number(ms)) > QOE_LIMITS.timeMsMax) {
    const remedy = 'Send the "next" of the former page as it was.'
    throw fieldProblem({ field: 'cursor', problem: 'is no cursor', remedy }, 'query')
  }
  return { startedAtMs: Number(ms), viewId }
}
