/**
 * What was really played, as whole seconds: `[from, to, from, to, …]`, ascending and apart, so that a rewatch counts
 * once. Ends are rounded before they are joined, which makes the union the same in any order.
 */
import type { PlayedRange } from '../../schemas/index.ts'
import { PROGRESS_LIMITS } from './limits.ts'

export type Seconds = readonly number[]

export function watch(watched: Seconds, played: readonly PlayedRange[]): Seconds {
  if (played.length === 0) return watched
  if (played.length === 1) {
    const from = second(played[0]!.fromMs)
    const to = second(played[0]!.toMs)
    return to > from ? join(watched, from, to) : watched
  }
  const pairs = played
    .map(({ fromMs, toMs }) => [second(fromMs), second(toMs)] as const)
    .filter(([from, to]) => to > from)
  for (let i = 0; i < watched.length; i += 2) pairs.push([watched[i]!, watched[i + 1]!])
  return union(pairs)
}

export function watchedMs(watched: Seconds): number {
  let seconds = 0
  for (let i = 0; i < watched.length; i += 2) seconds += watched[i + 1]! - watched[i]!
  return seconds * 1_000
}

export function toText(watched: Seconds): string {
  let text = ''
  for (let i = 0; i < watched.length; i += 2) text += `${i === 0 ? '' : ','}${watched[i]}-${watched[i + 1]}`
  return text
}

export function fromText(text: string): Seconds {
  return text === '' ? [] : text.split(/[-,]/).map(Number)
}

function second(ms: number): number {
  return Math.min(Math.max(Math.round(ms / 1_000), 0), PROGRESS_LIMITS.watchedSecondsMax)
}

/** One more range. Nearly always it goes on where the last one ended. */
function join(watched: Seconds, from: number, to: number): Seconds {
  const length = watched.length
  if (length === 0) return [from, to]
  const lastFrom = watched[length - 2]!
  const lastTo = watched[length - 1]!
  if (from > lastTo) return [...watched, from, to]
  if (from >= lastFrom) {
    if (to <= lastTo) return watched
    const longer = watched.slice()
    longer[length - 1] = to
    return longer
  }
  let first = 0
  while (watched[first + 1]! < from) first += 2
  let after = first
  while (after < length && watched[after]! <= to) after += 2
  if (after === first) return [...watched.slice(0, first), from, to, ...watched.slice(first)]
  const start = Math.min(from, watched[first]!)
  const end = Math.max(to, watched[after - 1]!)
  return [...watched.slice(0, first), start, end, ...watched.slice(after)]
}

function union(pairs: (readonly [number, number])[]): Seconds {
  pairs.sort((a, b) => a[0] - b[0])
  const joined: number[] = []
  for (const [from, to] of pairs) {
    const last = joined.length - 1
    if (last < 0 || from > joined[last]!) joined.push(from, to)
    else if (to > joined[last]!) joined[last] = to
  }
  return joined
}
