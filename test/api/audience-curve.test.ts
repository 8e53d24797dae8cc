/** From ranges that were played to a curve and its marks, against counting second by second. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AUDIENCE_LIMITS } from '../../api/audience/limits.ts'
import { type Edge, retentionCurve } from '../../api/audience/retention-curve.ts'

type Range = readonly [from: number, to: number]

function edgesOf(ranges: readonly Range[]): Edge[] {
  return ranges.flatMap(([from, to]) => [
    { second: from, change: 1 },
    { second: to, change: -1 },
  ])
}

const times = (n: number, range: Range): Range[] => Array.from({ length: n }, () => range)
const curveOf = (watched: readonly Range[], played: readonly Range[], starts: number, durationSeconds: number) =>
  retentionCurve({ watched: edgesOf(watched), played: edgesOf(played), starts, durationSeconds })

test('each point is what one counts by hand', () => {
  // Four begin, one leaves after 2 s, one after 4 s, and one goes back and plays 1 to 3 again.
  const watched: Range[] = [
    [0, 6],
    [0, 6],
    [0, 4],
    [0, 2],
  ]
  const { points, lengthSeconds, stepSeconds, averagePercent } = curveOf(watched, [...watched, [1, 3]], 4, 6)
  assert.deepEqual([lengthSeconds, stepSeconds, averagePercent], [6, 1, 75])
  assert.deepEqual(
    points.map(({ audience, audiencePercent, plays }) => [audience, audiencePercent, plays]),
    [
      [4, 100, 4],
      [4, 100, 5],
      [3, 75, 4],
      [3, 75, 3],
      [2, 50, 2],
      [2, 50, 2],
    ],
  )
})

test('a title of a day has a thousand points at most, and they lose nobody', () => {
  const day = AUDIENCE_LIMITS.retentionSecondsMax
  const curve = curveOf([[0, day], ...times(3, [0, day / 2])], [], 4, day + 500)
  assert.deepEqual([curve.lengthSeconds, curve.stepSeconds], [day, 87])
  assert.ok(curve.points.length <= AUDIENCE_LIMITS.retentionPointsMax)
  const halfway = curve.points.find(({ atSeconds }) => atSeconds <= day / 2 && day / 2 < atSeconds + 87)
  assert.ok(halfway !== undefined && halfway.audience > 1 && halfway.audience < 4, 'the mean of a bucket')
  assert.deepEqual([curve.points[0]?.audience, curve.points.at(-1)?.audience], [4, 1])
})

test('any ranges: the points of a step are the means of its seconds', () => {
  const range = fc.tuple(fc.nat(120), fc.nat(60)).map(([from, length]): Range => [from, from + length])
  fc.assert(
    fc.property(
      fc.array(range),
      fc.integer({ min: 0, max: 150 }),
      fc.integer({ min: 1, max: 20 }),
      (ranges, duration, step) => {
        const edges = edgesOf(ranges)
        const curve = retentionCurve({
          watched: edges,
          played: [],
          starts: 7,
          durationSeconds: duration,
          stepSeconds: step,
        })
        const length = duration > 0 ? duration : Math.max(0, ...ranges.map(([, to]) => to))
        assert.equal(curve.lengthSeconds, length)
        for (const { atSeconds, audience } of curve.points) {
          let sum = 0
          const to = Math.min(atSeconds + step, length)
          for (let s = atSeconds; s < to; s++) sum += ranges.filter(([from, end]) => from <= s && s < end).length
          assert.equal(audience, Math.round((sum / (to - atSeconds)) * 100) / 100)
        }
      },
    ),
  )
})

test('marks: where most leave, the worst first, and what is played again', () => {
  const watched = [...times(50, [0, 1_000]), ...times(30, [0, 300]), ...times(19, [0, 700]), ...times(1, [0, 500])]
  const played = [...watched, ...times(40, [600, 610])]
  const { dropOffs, rewatchPeaks } = curveOf(watched, played, 100, 1_000)
  assert.deepEqual(
    dropOffs.map(({ views, percent }) => [views, percent]),
    [
      [30, 30],
      [19, 19],
    ],
    'one view of a hundred is no mark',
  )
  for (const [i, second] of [300, 700].entries()) {
    const { fromSeconds, toSeconds } = dropOffs[i]!
    assert.ok(fromSeconds < second && second <= toSeconds, `${second} is in ${fromSeconds} to ${toSeconds}`)
  }
  assert.deepEqual(rewatchPeaks, [{ fromSeconds: 600, toSeconds: 610, views: 40, percent: 57.97 }])
})

test('nobody, and nothing known of the length, is an empty curve', () => {
  const empty = { lengthSeconds: 0, stepSeconds: 1, averagePercent: null, points: [], dropOffs: [], rewatchPeaks: [] }
  assert.deepEqual(curveOf([], [], 0, 0), empty)
  const { points, averagePercent } = curveOf([], [], 0, 10)
  assert.deepEqual([points[0]?.audiencePercent, averagePercent], [null, null])
})
