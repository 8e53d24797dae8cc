/** Days of UTC, as people write them: 2026-11-21. A view belongs to the day on which it began. */
import { UsageError } from '../args.ts'

export interface DayRange {
  /** First and last day; undefined: as far as there are views. */
  readonly from: string | undefined
  readonly to: string | undefined
}

const DAY_MS = 86_400_000
const EARLIEST_MS = Date.UTC(1900, 0, 1)
const LATEST_MS = Date.UTC(2299, 11, 31)

export function dayRange(from: string | undefined, to: string | undefined, command: string): DayRange {
  const range = { from: dayOf('from', from, command), to: dayOf('to', to, command) }
  if (range.from !== undefined && range.to !== undefined && range.from > range.to) {
    throw new UsageError(`--from ${range.from} is after --to ${range.to}.`, command)
  }
  return range
}

function dayOf(flag: string, text: string | undefined, command: string): string | undefined {
  if (text === undefined) return undefined
  const atMs = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  // Date.parse takes the 30th of February for the 2nd of March.
  if (!Number.isNaN(atMs) && new Date(atMs).toISOString().startsWith(text)) return text
  throw new UsageError(`--${flag}: "${text}" is no day. Wanted: a day of UTC, such as 2026-11-21.`, command)
}

export function within({ from, to }: DayRange, day: string): boolean {
  return (from === undefined || day >= from) && (to === undefined || day <= to)
}

/** From its first moment to that after its last. */
export function boundsMs({ from, to }: DayRange): { readonly fromMs: number; readonly toMs: number } {
  return {
    fromMs: from === undefined ? EARLIEST_MS : Date.parse(`${from}T00:00:00Z`),
    toMs: to === undefined ? LATEST_MS : Date.parse(`${to}T00:00:00Z`) + DAY_MS,
  }
}

/** The first day that is kept whole, where rows are forgotten after so many days; 0: never. */
export function keptFrom(days: number, nowMs: number): string | undefined {
  // One day is cut by the moment; another is for the clock of the other side. Today is whole.
  return days === 0 ? undefined : new Date(nowMs - Math.max(0, days - 2) * DAY_MS).toISOString().slice(0, 10)
}

export function notBefore(range: DayRange, day: string | undefined): DayRange {
  return day === undefined || (range.from !== undefined && range.from >= day) ? range : { ...range, from: day }
}
