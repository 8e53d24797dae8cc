/** What the engine has of these sessions: read back from its tables, not from the player that sent it. */
import type { Client } from '../shared/client.ts'
import { fill, h } from '../shared/dom.ts'
import { clock, length, NONE, time } from '../shared/format.ts'
import { WEB_LIMITS } from '../shared/limits.ts'
import { poll } from '../shared/poll.ts'

interface Arrived {
  readonly eventId: string
  readonly at: string
  readonly type: string
  readonly occurredAt: string
  readonly receivedAt: string
  readonly fields: Readonly<Record<string, unknown>>
}

interface Story {
  readonly events: readonly Arrived[]
}

export interface Feed {
  readonly element: HTMLElement
  follow(sessionId: string, device: string): void
}

const SESSIONS_MAX = 4

export function createFeed(client: Client): Feed {
  const body = h('tbody', {})
  const hint = h('p', { class: 'hint' }, 'Press play: the first events are here within two seconds.')
  const head = ['Happened', 'Device', 'Event', 'Position', 'Says', 'Arrived after', 'In the log at']
  const element = h(
    'section',
    { class: 'card feed', 'aria-labelledby': 'feed-title' },
    h('div', { class: 'feed-head' }, h('h2', { id: 'feed-title' }, 'What arrived'), hint),
    h(
      'div',
      { class: 'table-scroll', tabindex: 0, role: 'region', 'aria-label': 'Events that arrived' },
      h('table', {}, h('thead', {}, h('tr', {}, ...head.map((text) => h('th', { scope: 'col' }, text)))), body),
    ),
  )
  const sessions: { readonly id: string; readonly device: string; known: boolean }[] = []
  let shown = new Set<string>()

  function show(all: readonly (Arrived & { readonly device: string })[]): void {
    const newest = [...all]
      .sort((a, b) => Date.parse(b.occurredAt) - Date.parse(a.occurredAt) || (a.eventId < b.eventId ? 1 : -1))
      .slice(0, WEB_LIMITS.feedShown)
    const before = shown
    shown = new Set(newest.map(({ eventId }) => eventId))
    if (newest.length === 0) return
    hint.textContent = 'Read back from the engine every two seconds.'
    fill(body, ...newest.map((event) => row(event, before.size > 0 && !before.has(event.eventId))))
  }

  poll({
    everyMs: () => WEB_LIMITS.feedEveryMs,
    ask: async (signal) => {
      if (sessions.length === 0) return undefined
      const answers = await Promise.all(
        sessions.map(async (session) => {
          const { id, device } = session
          if (!session.known) {
            // A session that is new has no story yet, and no page wants to be told 404.
            const found = await client.get<{ views: readonly unknown[] }>(
              '/v1/qoe/views',
              { session: id, limit: 1 },
              signal,
            )
            session.known = found?.ok === true && found.value.views.length > 0
            if (!session.known) return { answer: undefined, device }
          }
          const answer = await client.get<Story>(`/v1/qoe/views/${encodeURIComponent(id)}`, {}, signal)
          return { answer, device }
        }),
      )
      if (signal.aborted) return undefined
      show(
        answers.flatMap(({ answer, device }) =>
          answer?.ok === true ? answer.value.events.map((e) => ({ ...e, device })) : [],
        ),
      )
      const bad = answers.find(({ answer }) => answer?.ok === false && answer.trouble.status !== 404)?.answer
      return bad?.ok === false ? bad.trouble : undefined
    },
  })
  return {
    element,
    follow: (id, device) => {
      sessions.unshift({ id, device, known: false })
      sessions.length = Math.min(sessions.length, SESSIONS_MAX)
    },
  }
}

function row(
  { at, type, occurredAt, receivedAt, fields, device }: Arrived & { readonly device: string },
  isNew: boolean,
) {
  const position = typeof fields.positionMs === 'number' ? clock(fields.positionMs) : NONE
  const afterMs = Math.max(0, Date.parse(receivedAt) - Date.parse(occurredAt))
  return h(
    'tr',
    { class: isNew ? 'new' : '' },
    h('td', {}, time(Date.parse(occurredAt), true)),
    h('td', {}, device),
    h('th', { scope: 'row' }, type),
    h('td', { class: 'num' }, position),
    h('td', { class: 'says' }, saysOf(fields)),
    h('td', { class: 'num' }, afterMs < 1_000 ? `${afterMs} ms` : length(afterMs)),
    h('td', { class: 'log-at' }, at),
  )
}

const TOLD = ['state', 'startupMs', 'videoBitrateKbps', 'bufferMs', 'toMs', 'stallMs', 'reason', 'code'] as const

function saysOf(fields: Readonly<Record<string, unknown>>): string {
  return TOLD.flatMap((name) => {
    const value = fields[name]
    return value === null || value === undefined ? [] : [`${name} ${String(value)}`]
  }).join(' · ')
}
