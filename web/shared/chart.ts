/**
 * A chart by time: lines, an area or bars, in SVG, as wide as its place. What a pointer shows, arrow keys show as well,
 * and a screen reader hears. It holds what it was given last and nothing else.
 */
import { assign, fill, h, s, say } from './dom.ts'
import { date, NONE, time } from './format.ts'
import { areaPath, linePath, nearestIndex, scaleTo, timeTicks } from './scale.ts'

export interface Series {
  readonly name: string
  /** A class that gives it its colour: tone-1, state-stalled, … */
  readonly tone: string
  readonly values: readonly (number | null)[]
  readonly shape: 'line' | 'area' | 'bars'
}

export interface ChartData {
  readonly times: readonly number[]
  readonly stepMs: number
  readonly series: readonly Series[]
  readonly format: (value: number | null) => string
  /** Of what is counted: no tick between two whole numbers. */
  readonly whole?: boolean
  /** Said with a moment's values: of how many views they are. */
  readonly note?: (index: number) => string
  /** Where the drawing ends, if beyond the last point. */
  readonly toMs?: number
}

export interface Chart {
  readonly element: HTMLElement
  update(data: ChartData): void
}

const EDGE = { top: 12, right: 12, bottom: 22, left: 52 }
const DAY_MS = 86_400_000

export function createChart(label: string, height: number): Chart {
  const svg = s('svg', { class: 'chart-drawing', 'aria-hidden': 'true', height })
  const cursor = s('line', { class: 'chart-cursor', y1: EDGE.top, y2: height - EDGE.bottom })
  const tip = h('div', { class: 'chart-tip', hidden: true })
  const heard = h('div', { class: 'unseen', 'aria-live': 'polite' })
  const empty = h('p', { class: 'chart-empty', hidden: true }, 'Nothing in this window yet.')
  const element = h(
    'div',
    { class: 'chart', tabindex: 0, role: 'group', 'aria-label': `${label}. Arrow keys read the points.` },
    svg,
    tip,
    empty,
    heard,
  )
  let data: ChartData | undefined
  let width = 0
  let at = -1

  const place = () => {
    const { times = [], stepMs = 0, toMs } = data ?? {}
    const fromMs = times[0] ?? 0
    const endMs = Math.max(toMs ?? 0, (times.at(-1) ?? 0) + (isBars() ? stepMs : 0), fromMs + 1)
    const inner = Math.max(1, width - EDGE.left - EDGE.right)
    return {
      fromMs,
      endMs,
      x: (ms: number) => EDGE.left + ((ms - fromMs) / (endMs - fromMs)) * inner,
      timeAt: (px: number) => fromMs + ((px - EDGE.left) / inner) * (endMs - fromMs),
    }
  }
  const isBars = () => data?.series.some(({ shape }) => shape === 'bars') === true

  function draw(): void {
    if (data === undefined || width === 0) return
    const { series, times, format, stepMs } = data
    const known = series.some(({ values }) => values.some((value) => value !== null))
    empty.hidden = known
    const { x, fromMs, endMs } = place()
    const max = Math.max(
      0,
      ...series.map(({ values }) => values.reduce<number>((most, v) => Math.max(most, v ?? 0), 0)),
    )
    const scale = scaleTo(max, 4, data.whole)
    const y = (value: number) => EDGE.top + (1 - value / scale.max) * (height - EDGE.top - EDGE.bottom)
    assign(svg, { width, viewBox: `0 0 ${width} ${height}` })
    fill(
      svg,
      ...(known ? scale.ticks : []).flatMap((tick) => [
        s('line', { class: 'chart-grid', x1: EDGE.left, x2: width - EDGE.right, y1: y(tick), y2: y(tick) }),
        s(
          'text',
          { class: 'chart-tick', x: EDGE.left - 8, y: y(tick) + 4, 'text-anchor': 'end' },
          tickText(format(tick), tick),
        ),
      ]),
      ...ticksOf(fromMs, endMs).map((tick) =>
        s('text', { class: 'chart-tick', x: x(tick.at), y: height - 5, 'text-anchor': 'middle' }, tick.text),
      ),
      ...series.flatMap((one) => shapesOf(one, { times, stepMs, x, y })),
      cursor,
    )
    point(at < times.length ? at : -1)
  }

  function ticksOf(fromMs: number, endMs: number) {
    const zoneMs = -new Date(endMs).getTimezoneOffset() * 60_000
    const ticks = timeTicks(fromMs, endMs, Math.max(2, Math.floor(width / 90)), zoneMs)
    const days = endMs - fromMs > 2 * DAY_MS
    const { x } = place()
    return ticks
      .map((tick) => ({ at: tick, text: days ? date(tick) : time(tick) }))
      .filter((tick) => x(tick.at) > EDGE.left + 8 && x(tick.at) < width - 24)
  }

  function point(index: number): void {
    at = index
    const atMs = data?.times[index]
    tip.hidden = atMs === undefined
    cursor.classList.toggle('shown', atMs !== undefined)
    if (data === undefined || atMs === undefined) return
    const { series, format, note, stepMs } = data
    const px = place().x(atMs + (isBars() ? stepMs / 2 : 0))
    assign(cursor, { x1: px, x2: px })
    const when = stepMs >= DAY_MS ? date(atMs) : time(atMs, stepMs < 60_000)
    fill(
      tip,
      h('b', {}, when),
      ...series.map(({ name, tone, values }) =>
        h(
          'span',
          { class: 'tip-row' },
          h('i', { class: `dot ${tone}` }),
          name,
          h('b', {}, format(values[index] ?? null)),
        ),
      ),
      note === undefined ? null : h('small', {}, note(index)),
    )
    tip.style.transform = `translateX(${Math.round(px > width / 2 ? px - tip.offsetWidth - 12 : px + 12)}px)`
  }

  svg.addEventListener('pointermove', (event) => {
    if (data === undefined) return
    const px = event.clientX - svg.getBoundingClientRect().left
    const ms = place().timeAt(px) - (isBars() ? data.stepMs / 2 : 0)
    point(nearestIndex(data.times, ms))
  })
  element.addEventListener('pointerleave', () => point(-1))
  element.addEventListener('blur', () => point(-1))
  element.addEventListener('keydown', (event) => {
    const last = (data?.times.length ?? 0) - 1
    const to = {
      ArrowLeft: at < 0 ? last : Math.max(0, at - 1),
      ArrowRight: Math.min(last, at + 1),
      Home: 0,
      End: last,
    }[event.key]
    if (event.key === 'Escape') point(-1)
    if (to === undefined || last < 0) return
    event.preventDefault()
    point(to)
    say(heard, spoken(to))
  })
  function spoken(index: number): string {
    if (data === undefined) return ''
    const { series, times, format } = data
    const values = series.map(({ name, values: all }) => {
      const shown = format(all[index] ?? null)
      return `${name} ${shown === NONE ? 'not known' : shown}`
    })
    return `${time(times[index] ?? 0)}: ${values.join(', ')}`
  }
  new ResizeObserver(([entry]) => {
    width = Math.floor(entry?.contentRect.width ?? 0)
    draw()
  }).observe(element)
  return {
    element,
    update: (next) => {
      data = next
      draw()
    },
  }
}

/** Ticks are round: 2.00 s is 2 s. */
function tickText(text: string, tick: number): string {
  return tick === 0 ? '0' : text.replace(/\.0+(?=\D|$)/, '')
}

interface Places {
  readonly times: readonly number[]
  readonly stepMs: number
  readonly x: (ms: number) => number
  readonly y: (value: number) => number
}

function shapesOf({ values, tone, shape }: Series, { times, stepMs, x, y }: Places): readonly SVGElement[] {
  if (shape !== 'bars') {
    const line = s('path', { class: `chart-line ${tone}`, d: linePath(times, values, x, y) })
    if (shape === 'line') return [line]
    return [s('path', { class: `chart-area ${tone}`, d: areaPath(times, values, x, y) }), line]
  }
  return times.flatMap((at, i) => {
    const value = values[i] ?? 0
    if (value <= 0) return []
    const [left, right] = [x(at), x(at + stepMs)]
    const gap = right - left > 5 ? 1.5 : 0.25
    return s('rect', {
      class: `chart-bar ${tone}`,
      x: left + gap,
      width: Math.max(0.5, right - left - 2 * gap),
      y: y(value),
      height: Math.max(0, y(0) - y(value)),
      rx: Math.min(2, (right - left) / 4),
    })
  })
}

/** A line without axes, for a tile. */
export function sparkline(values: readonly (number | null)[], tone: string): SVGElement {
  const [width, height] = [120, 28]
  const max = values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0) || 1
  const times = values.map((_, i) => i)
  const x = (i: number) => (values.length < 2 ? 0 : (i / (values.length - 1)) * width)
  const y = (value: number) => height - 2 - (value / max) * (height - 5)
  return s(
    'svg',
    {
      class: `sparkline ${tone}`,
      viewBox: `0 0 ${width} ${height}`,
      preserveAspectRatio: 'none',
      'aria-hidden': 'true',
    },
    s('path', { class: `chart-area ${tone}`, d: areaPath(times, values, x, y) }),
    s('path', { class: `chart-line ${tone}`, d: linePath(times, values, x, y) }),
  )
}
