/** How startup times spread: a percentile says where, this says of what shape. */
import { fill, h, s, say } from '../shared/dom.ts'
import { count, percent, wait } from '../shared/format.ts'
import type { Distribution } from './types.ts'

const HEIGHT = 150
const BASE = HEIGHT - 22
/** Viewers begin to leave at about two seconds; at four, many have. */
const TONES = [
  { belowMs: 1_000, tone: 'state-playing', says: 'under 1 s' },
  { belowMs: 4_000, tone: 'state-stalled', says: '1 to 4 s' },
  { belowMs: Number.POSITIVE_INFINITY, tone: 'state-failed', says: '4 s and more' },
] as const

export interface Startups {
  readonly element: HTMLElement
  show(answer: Distribution): void
}

export function createStartups(): Startups {
  const svg = s('svg', { class: 'chart-drawing', 'aria-hidden': 'true', height: HEIGHT })
  const place = h('div', { class: 'chart' }, svg)
  const legend = h('ul', { class: 'legend' })
  const percentiles = h('p', { class: 'means' })
  const element = h(
    'section',
    { class: 'card startups', 'aria-labelledby': 'startups-title' },
    h('div', { class: 'drawn-head' }, h('h2', { id: 'startups-title' }, 'Startup times'), legend),
    place,
    percentiles,
  )
  let bins: Distribution['bins'] = []
  let width = 0

  function draw(): void {
    if (width === 0) return
    svg.setAttribute('width', String(width))
    svg.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`)
    const most = Math.max(1, ...bins.map(({ views }) => views))
    const each = width / Math.max(1, bins.length)
    fill(svg, ...bins.map((bin, i) => bar(bin, i * each, each, most)), ...ticks(bins, each, width))
  }

  new ResizeObserver(([entry]) => {
    width = Math.floor(entry?.contentRect.width ?? 0)
    draw()
  }).observe(place)

  return {
    element,
    show: ({ bins: next, percentiles: { p50, p75, p95, p99 }, sample }) => {
      bins = next
      draw()
      const shares = TONES.map(({ tone, says }, i) => {
        const views = next.reduce((sum, bin) => (toneOf(bin.fromMs) === i ? sum + bin.views : sum), 0)
        return { tone, says, share: (views / Math.max(1, sample.startups)) * 100 }
      })
      fill(
        legend,
        ...shares.map(({ tone, says, share }) =>
          h(
            'li',
            {},
            h('i', { class: `dot ${tone}` }),
            `${says} `,
            h('b', {}, sample.startups === 0 ? '–' : percent(share)),
          ),
        ),
      )
      say(
        percentiles,
        `p50 ${wait(p50)} · p75 ${wait(p75)} · p95 ${wait(p95)} · p99 ${wait(p99)}, of ${count(sample.startups)} starts`,
      )
    },
  }
}

function toneOf(fromMs: number): number {
  return TONES.findIndex(({ belowMs }) => fromMs < belowMs)
}

function bar({ fromMs, toMs, views }: Distribution['bins'][number], x: number, each: number, most: number): SVGElement {
  const height = views === 0 ? 0 : Math.max(1.5, (views / most) * (BASE - 8))
  return s(
    'rect',
    {
      class: `chart-bar ${TONES[toneOf(fromMs)]?.tone ?? ''}`,
      x: x + 0.5,
      width: Math.max(0.5, each - 1),
      y: BASE - height,
      height,
      rx: Math.min(2, each / 4),
    },
    s('title', {}, `${wait(fromMs)} to ${wait(toMs)}: ${count(views)}`),
  )
}

/** The bins grow as the times do: round times stand where their bin begins. */
function ticks(bins: Distribution['bins'], each: number, width: number): readonly SVGElement[] {
  return [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000].flatMap((ms) => {
    const at = bins.findIndex(({ fromMs, toMs }) => fromMs <= ms && ms < toMs)
    const x = at * each
    if (at < 0 || x < 12 || x > width - 16) return []
    const text = wait(ms).replace('.00', '').replace('.0', '')
    return [s('text', { class: 'chart-tick', x, y: HEIGHT - 5, 'text-anchor': 'middle' }, text)]
  })
}
