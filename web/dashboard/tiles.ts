/** The window's numbers: a tile for each, and the chosen one drawn large. */
import { createChart, sparkline } from '../shared/chart.ts'
import { assign, fill, h, say } from '../shared/dom.ts'
import { count, NONE } from '../shared/format.ts'
import { TILES, type TileName } from './choice.ts'
import { numberOf } from './now.ts'
import { TILES_TABLE, type Tile } from './tiles-table.ts'
import type { Overview, SeriesPoint, Timeseries } from './types.ts'

export interface Tiles {
  readonly element: HTMLElement
  choose(name: TileName): void
  overview(now: Overview, before: Overview | undefined): void
  series(series: Timeseries): void
}

const STEP_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const

export function createTiles(onChoose: (name: TileName) => void): Tiles {
  const chart = createChart('The chosen metric over time', 240)
  const title = h('h3', {})
  const means = h('p', { class: 'means' })
  const legend = h('ul', { class: 'legend' })
  const table = h('details', { class: 'as-table' }, h('summary', {}, 'As a table'))
  const body = h('div', { class: 'table-scroll', tabindex: 0, role: 'region', 'aria-label': 'Points of the chart' })
  table.append(body)
  const buttons = new Map<TileName, TileButton>(TILES.map((name) => [name, tileButton(name, onChoose)]))
  const element = h(
    'div',
    { class: 'quality' },
    h(
      'div',
      { class: 'tiles', role: 'group', 'aria-label': 'Metrics' },
      ...[...buttons.values()].map((b) => b.element),
    ),
    h(
      'div',
      { class: 'card drawn' },
      h('div', { class: 'drawn-head' }, h('div', {}, title, means), legend),
      chart.element,
      table,
    ),
  )
  let chosen: TileName = 'startup'
  let points: readonly SeriesPoint[] = []
  let stepMs: number = STEP_MS.minute

  function draw(): void {
    const tile = TILES_TABLE[chosen]
    say(title, tile.label)
    say(means, tile.means)
    fill(legend, ...tile.lines.map(({ name, tone }) => h('li', {}, h('i', { class: `dot ${tone}` }), name)))
    chart.update({
      times: points.map(({ at }) => Date.parse(at)),
      stepMs,
      series: tile.lines.map(({ metric, name, tone }) => ({
        name,
        tone,
        shape: tile.shape,
        values: points.map((point) => numberOf(point[metric])),
      })),
      format: tile.format,
      whole: tile.format === count,
      note: (index) => `of ${count(points[index]?.sample.views)} views`,
    })
    if (table.open) fillTable()
  }

  function fillTable(): void {
    const { lines, format } = TILES_TABLE[chosen]
    const rows = [...points]
      .reverse()
      .map((point) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, new Date(point.at).toLocaleString()),
          ...lines.map(({ metric }) => h('td', {}, format(numberOf(point[metric])))),
          h('td', {}, count(point.sample.views)),
        ),
      )
    const head = ['Time', ...lines.map(({ name }) => name), 'Of views'].map((text) => h('th', { scope: 'col' }, text))
    fill(body, h('table', {}, h('thead', {}, h('tr', {}, ...head)), h('tbody', {}, ...rows)))
  }
  table.addEventListener('toggle', () => {
    if (table.open) fillTable()
  })

  return {
    element,
    choose: (name) => {
      chosen = name
      for (const [one, button] of buttons) button.press(one === name)
      draw()
    },
    overview: (now, before) => {
      for (const [name, button] of buttons) button.show(now, before, TILES_TABLE[name])
    },
    series: (series) => {
      // A minute that is going on has only its quickest starts yet; an hour or a day shows what there is.
      points = series.grain === 'minute' ? series.points.slice(0, -1) : series.points
      stepMs = STEP_MS[series.grain]
      for (const [name, button] of buttons) {
        const { metric, lines } = TILES_TABLE[name]
        button.draw(
          points.map((point) => numberOf(point[metric])),
          lines[0]?.tone ?? 'tone-1',
        )
      }
      draw()
    },
  }
}

interface TileButton {
  readonly element: HTMLElement
  press(pressed: boolean): void
  show(now: Overview, before: Overview | undefined, tile: Tile): void
  draw(values: readonly (number | null)[], tone: string): void
}

function tileButton(name: TileName, onChoose: (name: TileName) => void): TileButton {
  const { label } = TILES_TABLE[name]
  const value = h('strong', { class: 'tile-number' }, NONE)
  const also = h('small', {}, ' ')
  const change = h('span', { class: 'change' })
  const line = h('span', { class: 'tile-line' })
  const element = h(
    'button',
    { type: 'button', class: 'card tile', onClick: () => onChoose(name) },
    h('span', { class: 'label' }, label),
    h('span', { class: 'tile-value' }, value, change),
    also,
    line,
  )
  return {
    element,
    press: (pressed) => assign(element, { 'aria-pressed': String(pressed) }),
    show: ({ values }, before, tile) => {
      say(value, tile.format(values[tile.metric]))
      say(also, tile.also(values))
      showChange(change, values[tile.metric], before?.values[tile.metric], tile.better)
    },
    draw: (values, tone) => fill(line, sparkline(values, tone)),
  }
}

/** Against as much time before. Small changes are noise, and are not shown. */
function showChange(
  element: HTMLElement,
  now: number | null | undefined,
  before: number | null | undefined,
  better: Tile['better'],
): void {
  const ratio = now == null || before == null || before === 0 ? 0 : now / before - 1
  const shown = Math.abs(ratio) >= 0.02
  const good = better === 'neither' ? '' : ratio > 0 === (better === 'more') ? 'good' : 'bad'
  element.className = `change ${shown ? good : ''}`
  const size = Math.abs(ratio) > 9.99 ? '>999' : String(Math.round(Math.abs(ratio) * 100))
  say(element, shown ? `${ratio > 0 ? '▲' : '▼'} ${size}%` : '')
  element.title = shown ? 'against as much time before' : ''
}
