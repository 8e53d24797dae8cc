/**
 * What every benchmark shares: alternating rounds of ours and the bare library's in one run, medians, and ratios. The
 * figures are for this machine; the ratios are what is promised.
 */
export interface Measured {
  readonly name: string
  readonly ours: number
  /** The bare library doing the same work in the same run. */
  readonly bare?: number
  readonly unit: string
  /** ours ÷ bare where there is a bare; larger is better unless `atMost` is given. */
  readonly ratio?: number
  readonly bar?:
    | { readonly atLeast: number; readonly of: 'ratio' | 'ours' }
    | { readonly atMost: number; readonly of: 'ours' }
  readonly note?: string
}

export interface BenchOptions {
  /** Only to see that it runs: small, its figures mean nothing. */
  readonly quick: boolean
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Rates (per second) of both, round about, so that a machine that slows down slows both. */
export async function alternate(
  rounds: number,
  ours: () => Promise<number>,
  bare: () => Promise<number>,
): Promise<{ ours: number; bare: number; ratio: number }> {
  const oursRates: number[] = []
  const bareRates: number[] = []
  const ratios: number[] = []
  for (let round = 0; round < rounds; round++) {
    const first = round % 2 === 0
    const a = first ? await ours() : undefined
    const b = await bare()
    const c = a ?? (await ours())
    oursRates.push(c)
    bareRates.push(b)
    ratios.push(c / b)
  }
  return { ours: median(oursRates), bare: median(bareRates), ratio: median(ratios) }
}

export function meets({ bar, ratio, ours }: Measured): boolean | undefined {
  if (bar === undefined) return undefined
  const value = bar.of === 'ratio' ? ratio : ours
  if (value === undefined) return undefined
  return 'atLeast' in bar ? value >= bar.atLeast : value <= bar.atMost
}
