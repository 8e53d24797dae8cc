/** What positions and durations give away. */
import { LINT_LIMITS } from './limits.ts'
import { counted, missing, type Rule, unlessAny, type Verdict } from './rule.ts'
import { type LintView, number, record, type Said, type Stretch, stretches, tellsOfAMoment } from './said.ts'

export const POSITIONS: readonly Rule[] = [
  {
    code: 'POSITION_IN_SECONDS',
    severity: 'error',
    fine: 'Positions are milliseconds.',
    remedy: 'Send positionMs, durationMs and played in milliseconds: currentTime × 1000, as whole numbers.',
    judge: (view) => {
      const played = playing(view)
      if (!lastsFor(played, LINT_LIMITS.unitsMs)) return 'moot'
      return inSeconds(played)
        ? found(played, 'Positions grow by the number of seconds that went by: they are seconds.')
        : 'fine'
    },
  },
  {
    code: 'PLAYING_STANDS_STILL',
    severity: 'error',
    fine: 'The position moves while it plays.',
    remedy:
      'Send StallStarted when playback stops for want of data ("waiting"), PlaybackPaused when it is paused, and read the position anew for each heartbeat.',
    judge: standsStill,
  },
  {
    code: 'POSITION_JUMPS',
    severity: 'warning',
    fine: 'The position goes where playing brings it.',
    remedy:
      'Send SeekStarted ("seeking") and SeekEnded ("seeked") for every jump, the ones of the application too (skip intro, start over).',
    judge: jumps,
  },
  {
    code: 'NO_DURATION',
    severity: 'warning',
    fine: 'The length of the title is known.',
    remedy:
      'Send durationMs with the heartbeats once the player knows it, or put the title into the catalogue. Without it there is no percentage, and nothing is ever completed.',
    judge: ({ events }) => {
      const told = events.some((event) => (number(event, 'durationMs') ?? facts(event)) !== undefined)
      const live = events.some((event) => ['live', 'dvr'].includes(String(record(event, 'context')?.streamType)))
      return told ? 'fine' : live ? 'moot' : missing('No event says how long the title is, nor does the catalogue.')
    },
  },
  {
    code: 'NO_PLAYED',
    severity: 'warning',
    fine: 'What was played is told.',
    remedy:
      'Send with each heartbeat (and pause, seek, stall, end) the stretches of media played since the last event that said so: "played": [{"fromMs", "toMs"}]. Without them, what was really watched is guessed from positions.',
    judge: ({ own, started }) => {
      if (own.length === 0 || !started) return 'moot'
      const told = own.some(({ fields }) => Array.isArray(fields.played) && fields.played.length > 0)
      return told ? 'fine' : missing('No event says which stretches were played.')
    },
  },
]

function facts(event: Said): number | undefined {
  const durationMs = record(event, 'facts')?.durationMs
  return typeof durationMs === 'number' ? durationMs : undefined
}

interface Moved extends Stretch {
  readonly wallMs: number
  readonly mediaMs: number
  readonly rate: number
}

/** Stretches from one position to the next, while it played. A view without positions has none. */
function playing({ events }: LintView): readonly Moved[] {
  return stretches(events.filter((event) => tellsOfAMoment(event) && number(event, 'positionMs') !== undefined))
    .filter(({ state, to }) => state === 'playing' && to.type !== 'PlaybackStarted')
    .map((stretch) => {
      const { from, to } = stretch
      const rate = Math.max(rateOf(from), rateOf(to))
      return {
        ...stretch,
        wallMs: to.atMs - from.atMs,
        mediaMs: number(to, 'positionMs')! - number(from, 'positionMs')!,
        rate,
      }
    })
}

function rateOf(event: Said): number {
  return Math.abs(number(event, 'playbackRatePermille') ?? 1_000) / 1_000
}

function lastsFor(played: readonly Moved[], ms: number): boolean {
  return played.reduce((total, { wallMs }) => total + wallMs, 0) >= ms
}

function inSeconds(played: readonly Moved[]): boolean {
  const wallS = played.reduce((total, { wallMs }) => total + wallMs / 1_000, 0)
  const moved = played.reduce((total, { mediaMs }) => total + mediaMs, 0)
  return moved > wallS / 2 && moved < wallS * 2 && played.every(({ mediaMs }) => mediaMs >= 0)
}

function found(played: readonly Moved[], says: string): Verdict {
  const events = played.map(({ to }) => to)
  return { says, count: events.length, events }
}

function standsStill(view: LintView): Verdict {
  const played = playing(view)
  if (!lastsFor(played, LINT_LIMITS.standsMs) || inSeconds(played)) return 'moot'
  const standing: Said[] = []
  let ms = 0
  for (const { to, wallMs, mediaMs } of played) {
    ms = mediaMs === 0 ? ms + wallMs : 0
    if (ms >= LINT_LIMITS.standsMs) standing.push(to)
  }
  return unlessAny(standing, () => 'It says that it plays, and the position does not move.')
}

function jumps(view: LintView): Verdict {
  const played = playing(view)
  if (played.length === 0 || inSeconds(played)) return 'moot'
  const { jumpSlackMs, jumpSlackPermille } = LINT_LIMITS
  const wrong = played.filter(({ wallMs, mediaMs, rate, to }) => {
    // Where a seek begins, some players say already where it goes.
    if (to.type === 'SeekStarted' || to.type === 'SeekEnded') return false
    const mostMs = wallMs * rate * (1 + jumpSlackPermille / 1_000) + jumpSlackMs
    return mediaMs > mostMs || mediaMs < -jumpSlackMs
  })
  return unlessAny(
    wrong.map(({ to }) => to),
    (count) => `${counted(count, 'jump')} of the position without a seek.`,
  )
}
