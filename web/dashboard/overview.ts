/** The overview: its panels, and the questions that fill them. It lives as long as it is shown. */
import type { Client } from '../shared/client.ts'
import { fill, h, say } from '../shared/dom.ts'
import { ago, count } from '../shared/format.ts'
import { WEB_LIMITS } from '../shared/limits.ts'
import { poll } from '../shared/poll.ts'
import type { Trouble } from '../shared/problem.ts'
import { BREAKDOWN_ASKS, createBreakdown } from './breakdown.ts'
import { type Choice, shownValue, toggled, WINDOWS, windowOf } from './choice.ts'
import { createIncidents } from './incidents.ts'
import { createNow } from './now.ts'
import { createStartups } from './startups.ts'
import { tabs } from './tabs.ts'
import { createTiles } from './tiles.ts'
import { OVERVIEW_ASKS, SERIES_ASKS } from './tiles-table.ts'
import type { Breakdown, Distribution, Incidents, LiveFrame, Overview, Timeseries, ViewsPage } from './types.ts'
import { createViews } from './views.ts'
import { createWelcome } from './welcome.ts'

export interface OverviewPage {
  readonly element: HTMLElement
  choose(choice: Choice): void
  live(frame: LiveFrame): void
  dim(off: boolean): void
  close(): void
}

interface Parts {
  readonly client: Client
  readonly choice: Choice
  readonly onChoice: (choice: Choice) => void
  readonly onTrouble: (trouble: Trouble | undefined) => void
}

export function createOverview({ client, choice: first, onChoice, onTrouble }: Parts): OverviewPage {
  let choice = first
  const change = (part: Partial<Choice>) => onChoice({ ...choice, ...part })
  const incidents = createIncidents()
  const now = createNow()
  const windows = tabs('Window', WINDOWS, (window) => change({ window }))
  const chips = h('div', { class: 'chips' })
  const based = h('p', { class: 'based' })
  const tiles = createTiles((tile) => change({ tile }))
  const breakdown = createBreakdown({
    onDimension: (by) => change({ by }),
    onSort: (sort) => change({ sort }),
    onFilter: (dimension, value) => onChoice(toggled(choice, dimension, value)),
  })
  const views = createViews(
    (state) => change({ views: state }),
    (session) => change({ session }),
  )
  const startups = createStartups()
  const numbers = h(
    'div',
    { class: 'numbers' },
    h(
      'section',
      { 'aria-labelledby': 'quality-title' },
      h('div', { class: 'section-head' }, h('h2', { id: 'quality-title' }, 'Quality'), windows.element, chips),
      based,
      tiles.element,
    ),
    h('div', { class: 'pair' }, h('div', { class: 'stack' }, breakdown.element, startups.element), views.element),
  )
  const welcome = createWelcome(location.origin)
  welcome.hidden = true
  const element = h('div', { class: 'overview' }, incidents.element, now.element, welcome, numbers)

  /** Undefined: it went well, or was given up. */
  async function ask(signal: AbortSignal): Promise<Trouble | undefined> {
    const asked = choice
    const { ms, grain } = windowOf(asked)
    const to = Date.now()
    const window = { from: to - ms, to, filter: asked.filters }
    const metric = (names: readonly string[]) => ({ metric: [...names] })
    // Two at a time: others ask the same engine.
    const [summary, before] = await Promise.all([
      client.get<Overview>('/v1/qoe/overview', { ...window, ...metric(OVERVIEW_ASKS) }, signal),
      client.get<Overview>(
        '/v1/qoe/overview',
        { ...window, from: to - 2 * ms, to: to - ms, ...metric(OVERVIEW_ASKS) },
        signal,
      ),
    ])
    if (summary === undefined || !summary.ok) return summary?.trouble
    showOverview(summary.value, before?.ok === true ? before.value : undefined)
    const [series, minutes] = await Promise.all([
      client.get<Timeseries>('/v1/qoe/timeseries', { ...window, grain, ...metric(SERIES_ASKS) }, signal),
      now.frame === undefined || minutesAreOld()
        ? client.get<Timeseries>(
            '/v1/qoe/timeseries',
            { from: to - 30 * 60_000, to, grain: 'minute', metric: ['concurrent'] },
            signal,
          )
        : undefined,
    ])
    if (series === undefined || !series.ok) return series?.trouble
    tiles.series(series.value)
    if (minutes?.ok === true) {
      now.before(minutes.value)
      minutesAtMs = performance.now()
    }
    const [where, listed, open] = await Promise.all([
      client.get<Breakdown>(
        '/v1/qoe/breakdown',
        { ...window, by: asked.by, order: asked.sort, limit: WEB_LIMITS.breakdownShown, ...metric(BREAKDOWN_ASKS) },
        signal,
      ),
      client.get<ViewsPage>('/v1/qoe/views', { ...window, limit: WEB_LIMITS.viewsShown, ...stateOf(asked) }, signal),
      client.get<Incidents>('/v1/incidents', { state: 'open', limit: 20 }, signal),
    ])
    if (where === undefined || !where.ok) return where?.trouble
    breakdown.show(where.value)
    if (now.frame !== undefined) breakdown.live(now.frame)
    if (listed === undefined || !listed.ok) return listed?.trouble
    views.show(listed.value)
    if (open?.ok === true) incidents.show(open.value)
    const spread = await client.get<Distribution>('/v1/qoe/distribution', window, signal)
    if (spread === undefined || !spread.ok) return spread?.trouble
    startups.show(spread.value)
    return undefined
  }

  let minutesAtMs = Number.NEGATIVE_INFINITY
  const minutesAreOld = () => performance.now() - minutesAtMs > 60_000

  function showOverview(answer: Overview, before: Overview | undefined): void {
    const isEmpty = answer.sample.views === 0 && choice.filters.length === 0 && (now.frame?.concurrent ?? 0) === 0
    welcome.hidden = !isEmpty
    numbers.hidden = isEmpty
    tiles.overview(answer, before !== undefined && isComparable(answer, before) ? before : undefined)
    const { sample, freshness } = answer
    const lag = (freshness.lag ?? 0) > 0 ? `, ${count(freshness.lag)} reports behind` : ''
    say(
      based,
      `Based on ${count(sample.views)} views and ${count(sample.reports)} reports; read through ${ago(Date.parse(freshness.asOf), Date.now())}${lag}.`,
    )
  }

  function show(): void {
    windows.choose(choice.window)
    tiles.choose(choice.tile)
    breakdown.choose(choice)
    views.choose(choice)
    fill(
      chips,
      ...choice.filters.map((filter) => {
        const [dimension = '', ...rest] = filter.split(':')
        const value = rest.join(':')
        return h(
          'button',
          {
            type: 'button',
            class: 'chip',
            title: 'Take this filter away',
            onClick: () => onChoice(toggled(choice, dimension, value)),
          },
          `${dimension}: ${shownValue(value)}`,
          h('span', { 'aria-hidden': 'true' }, ' ×'),
        )
      }),
    )
  }

  show()
  const polling = poll({
    everyMs: () => (windowOf(choice).ms >= 24 * 3_600_000 ? WEB_LIMITS.pollSlowlyMs : WEB_LIMITS.pollEveryMs),
    ask: async (signal) => {
      element.setAttribute('aria-busy', 'true')
      const trouble = await ask(signal)
      if (!signal.aborted) {
        element.removeAttribute('aria-busy')
        onTrouble(trouble)
      }
      return trouble
    },
  })
  return {
    element,
    choose: (next) => {
      const same = JSON.stringify({ ...choice, tile: '' }) === JSON.stringify({ ...next, tile: '' })
      choice = next
      show()
      if (!same) polling.now()
    },
    live: (frame) => {
      now.take(frame)
      breakdown.live(frame)
      // The first viewer ends the welcome before the tables know of it.
      if (!welcome.hidden && frame.concurrent > 0) polling.now()
    },
    dim: now.dim,
    close: polling.close,
  }
}

/** A time before with few views would make changes of nothing. */
function isComparable(now: Overview, before: Overview): boolean {
  return before.sample.views >= Math.max(WEB_LIMITS.comparedViewsMin, now.sample.views / 2)
}

function stateOf({ views }: Choice): { readonly state?: string } {
  return views === 'all' ? {} : { state: views }
}
