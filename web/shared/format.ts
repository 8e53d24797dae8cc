/** Numbers and times as people read them. What is not known is a dash, never a zero. */

export const NONE = '–'

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const one = new Intl.NumberFormat('en', { maximumFractionDigits: 1, minimumFractionDigits: 1 })
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

type Known = number | null | undefined

export function count(value: Known): string {
  if (value == null) return NONE
  return Math.abs(value) >= 100_000 ? compact.format(value) : whole.format(value)
}

export function percent(value: Known): string {
  if (value == null) return NONE
  if (value === 0) return '0%'
  if (value < 0.01) return '<0.01%'
  return `${value < 1 ? value.toFixed(2) : value < 10 ? value.toFixed(1) : Math.round(value)}%`
}

/** A time that a viewer waits: 840 ms, 1.24 s, 12.3 s. */
export function wait(ms: Known): string {
  if (ms == null) return NONE
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 10_000) return `${(ms / 1_000).toFixed(2)} s`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  return length(ms)
}

/** A length: 42 s, 3 min 20 s, 2 h 5 min. */
export function length(ms: Known): string {
  if (ms == null) return NONE
  const seconds = Math.round(ms / 1_000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min${seconds % 60 === 0 ? '' : ` ${seconds % 60} s`}`
  return `${Math.floor(minutes / 60)} h${minutes % 60 === 0 ? '' : ` ${minutes % 60} min`}`
}

/** Where in the media, or since the begin: 1:05, 1:02:03. */
export function clock(ms: Known): string {
  if (ms == null) return NONE
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  const [hours, minutes, rest] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60]
  const two = (value: number) => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}

export function bitrate(kbps: Known): string {
  if (kbps == null) return NONE
  return kbps < 1_000 ? `${Math.round(kbps)} kbit/s` : `${(kbps / 1_000).toFixed(kbps < 10_000 ? 2 : 1)} Mbit/s`
}

export function perHour(value: Known): string {
  return value == null ? NONE : `${value < 10 ? value.toFixed(2) : one.format(value)} / h`
}

export function points(value: Known): string {
  return value == null ? NONE : one.format(value)
}

const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hour12: false })
const timeWithSeconds = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
})
const day = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric', month: 'short' })

export function time(ms: number, seconds = false): string {
  return (seconds ? timeWithSeconds : timeOfDay).format(ms)
}

export function date(ms: number): string {
  return day.format(ms)
}

export function dateTime(ms: number, nowMs: number): string {
  const today = date(ms) === date(nowMs)
  return today ? time(ms, true) : `${date(ms)}, ${time(ms, true)}`
}

export function ago(ms: number, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - ms) / 1_000))
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`
  return seconds < 86_400 ? `${Math.floor(seconds / 3_600)} h ago` : `${Math.floor(seconds / 86_400)} d ago`
}
