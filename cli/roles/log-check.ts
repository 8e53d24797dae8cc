/** Whether the event log answers: asked at most once a second however often readiness is. */
import { API_LIMITS } from '../../api/limits.ts'
import type { EventLog } from '../../log/log.ts'

export function logComplaints(log: EventLog, nowMs: () => number): () => Promise<readonly string[]> {
  let asked: { readonly atMs: number; readonly answer: Promise<readonly string[]> } | undefined
  return () => {
    if (asked === undefined || nowMs() - asked.atMs > API_LIMITS.readyCacheMs) {
      asked = { atMs: nowMs(), answer: ask(log) }
    }
    return asked.answer
  }
}

async function ask(log: EventLog): Promise<readonly string[]> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<readonly string[]>((resolve) => {
    timer = setTimeout(resolve, API_LIMITS.readyTimeoutMs, ['the event log does not answer'])
  })
  const answer = log.topics().then(
    () => [],
    (error: Error) => [`the event log does not answer: ${error.message}`],
  )
  const first = await Promise.race([answer, late])
  clearTimeout(timer)
  return first
}
