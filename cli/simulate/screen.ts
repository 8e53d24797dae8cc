/** What a person sees of a running simulation: some lines that are drawn again at a terminal, a plain line now and then elsewhere. */
import type { Audience } from '../../simulator/index.ts'
import type { Io } from '../command.ts'
import { bar } from '../progress.ts'
import type { HistoryProgress } from './history.ts'
import { SIMULATE_LIMITS } from './limits.ts'
import type { LiveCounts } from './live.ts'

export interface Screen {
  history(written: HistoryProgress): void
  live(counts: LiveCounts): void
  end(): void
}

export interface ScreenParts {
  readonly io: Io
  readonly nowMs: () => number
  readonly audience: Audience
  readonly fromMs: number
  /** Where history ends. */
  readonly untilMs: number
}

export function screenFor({ io, nowMs, audience, fromMs, untilMs }: ScreenParts): Screen {
  const everyMs = io.tty ? SIMULATE_LIMITS.drawEveryMs : SIMULATE_LIMITS.reportEveryMs
  const begunAtMs = nowMs()
  let drawnAtMs = begunAtMs
  let drawn = 0
  /** What was counted when it was drawn last, for the rate. */
  let before = 0

  function draw(count: number, lines: (perSecond: number) => readonly string[]): void {
    const now = nowMs()
    if (now - drawnAtMs < everyMs) return
    const text = lines(Math.round(((count - before) * 1_000) / (now - drawnAtMs)))
    drawnAtMs = now
    before = count
    if (!io.tty) {
      io.err(`${text.join(' · ')}\n`)
      return
    }
    clear()
    io.err(`${text.join('\n')}\n`)
    drawn = text.length
  }

  function clear(): void {
    if (io.tty && drawn > 0) io.err(`\u001b[${drawn}A\u001b[J`)
    drawn = 0
  }

  const people = () => `${number(audience.watching)} watch, ${number(audience.begun)} views begun`

  return {
    history: ({ events, reachedMs }) =>
      draw(events, (perSecond) => [
        io.tty
          ? bar(BigInt(Math.max(0, reachedMs - fromMs)), BigInt(Math.max(1, untilMs - fromMs)), 0)
              .replace(/ \d+\/.*$/, '')
              .concat(`  ${clock(reachedMs)}`)
          : clock(reachedMs),
        `${number(events)} events, ${number(perSecond)}/s`,
        people(),
      ]),
    live: ({ accepted, rejected, retries, reachedMs, behindMs }) =>
      draw(accepted, (perSecond) => [
        `live  ${clock(reachedMs)}${behindMs > 1_000 ? `  ${(behindMs / 1_000).toFixed(1)} s behind` : ''}`,
        `${number(accepted)} events, ${number(perSecond)}/s${rejected > 0 ? `, ${number(rejected)} rejected` : ''}${retries > 0 ? `, ${number(retries)} requests sent again` : ''}`,
        people(),
        failing(audience),
      ]),
    end: clear,
  }
}

function failing({ truth }: Audience): string {
  const { starts, startupFailures, playbackFailures, stalls } = truth.total()
  return `${number(starts)} started, ${number(startupFailures + playbackFailures)} failed, ${number(stalls)} stalls`
}

function clock(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
}

function number(value: number): string {
  return value.toLocaleString('en')
}
