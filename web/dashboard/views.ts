/** Views one by one, newest first; each leads to its story. */
import { fill, h, say } from '../shared/dom.ts'
import { ago, length, NONE, wait } from '../shared/format.ts'
import { type Choice, hashOf, shownValue, VIEW_STATES, type ViewStateName } from './choice.ts'
import { tabs } from './tabs.ts'
import type { ListedView, ViewsPage } from './types.ts'

export interface ViewsPanel {
  readonly element: HTMLElement
  choose(choice: Choice): void
  show(page: ViewsPage): void
}

export function createViews(onState: (name: ViewStateName) => void, onSearch: (session: string) => void): ViewsPanel {
  const list = h('ul', { class: 'views' })
  const bar = tabs('Which views', VIEW_STATES, onState)
  const hint = h('p', { class: 'hint' })
  const field = h('input', {
    type: 'search',
    name: 'session',
    placeholder: 'Session id',
    'aria-label': 'Show a session by its id',
    autocomplete: 'off',
    spellcheck: 'false',
    maxlength: 128,
  })
  const form = h('form', { class: 'search', role: 'search' }, field)
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    if (field.value.trim() !== '') onSearch(field.value.trim())
  })
  let choice: Choice | undefined
  return {
    element: h(
      'section',
      { class: 'card panel', 'aria-labelledby': 'views-title' },
      h('div', { class: 'panel-head' }, h('h2', { id: 'views-title' }, 'Views'), bar.element, form),
      list,
      hint,
    ),
    choose: (next) => {
      choice = next
      bar.choose(next.views)
    },
    show: ({ views, next }) => {
      if (choice === undefined) return
      const current = choice
      // A list that is made anew would drop the focus of who reads it by keyboard.
      const focused = list.contains(document.activeElement) ? document.activeElement?.getAttribute('href') : undefined
      fill(list, ...views.map((view) => item(view, current)))
      if (views.length === 0) fill(list, h('li', { class: 'none' }, 'No such views in this window.'))
      if (focused != null) list.querySelector<HTMLElement>(`a[href="${CSS.escape(focused)}"]`)?.focus()
      say(hint, next === null ? '' : `The newest ${views.length}.`)
    },
  }
}

function item(view: ListedView, choice: Choice): HTMLElement {
  const nowMs = Date.now()
  const where = [view.device_type, view.player, view.country, view.cdn].filter((word) => word !== '').join(' · ')
  const stalls =
    view.stalls === 0
      ? 'no stalls'
      : `${view.stalls} ${view.stalls === 1 ? 'stall' : 'stalls'}, ${wait(view.stalled_ms)}`
  return h(
    'li',
    {},
    h(
      'a',
      { href: hashOf({ ...choice, session: view.session_id }) },
      h('span', { class: `pill state-${view.state}` }, shownState(view.state)),
      h('span', { class: 'view-title' }, shownValue(view.title_id)),
      h('span', { class: 'view-where' }, where === '' ? NONE : where),
      h('span', { class: 'view-fact' }, h('small', {}, 'startup '), wait(view.startup_ms)),
      h(
        'span',
        { class: `view-fact ${view.stalls > 0 ? 'warn' : ''}` },
        view.error_code === '' ? stalls : view.error_code,
      ),
      h('span', { class: 'view-fact' }, h('small', {}, 'watched '), length(view.watched_ms)),
      h('time', { datetime: view.started_at, class: 'view-time' }, ago(Date.parse(view.started_at), nowMs)),
    ),
  )
}

export function shownState(state: string): string {
  return state.replace('_', ' ')
}
