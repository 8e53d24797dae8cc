/**
 * Histograms that can be added and subtracted: whole numbers in buckets that grow by 2 %, so that any percentile of any
 * sum of them is right within 1 %. The borders are whole numbers in a table: no logarithm decides where a value goes.
 */
const GROWTH = 0.0200007
const BUCKETS = 1_100

/** The largest value of each bucket. */
const UPPER = Float64Array.from({ length: BUCKETS }, (_, bucket) => Math.floor(Math.exp(bucket * GROWTH)))

/** 0 holds 0 and 1; the last holds everything above 3·10⁹. */
export function bucketOf(value: number): number {
  let low = 0
  let high = BUCKETS - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((UPPER[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}

/** The value that stands for a bucket. */
export function midOf(bucket: number): number {
  return bucket === 0 ? 1 : Math.exp((bucket - 0.5) * GROWTH)
}

/** `counts`: bucket → how many; empty buckets may be in it. Undefined: nothing was counted. */
export function percentileOf(counts: ReadonlyMap<number, number>, share: number): number | undefined {
  const buckets = [...counts.keys()].sort((a, b) => a - b)
  return percentileIn({ buckets, counts: buckets.map((bucket) => counts.get(bucket) as number) }, share)
}

/** Buckets in rising order, and how many are in each. */
export interface Histogram {
  readonly buckets: readonly number[]
  readonly counts: readonly number[]
}

export function percentileIn({ buckets, counts }: Histogram, share: number): number | undefined {
  let total = 0
  for (const count of counts) total += count
  if (total <= 0) return undefined
  const rank = Math.max(1, Math.ceil(share * total))
  let seen = 0
  for (let i = 0; i < buckets.length; i++) {
    seen += counts[i] as number
    if (seen >= rank) return midOf(buckets[i] as number)
  }
  return undefined
}
