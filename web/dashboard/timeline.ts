/** A view as a drawing: what the player did, where in the media it was, at which bitrate, and each event it sent. */
import { assign, fill, h, s } from '../shared/dom.ts'
import { bitrate, clock, length, wait } from '../shared/format.ts'
import { scaleTo, timeTicks } from '../shared/scale.ts'
import { type Drawn, type Mark, spokenTimeline, totals } from './timeline-shape.ts'

const LANES = { states: [8, 48], position: [68, 148], bitrate: [168, 218], marks: [238, 262] } as const
const HEIGHT = 288
const STALL_PX_MIN = 3

export interface TimelineView {
  readonly element: HTMLElement
  select(index: number): void
}

export function createTimeline(drawn: Drawn, onSelect: (mark: Mark, index: number) => void): TimelineView {
  const { marks, bands, fromMs, toMs } = drawn
  const svg = s('svg', { class: 'timeline-drawing', 'aria-hidden': 'true', height: HEIGHT })
  const cursor = s('line', { class: 'chart-cursor', y1: LANES.states[0], y2: LANES.marks[1] })
  const frame = h(
    'div',
    {
      class: 'timeline',
      tabindex: 0,
      role: 'group',
      'aria-label': `Timeline. Arrow keys go through ${marks.length} events. ${spokenTimeline(bands, clock)}`,
    },
    svg,
  )
  const legend = h(
    'ul',
    { class: 'legend' },
    ...[...totals(bands)].map(([state, ms]) =>
      h('li', {}, h('i', { class: `dot state-${state}` }), `${state} `, h('b', {}, wait(ms))),
    ),
  )
  let width = 0
  let left = 0
  let chosen = 0
  const x = (ms: number) => left + ((ms - fromMs) / (toMs - fromMs)) * Math.max(1, width - left - 10)

  function draw(): void {
    if (width === 0) return
    left = width < 560 ? 8 : 84
    assign(svg, { width, viewBox: `0 0 ${width} ${HEIGHT}` })
    fill(
      svg,
      ...labels(left),
      ...axis(),
      ...stateBands(drawn, x),
      ...stepLine(drawn.position, LANES.position, drawn.durationMs, {
        x,
        name: 'Position',
        tone: 'tone-1',
        format: clock,
        width,
        left,
        slopes: true,
      }),
      ...stepLine(drawn.bitrate, LANES.bitrate, 0, {
        x,
        name: 'Bitrate',
        tone: 'tone-2',
        format: bitrate,
        width,
        left,
        slopes: false,
      }),
      ...marks.map((mark) => drawMark(mark, x(mark.atMs))),
      cursor,
    )
    moveCursor()
  }

  function axis(): readonly SVGElement[] {
    const most = Math.max(2, Math.floor(width / 80))
    // From the begin of the view, which is nobody's round moment.
    return timeTicks(0, toMs - fromMs, most).flatMap((tick) => {
      const px = x(fromMs + tick)
      return [
        s('line', { class: 'chart-grid', x1: px, x2: px, y1: LANES.states[0], y2: LANES.marks[1] }),
        s(
          'text',
          { class: 'chart-tick', x: px, y: HEIGHT - 6, 'text-anchor': tick === 0 ? 'start' : 'middle' },
          clock(tick),
        ),
      ]
    })
  }

  function moveCursor(): void {
    const mark = marks[chosen]
    cursor.classList.toggle('shown', mark !== undefined)
    if (mark !== undefined) assign(cursor, { x1: x(mark.atMs), x2: x(mark.atMs) })
  }

  function select(index: number, tell: boolean): void {
    const mark = marks[Math.max(0, Math.min(marks.length - 1, index))]
    if (mark === undefined) return
    chosen = marks.indexOf(mark)
    moveCursor()
    if (tell) onSelect(mark, chosen)
  }

  svg.addEventListener('pointerdown', (event) => nearest(event))
  svg.addEventListener('pointermove', (event) => {
    if (event.pointerType === 'mouse') nearest(event)
  })
  function nearest(event: PointerEvent): void {
    const px = event.clientX - svg.getBoundingClientRect().left
    let best = 0
    let least = Number.POSITIVE_INFINITY
    for (const [i, { atMs, kind }] of marks.entries()) {
      // What happened is easier to hit than what goes on.
      const far = Math.abs(x(atMs) - px) + (kind === 'beat' ? 4 : 0)
      if (far < least) [best, least] = [i, far]
    }
    if (best !== chosen) select(best, true)
  }
  frame.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -marks.length, End: marks.length }[
      event.key
    ]
    if (step === undefined) return
    event.preventDefault()
    select(chosen + step, true)
  })
  new ResizeObserver(([entry]) => {
    width = Math.floor(entry?.contentRect.width ?? 0)
    draw()
  }).observe(frame)
  return { element: h('div', {}, legend, frame), select: (index) => select(index, false) }
}

function labels(left: number): readonly SVGElement[] {
  if (left < 40) return []
  const names = { states: 'Player', position: 'Position', bitrate: 'Bitrate', marks: 'Events' } as const
  return Object.entries(names).map(([lane, text]) => {
    const [top, bottom] = LANES[lane as keyof typeof LANES]
    return s('text', { class: 'lane-label', x: 0, y: (top + bottom) / 2 + 4 }, text)
  })
}

function stateBands({ bands }: Drawn, x: (ms: number) => number): readonly SVGElement[] {
  const [top, bottom] = LANES.states
  // Stalls last: short ones would lie under what is beside them.
  const ordered = [...bands].sort((a, b) => Number(a.state === 'stalled') - Number(b.state === 'stalled'))
  return ordered.map(({ state, fromMs, toMs }) => {
    const [from, to] = [x(fromMs), x(toMs)]
    const raised = state === 'stalled' || state === 'failed' ? 4 : 0
    return s(
      'rect',
      {
        class: `band state-${state}`,
        x: from,
        width: Math.max(raised > 0 ? STALL_PX_MIN : 0.75, to - from),
        y: top - raised,
        height: bottom - top + 2 * raised,
        rx: to - from > 8 ? 3 : 0,
      },
      s('title', {}, `${state}, ${length(toMs - fromMs)}`),
    )
  })
}

interface LineLook {
  readonly x: (ms: number) => number
  readonly name: string
  readonly tone: string
  readonly format: (value: number) => string
  readonly width: number
  readonly left: number
  /** Straight from point to point; else it stays until the next. */
  readonly slopes: boolean
}

function stepLine(
  points: readonly (readonly [number, number])[],
  [top, bottom]: readonly [number, number],
  atLeast: number,
  { x, name, tone, format, width, left, slopes }: LineLook,
): readonly SVGElement[] {
  if (points.length === 0) return []
  const reached = Math.max(...points.map(([, value]) => value), 1)
  // A title that was hardly begun would be a line on the ground: then as far as it was played.
  const max = slopes ? (atLeast > reached && atLeast < 2 * reached ? atLeast : reached) : scaleTo(reached, 2).max
  const y = (value: number) => bottom - (value / max) * (bottom - top)
  let path = ''
  for (const [i, [at, value]] of points.entries()) {
    const place = `${x(at).toFixed(1)} ${y(value).toFixed(1)}`
    if (i === 0) path += `M${place}`
    else path += slopes ? `L${place}` : `H${x(at).toFixed(1)}V${y(value).toFixed(1)}`
  }
  return [
    s('line', { class: 'lane-base', x1: x(points[0]?.[0] ?? 0), x2: width - 10, y1: bottom, y2: bottom }),
    s('path', { class: `chart-line ${tone}`, d: path }),
    s(
      'text',
      { class: 'chart-tick halo', x: width - 12, y: top + 4, 'text-anchor': 'end' },
      `${left < 40 ? `${name} ` : ''}${format(max)}`,
    ),
  ]
}

function drawMark({ kind, event }: Mark, px: number): SVGElement {
  const [top, bottom] = LANES.marks
  const middle = (top + bottom) / 2
  const title = s('title', {}, event.type)
  if (kind === 'beat')
    return s('line', { class: 'mark mark-beat', x1: px, x2: px, y1: middle - 4, y2: middle + 4 }, title)
  const shapes = {
    stall: `M${px} ${middle - 7}l6.500 12h-13z`,
    fail: `M${px - 5} ${middle - 5}l10 10m0 -10l-10 10`,
    seek: `M${px - 5} ${middle - 5}l5 5l-5 5m5 -10l5 5l-5 5`,
    rendition: `M${px} ${middle - 6}l6 6l-6 6l-6 -6z`,
    note: `M${px - 5} ${middle}a5 5 0 1 0 10 0a5 5 0 1 0 -10 0`,
  }
  return s('path', { class: `mark mark-${kind}`, d: shapes[kind] }, title)
}
