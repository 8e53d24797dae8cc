/** Values that an event may hold and a column of ClickHouse may not, as that column takes them. */
import { keptMs, LATEST_MS } from './stamp.ts'

/** From here on a time in milliseconds has the thirteen digits by which ClickHouse knows that it is one. */
const THIRTEEN_DIGITS = 1_000_000_000_000
const ASN_MAX = 2 ** 32 - 1
/** Far within 64 bits: a number beyond it was nobody's measurement. */
const COUNT_MAX = Number.MAX_SAFE_INTEGER

/** It takes shorter numbers for seconds, or for a year: these are spelt out. */
export function timeCell(ms: number): string | number {
  if (ms >= THIRTEEN_DIGITS && ms <= LATEST_MS) return ms
  const digits = String(keptMs(ms)).padStart(13, '0')
  return `${digits.slice(0, 10)}.${digits.slice(10)}`
}

/** The number of a network; 0: not known. */
export function asnCell(asn: number | null | undefined): number {
  return typeof asn === 'number' && asn >= 0 && asn <= ASN_MAX ? asn : 0
}

/** A product of numbers that were told. */
export function countCell(count: number): number {
  return Math.min(Math.max(Math.round(count), -COUNT_MAX), COUNT_MAX)
}
