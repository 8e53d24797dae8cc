/**
 * Who watches now: the live frames of half an hour, one a second, in front of what the tables know of the minutes
 * before the page was opened. Live numbers are of everybody: filters don't apply to them.
 */
import { createChart } from '../shared/chart.ts'
import { fill, h, say } from '../shared/dom.ts'
import { count, percent } from '../shared/format.ts'
import { WEB_LIMITS } from '../shared/limits.ts'
import type { LiveFrame, Timeseries } from './types.ts'

const STATES = [
  { name: 'playing', says: 'Playing' },
  { name: 'starting', says: 'Starting' },
  { name: 'seeking', says: 'Seeking' },
  { name: 'stalled', says: 'Stalled' },
  { name: 'failed', says: 'Just failed' },
  { name: 'unknown', says: 'Not told' },
] as const

const SECOND_MS = 1_000
const SPAN_MS = WEB_LIMITS.livePointsMax * SECOND_MS

export interface Now {
  readonly element: HTMLElement
  readonly frame: LiveFrame | undefined
  take(frame: LiveFrame): void
  /** Minutes before the first frame. */
  before(series: Timeseries): void
  /** Whether the last frame still tells of now. */
  dim(off: boolean): void
}

export function createNow(): Now {
  const chart = createChart('Watching now, over the last half hour', 262)
  const total = h('strong', { class: 'big' }, '–')
  const bar = h('div', { class: 'states-bar', 'aria-hidden': 'true' })
  const legend = h('ul', { class: 'states' })
  const facts = {
    starts: fact('Starts', 'in the last minute'),
    failures: fact('Failures', 'in the last minute'),
    stalled: fact('Stalled now', 'of those who watch'),
    paused: fact('Paused', 'not counted as watching'),
  }
  const element = h(
    'section',
    { class: 'now', 'aria-labelledby': 'now-title' },
    h(
      'div',
      { class: 'card now-main' },
      h('h2', { id: 'now-title', class: 'label' }, 'Watching now'),
      h('div', { class: 'now-head' }, total, h('div', { class: 'now-states' }, bar, legend)),
      chart.element,
    ),
    h('div', { class: 'now-facts' }, ...Object.values(facts).map((one) => one.element)),
  )
  const past: { at: number; concurrent: number; stalled: number | null }[] = []
  let earlier: readonly (readonly [number, number | null])[] = []
  let frame: LiveFrame | undefined

  function draw(): void {
    const first = past[0]?.at ?? Date.now()
    const endMs = past.at(-1)?.at ?? Date.now()
    const minutes = earlier.filter(([at]) => at < first && at >= endMs - SPAN_MS)
    const shown = past.filter(({ at }) => at >= endMs - SPAN_MS)
    chart.update({
      times: [...minutes.map(([at]) => at), ...shown.map(({ at }) => at)],
      stepMs: SECOND_MS,
      series: [
        {
          name: 'Watching',
          tone: 'tone-1',
          shape: 'area',
          values: [...minutes.map(([, value]) => value), ...shown.map((one) => one.concurrent)],
        },
        {
          name: 'Stalled',
          tone: 'state-stalled',
          shape: 'area',
          values: [...minutes.map(() => null), ...shown.map((one) => one.stalled)],
        },
      ],
      format: count,
      whole: true,
      toMs: endMs,
    })
  }

  return {
    element,
    get frame() {
      return frame
    },
    take: (next) => {
      frame = next
      const at = Date.parse(next.at)
      if (at <= (past.at(-1)?.at ?? 0)) past.length = 0
      past.push({ at, concurrent: next.concurrent, stalled: next.stalled })
      if (past.length > WEB_LIMITS.livePointsMax) past.shift()
      show(next, { total, bar, legend, facts })
      if (!document.hidden) draw()
    },
    before: ({ points }) => {
      const firstMs = past[0]?.at ?? Date.now()
      // The minute that is going on, and the one that may not be read whole, would be dents.
      earlier = points
        .map((point) => [Date.parse(point.at) + 30_000, numberOf(point.concurrent)] as const)
        .filter(([at]) => at + 90_000 < firstMs)
      draw()
    },
    dim: (off) => element.classList.toggle('is-off', off),
  }
}

interface Shown {
  readonly total: HTMLElement
  readonly bar: HTMLElement
  readonly legend: HTMLElement
  readonly facts: Readonly<Record<'starts' | 'failures' | 'stalled' | 'paused', Fact>>
}

function show(frame: LiveFrame, { total, bar, legend, facts }: Shown): void {
  say(total, count(frame.concurrent))
  const present = STATES.filter(({ name }) => frame[name] > 0 || name === 'playing' || name === 'stalled')
  fill(
    bar,
    ...present.map(({ name }) => {
      const part = h('i', { class: `state-${name}` })
      part.style.flexGrow = String(frame[name])
      return part
    }),
  )
  fill(
    legend,
    ...present.map(({ name, says }) =>
      h('li', {}, h('i', { class: `dot state-${name}` }), `${says} `, h('b', {}, count(frame[name]))),
    ),
  )
  facts.starts.set(count(frame.starts.lastMinute), '')
  facts.failures.set(count(frame.failures.lastMinute), frame.failures.lastMinute > 0 ? 'bad' : '')
  const share = frame.concurrent === 0 ? null : (frame.stalled / frame.concurrent) * 100
  facts.stalled.set(
    count(frame.stalled),
    share !== null && share >= 2 ? 'bad' : '',
    `${percent(share)} of those who watch`,
  )
  facts.paused.set(count(frame.paused), '')
}

interface Fact {
  readonly element: HTMLElement
  set(value: string, look: string, below?: string): void
}

function fact(label: string, below: string): Fact {
  const value = h('strong', {}, '–')
  const small = h('small', {}, below)
  const element = h('div', { class: 'card fact' }, h('h3', { class: 'label' }, label), value, small)
  return {
    element,
    set: (text, look, also = below) => {
      say(value, text)
      say(small, also)
      value.className = look
    },
  }
}

export function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}
