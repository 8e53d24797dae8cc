/** When people sit down to watch: as moments in order, one after the other, however many there are. */
import type { Random } from './random.ts'

const HOUR_MS = 3_600_000

/** Of the hours of a day (UTC): quiet at night, most of all in the evening. */
const DAY = [4, 2.5, 1.5, 1, 1, 1.2, 2, 3, 4, 4.5, 5, 5.5, 6.5, 6.5, 6, 6, 7, 8.5, 10.5, 13, 14.5, 14, 11, 7]
const WEEKEND = 1.25

/** `count` moments from here to there, more of them where the day has more. */
export function* moments(
  count: number,
  window: { readonly fromMs: number; readonly untilMs: number },
  curve: 'day' | 'flat',
  random: Random,
): Generator<number> {
  const { fromMs, untilMs } = window
  const edges: number[] = [fromMs]
  const sums: number[] = [0]
  for (let at = fromMs; at < untilMs; ) {
    const end = Math.min(untilMs, (Math.floor(at / HOUR_MS) + 1) * HOUR_MS)
    sums.push(sums[sums.length - 1]! + (end - at) * (curve === 'flat' ? 1 : weightAt(at)))
    edges.push(end)
    at = end
  }
  const total = sums[sums.length - 1]!
  let hour = 0
  // The order statistics of uniform numbers, one from the other: nothing has to be sorted.
  let left = 1
  for (let remaining = count; remaining > 0; remaining--) {
    left *= (1 - random.share()) ** (1 / remaining)
    const wanted = total * (1 - left)
    while (hour + 2 < sums.length && sums[hour + 1]! <= wanted) hour++
    const share = (wanted - sums[hour]!) / (sums[hour + 1]! - sums[hour]!)
    yield Math.floor(edges[hour]! + share * (edges[hour + 1]! - edges[hour]!))
  }
}

/** Without end: one every so often. */
export function* endlessMoments(fromMs: number, everyMs: number, random: Random): Generator<number> {
  for (let at = fromMs; ; ) {
    at += random.exponential(everyMs)
    yield Math.floor(at)
  }
}

function weightAt(ms: number): number {
  const date = new Date(ms)
  const weekday = date.getUTCDay()
  return DAY[date.getUTCHours()]! * (weekday === 0 || weekday === 6 ? WEEKEND : 1)
}
