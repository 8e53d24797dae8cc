/** The pill that says how the live numbers stand, and what to do where they don't. */
import { h, say } from '../shared/dom.ts'
import { WEB_LIMITS } from '../shared/limits.ts'
import type { StreamState } from '../shared/stream.ts'

export interface Status {
  readonly element: HTMLElement
  stream(state: StreamState | undefined): void
  /** A frame came; what it says of itself. */
  frame(stale: boolean, nowMs: number): void
  tick(nowMs: number): void
  /** What the tables' questions met last; undefined: nothing. */
  tables(trouble: string | undefined): void
}

type Look = 'live' | 'late' | 'off'

export function createStatus(retry: () => void): Status {
  const text = h('span', {})
  const spoken = h('span', { class: 'unseen', role: 'status' })
  const dot = h('i', { class: 'status-dot' })
  const element = h(
    'button',
    { type: 'button', class: 'status', 'data-look': 'off', title: 'Connect again', hidden: true, onClick: retry },
    dot,
    text,
    spoken,
  )
  let state: StreamState | undefined
  let frameAtMs = 0
  let stale = false
  let tables: string | undefined
  let told = ''

  function look(nowMs: number): readonly [Look, string, string] {
    if (state === undefined || state.kind === 'refused') return ['off', 'Signed out', 'Signed out']
    if (state.kind === 'waiting') {
      const seconds = Math.max(0, Math.ceil((state.untilMs - nowMs) / 1_000))
      return ['off', `Offline · again in ${seconds} s`, `${state.trouble.says} Trying again.`]
    }
    if (state.kind === 'connecting') return ['late', 'Connecting…', 'Connecting']
    if (nowMs - frameAtMs > WEB_LIMITS.staleMs && frameAtMs > 0) {
      return ['late', `Stale · ${Math.round((nowMs - frameAtMs) / 1_000)} s`, 'The live numbers are stale']
    }
    if (stale) return ['late', 'Catching up', 'The engine is still reading the log']
    if (tables !== undefined) return ['late', 'Live · tables away', tables]
    return ['live', 'Live', 'Live']
  }

  function show(nowMs: number): void {
    const [name, shown, heard] = look(nowMs)
    element.hidden = state === undefined
    element.dataset.look = name
    say(text, shown)
    // Once for each change and not once a second.
    if (heard !== told) say(spoken, heard)
    told = heard
    element.title = tables ?? (state?.kind === 'waiting' ? `${state.trouble.says} Click to try now.` : heard)
  }

  return {
    element,
    stream: (next) => {
      state = next
      if (next?.kind !== 'open') frameAtMs = 0
      show(Date.now())
    },
    frame: (isStale, nowMs) => {
      stale = isStale
      frameAtMs = nowMs
      show(nowMs)
    },
    tick: show,
    tables: (trouble) => {
      tables = trouble
      show(Date.now())
    },
  }
}
