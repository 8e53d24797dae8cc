/** The story of one session: each of its views drawn, its facts, its events, and where the numbers are in doubt. */
import { fill, h, say } from '../shared/dom.ts'
import { bitrate, clock, count, dateTime, length, NONE, percent, points, wait } from '../shared/format.ts'
import { WEB_LIMITS } from '../shared/limits.ts'
import { shownValue } from './choice.ts'
import { createTimeline } from './timeline.ts'
import { drawnOf, type Mark } from './timeline-shape.ts'
import type { Story, ViewStory } from './types.ts'
import { shownState } from './views.ts'

export interface StoryPanel {
  readonly element: HTMLElement
  show(story: Story): void
  /** Nothing to show: why. */
  none(says: string): void
}

export function createStory(sessionId: string, backHash: string): StoryPanel {
  const body = h('div', { class: 'story-body' }, h('p', { class: 'notice', role: 'status' }, 'Reading the session…'))
  const element = h(
    'section',
    { class: 'story', 'aria-labelledby': 'story-title' },
    h(
      'div',
      { class: 'story-head' },
      h('a', { class: 'back', href: backHash }, '← Overview'),
      h('h1', { id: 'story-title' }, 'Session ', h('code', {}, sessionId)),
    ),
    body,
  )
  let shown = ''
  return {
    element,
    none: (says) => {
      if (shown === '') fill(body, h('p', { class: 'notice', role: 'status' }, says))
    },
    show: (story) => {
      // The same again: what somebody reads stays where it is.
      const version = `${story.events.length} ${story.views.map((view) => `${view.state} ${view.row.last_received_at}`).join()}`
      if (version === shown) return
      shown = version
      fill(body, ...story.views.map((view) => viewOf(view, story)))
    },
  }
}

function viewOf(view: ViewStory, story: Story): HTMLElement {
  const { row, state, explanation } = view
  const events = story.events.filter((e) => e.titleId === row.title_id && e.profileId === row.profile_id)
  const drawn = drawnOf(view, events)
  const inspector = h('div', { class: 'inspector', 'aria-live': 'polite' })
  const inspect = (mark: Mark) => fill(inspector, ...inspected(mark, drawn.fromMs))
  const timeline = createTimeline(drawn, inspect)
  // What went wrong is why somebody looks.
  const first = Math.max(
    0,
    drawn.marks.findIndex(({ kind }) => kind === 'stall' || kind === 'fail'),
  )
  const mark = drawn.marks[first]
  if (mark !== undefined) inspect(mark)
  timeline.select(first)
  return h(
    'article',
    { class: 'card story-view' },
    h(
      'div',
      { class: 'story-title' },
      h('h2', {}, shownValue(String(row.title_id))),
      h('span', { class: `pill state-${state}` }, shownState(state)),
      h(
        'span',
        { class: 'means' },
        `${dateTime(Date.parse(String(row.started_at)), Date.now())} · profile ${String(row.profile_id)}`,
      ),
    ),
    facts(row),
    explanation === null
      ? h(
          'p',
          { class: 'notice' },
          'Its events are no longer kept, or are too many for one answer: there is no timeline.',
        )
      : timeline.element,
    inspector,
    doubts(view),
    eventTable(drawn.marks, drawn.fromMs, (index) => {
      timeline.select(index)
      const picked = drawn.marks[index]
      if (picked !== undefined) inspect(picked)
    }),
  )
}

function facts(row: ViewStory['row']): HTMLElement {
  const n = (name: string) => Number(row[name] ?? 0)
  const word = (name: string) => (row[name] === '' || row[name] === undefined ? NONE : String(row[name]))
  const rebuffer = n('watched_ms') === 0 ? null : (n('stalled_ms') / n('watched_ms')) * 100
  const all: readonly (readonly [string, string, string?])[] = [
    ['Startup', wait(n('startups') === 0 ? null : n('startup_ms'))],
    ['Watched', length(n('watched_ms'))],
    [
      'Stalls',
      n('stalls') === 0 ? 'none' : `${count(n('stalls'))}, ${wait(n('stalled_ms'))}`,
      n('stalls') > 0 ? 'warn' : '',
    ],
    ['Rebuffering', percent(rebuffer)],
    ['Bitrate', bitrate(n('bits_media_ms') === 0 ? null : n('bits') / n('bits_media_ms'))],
    ['Score', points(n('score_views') === 0 ? null : n('score_milli') / 1_000)],
    ['Ended by', word('error_code') !== NONE ? word('error_code') : word('end_reason'), n('failures') > 0 ? 'bad' : ''],
    ['Device', [word('device_type'), word('os')].filter((w) => w !== NONE).join(', ') || NONE],
    ['Player', [word('player'), word('player_version')].filter((w) => w !== NONE).join(' ') || NONE],
    ['CDN', word('cdn')],
    ['Where', [word('country'), word('region'), word('isp')].filter((w) => w !== NONE).join(', ') || NONE],
    ['Reports', `${count(n('reports'))}${n('lost_reports') > 0 ? `, ${count(n('lost_reports'))} lost` : ''}`],
  ]
  return h(
    'dl',
    { class: 'facts' },
    ...all.map(([name, value, look = '']) => h('div', {}, h('dt', {}, name), h('dd', { class: look }, value))),
  )
}

function inspected({ event, atMs }: Mark, fromMs: number): readonly HTMLElement[] {
  const { fields } = event
  const lateMs = Date.parse(event.receivedAt) - atMs
  return [
    h(
      'p',
      { class: 'inspected' },
      h('b', {}, event.type),
      h('span', {}, `at ${clock(atMs - fromMs)}`),
      typeof fields.positionMs === 'number' ? h('span', {}, `position ${clock(fields.positionMs)}`) : null,
      lateMs > 5_000 ? h('span', { class: 'warn' }, `arrived ${length(lateMs)} later`) : null,
      event.fate === 'folded' ? null : h('span', { class: 'warn' }, event.fate),
    ),
    h(
      'p',
      { class: 'inspected-fields' },
      ...Object.entries(fields).flatMap(([name, value]) => {
        const text = shownField(value)
        return text === '' || name === 'positionMs'
          ? []
          : [h('span', {}, h('i', { class: 'field-name' }, name), ' ', text)]
      }),
    ),
  ]
}

const FIELD_CHARS_MAX = 300

function shownField(value: unknown): string {
  if (value === null || value === undefined || value === '') return ''
  if (Array.isArray(value) && value.length === 0) return ''
  if (typeof value !== 'object') return String(value).slice(0, FIELD_CHARS_MAX)
  const known = Object.entries(value).filter(([, inner]) => inner !== null && inner !== '')
  const text = Array.isArray(value) ? JSON.stringify(value) : known.map(([k, v]) => `${k} ${shownField(v)}`).join(', ')
  return text.slice(0, FIELD_CHARS_MAX)
}

function doubts({ explanation }: ViewStory): HTMLElement | null {
  if (explanation === null) return null
  const { notes, behind } = explanation
  // While one of the two tables has yet to hear of the newest events, they differ by that alone.
  const differences = behind === null ? explanation.differences : []
  if (notes.length + differences.length === 0) return null
  return h(
    'details',
    { class: 'doubts' },
    h(
      'summary',
      {},
      notes.length + differences.length === 1
        ? 'A remark on these numbers'
        : `${notes.length + differences.length} remarks on these numbers`,
    ),
    h(
      'ul',
      {},
      ...notes.slice(0, WEB_LIMITS.eventsShown).map((note) => h('li', {}, note)),
      ...differences.map(({ column, stored, explained }) =>
        h('li', {}, `${column}: the table has ${String(stored)}, its events come to ${String(explained)}`),
      ),
    ),
  )
}

function eventTable(marks: readonly Mark[], fromMs: number, onPick: (index: number) => void): HTMLElement {
  const body = h('tbody', {})
  const more = h('button', { type: 'button', class: 'plain' })
  let shown = 0
  const show = () => {
    const until = Math.min(marks.length, shown + WEB_LIMITS.eventsShown)
    for (; shown < until; shown++) body.append(eventRow(marks[shown] as Mark, shown, fromMs, onPick))
    more.hidden = shown >= marks.length
    say(more, `Show ${Math.min(WEB_LIMITS.eventsShown, marks.length - shown)} more`)
  }
  more.addEventListener('click', show)
  const details = h('details', { class: 'as-table' }, h('summary', {}, `${marks.length} events`))
  const head = ['At', 'Event', 'Position', 'What it says'].map((text) => h('th', { scope: 'col' }, text))
  details.append(
    h('div', { class: 'table-scroll' }, h('table', { class: 'events' }, h('thead', {}, h('tr', {}, ...head)), body)),
    more,
  )
  details.addEventListener('toggle', () => {
    if (details.open && shown === 0) show()
  })
  return details
}

function eventRow({ event, atMs }: Mark, index: number, fromMs: number, onPick: (index: number) => void): HTMLElement {
  const { positionMs, sequence: _sequence, context: _context, played: _played, ...rest } = event.fields
  return h(
    'tr',
    {},
    h('td', { class: 'num' }, clock(atMs - fromMs)),
    h('th', { scope: 'row' }, h('button', { type: 'button', class: 'pick', onClick: () => onPick(index) }, event.type)),
    h('td', { class: 'num' }, typeof positionMs === 'number' ? clock(positionMs) : NONE),
    h('td', { class: 'says' }, summary(rest)),
  )
}

function summary(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .flatMap(([name, value]) => {
      const text = shownField(value)
      return text === '' ? [] : [`${name} ${text}`]
    })
    .join(' · ')
}
