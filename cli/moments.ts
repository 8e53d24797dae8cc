/** A time as an operator gives it: with its zone, or it would be another one elsewhere. Undefined: it is none. */
export function timeOf(text: string): number | undefined {
  const ms = Date.parse(text)
  return Number.isFinite(ms) && /\d(Z|[+-]\d\d:?\d\d)$/.test(text) ? ms : undefined
}
