/** The window's numbers by a dimension: what is worse where. A row filters everything above by its value. */
import { assign, fill, h, say } from '../shared/dom.ts'
import { bitrate, count, percent, wait } from '../shared/format.ts'
import { WEB_LIMITS } from '../shared/limits.ts'
import { type Choice, DIMENSIONS, type DimensionName, shownValue } from './choice.ts'
import { numberOf } from './now.ts'
import { tabs } from './tabs.ts'
import type { Breakdown, LiveFrame } from './types.ts'

const COLUMNS = [
  { metric: 'views', says: 'Views', format: count, more: '' },
  { metric: 'startup_p95_ms', says: 'Startup p95', format: wait, more: '' },
  { metric: 'failure_percent', says: 'Failed', format: percent, more: '' },
  { metric: 'rebuffer_percent', says: 'Rebuffering', format: percent, more: '' },
  { metric: 'average_bitrate_kbps', says: 'Bitrate', format: bitrate, more: 'wide' },
] as const

export const BREAKDOWN_ASKS = COLUMNS.map(({ metric }) => metric)

/** Which list of the live frame tells of a dimension. */
const LIVE: Readonly<Partial<Record<DimensionName, 'cdn' | 'country' | 'title'>>> = {
  cdn: 'cdn',
  country: 'country',
  title: 'title',
}

export interface BreakdownPanel {
  readonly element: HTMLElement
  choose(choice: Choice): void
  show(answer: Breakdown): void
  live(frame: LiveFrame): void
}

interface Parts {
  readonly onDimension: (name: DimensionName) => void
  readonly onSort: (sort: string) => void
  readonly onFilter: (dimension: string, value: string) => void
}

export function createBreakdown({ onDimension, onSort, onFilter }: Parts): BreakdownPanel {
  const head = h('tr', {})
  const body = h('tbody', {})
  const more = h('p', { class: 'hint' })
  const bar = tabs('Break down by', DIMENSIONS, onDimension)
  const element = h(
    'section',
    { class: 'card panel', 'aria-labelledby': 'by-title' },
    h('div', { class: 'panel-head' }, h('h2', { id: 'by-title' }, 'Where'), bar.element),
    h(
      'div',
      { class: 'table-scroll', tabindex: 0, role: 'region', 'aria-label': 'Where: table' },
      h('table', { class: 'ranked' }, h('thead', {}, head), body),
    ),
    more,
  )
  let choice: Choice | undefined
  const nows = new Map<string, HTMLElement>()

  function showHead({ sort, by }: Choice): void {
    const sorted = sort.replace(/^-/, '')
    const says = DIMENSIONS.find(({ name }) => name === by)?.says ?? by
    fill(
      head,
      h('th', { scope: 'col' }, says),
      LIVE[by] === undefined ? null : h('th', { scope: 'col', class: 'num' }, 'Now'),
      ...COLUMNS.map(({ metric, says: text, more: look }) => {
        const down = sort.startsWith('-')
        const order = metric === sorted ? (down ? 'descending' : 'ascending') : undefined
        const next = metric === sorted && down ? metric : `-${metric}`
        return h(
          'th',
          { scope: 'col', class: `num ${look}`, 'aria-sort': order },
          h('button', { type: 'button', class: 'sort', onClick: () => onSort(next) }, text),
        )
      }),
    )
  }

  return {
    element,
    choose: (next) => {
      if (next.by !== choice?.by) {
        fill(body)
        nows.clear()
      }
      choice = next
      bar.choose(next.by)
      showHead(next)
    },
    show: ({ rows, more: isMore }) => {
      if (choice === undefined) return
      const { by, filters } = choice
      const shown = rows.slice(0, WEB_LIMITS.breakdownShown)
      const largest = Object.fromEntries(
        COLUMNS.map(({ metric }) => [metric, Math.max(0, ...shown.map((row) => numberOf(row[metric]) ?? 0))]),
      )
      nows.clear()
      fill(
        body,
        ...shown.map((row) => {
          const name = row.name ?? shownValue(row.value)
          const pressed = filters.includes(`${by}:${row.value}`)
          const says = pressed ? `Everything again, not only ${name}` : `Only ${name}`
          const pick = h(
            'button',
            { type: 'button', class: 'pick', 'aria-pressed': String(pressed), title: says },
            name,
          )
          pick.addEventListener('click', () => onFilter(by, row.value))
          const now = h('td', { class: 'num' }, '–')
          nows.set(row.value, now)
          return h(
            'tr',
            {},
            h('th', { scope: 'row' }, pick),
            LIVE[by] === undefined ? null : now,
            ...COLUMNS.map(({ metric, format, more: look }) => {
              const value = numberOf(row[metric])
              const share = (value ?? 0) / (largest[metric] || 1)
              return h('td', { class: `num ${look}` }, gauge(share, metric), h('span', {}, format(value)))
            }),
          )
        }),
      )
      if (shown.length === 0)
        fill(body, h('tr', {}, h('td', { colspan: 7, class: 'none' }, 'No views in this window.')))
      say(more, isMore || rows.length > shown.length ? `The first ${shown.length}, by the column that sorts.` : '')
    },
    live: (frame) => {
      const list = choice === undefined ? undefined : LIVE[choice.by]
      if (list === undefined) return
      const values = new Map(frame.by[list].map((one) => [one.value, one.concurrent]))
      for (const [value, cell] of nows) say(cell, count(values.get(value) ?? 0))
    },
  }
}

function gauge(share: number, metric: string): HTMLElement {
  const fillPart = h('i', {})
  fillPart.style.width = `${Math.round(Math.max(0, Math.min(1, share)) * 100)}%`
  const element = h('span', { class: 'gauge', 'aria-hidden': 'true' }, fillPart)
  assign(element, { 'data-metric': metric })
  return element
}
