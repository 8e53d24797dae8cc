/** From values to places on a drawing, with ticks that people read easily. Pure. */

export interface Scale {
  readonly max: number
  readonly ticks: readonly number[]
}

/** From 0 up to a round number at or above `max`, in about `wanted` steps; of what is counted, no half ones. */
export function scaleTo(max: number, wanted = 4, whole = false): Scale {
  const top = max > 0 && Number.isFinite(max) ? max : 1
  const rough = Math.max(whole ? 1 : 0, top / wanted)
  const power = 10 ** Math.floor(Math.log10(rough))
  const step =
    ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough && !(whole && factor * power === 2.5)) ?? 10) * power
  const steps = Math.max(1, Math.ceil(top / step - 1e-9))
  return { max: steps * step, ticks: Array.from({ length: steps + 1 }, (_, i) => i * step) }
}

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14, 28].map((n) => n * DAY),
]

/** Round moments between two, at most `most` of them. `zoneMs`: how far the viewer's clock is ahead of UTC. */
export function timeTicks(fromMs: number, toMs: number, most: number, zoneMs = 0): readonly number[] {
  const step = STEPS.find((one) => (toMs - fromMs) / one <= most) ?? 56 * DAY
  const ticks: number[] = []
  for (let at = Math.ceil((fromMs + zoneMs) / step) * step - zoneMs; at <= toMs; at += step) ticks.push(at)
  return ticks
}

/** Index of the time that is nearest; times ascend. −1: there is none. */
export function nearestIndex(times: readonly number[], at: number): number {
  let [low, high] = [0, times.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((times[middle] ?? 0) < at) low = middle + 1
    else high = middle
  }
  if (low > 0 && at - (times[low - 1] ?? 0) < (times[low] ?? 0) - at) return low - 1
  return times.length === 0 ? -1 : low
}

type Value = number | null

/** A path through points; a gap where nothing is known. A point between two gaps is a short stroke, so that it is seen. */
export function linePath(
  times: readonly number[],
  values: readonly Value[],
  x: (time: number) => number,
  y: (value: number) => number,
): string {
  let path = ''
  let drawing = false
  for (let i = 0; i < times.length; i++) {
    const value = values[i]
    if (value == null) {
      drawing = false
      continue
    }
    const [px, py] = [x(times[i] ?? 0).toFixed(1), y(value).toFixed(1)]
    path += `${drawing ? 'L' : 'M'}${px} ${py}`
    if (!drawing && values[i + 1] == null) path += 'h1'
    drawing = true
  }
  return path
}

/** The same, closed down to the base: one shape for each stretch without a gap. */
export function areaPath(
  times: readonly number[],
  values: readonly Value[],
  x: (time: number) => number,
  y: (value: number) => number,
): string {
  let path = ''
  let last: number | undefined
  const close = () => {
    if (last !== undefined) path += `L${x(last).toFixed(1)} ${y(0).toFixed(1)}Z`
    last = undefined
  }
  for (let i = 0; i < times.length; i++) {
    const value = values[i]
    const time = times[i] ?? 0
    if (value == null) {
      close()
      continue
    }
    if (last === undefined) path += `M${x(time).toFixed(1)} ${y(0).toFixed(1)}`
    path += `L${x(time).toFixed(1)} ${y(value).toFixed(1)}`
    last = time
  }
  close()
  return path
}
