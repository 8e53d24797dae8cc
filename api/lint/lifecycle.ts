/** Beginning, first frame and end; what was begun and not ended. */
import { counted, missing, type Rule, unlessAny, type Verdict } from './rule.ts'
import { type LintView, type Said, text } from './said.ts'

export const LIFECYCLE: readonly Rule[] = [
  {
    code: 'NO_START',
    severity: 'error',
    fine: 'PlaybackStarted was sent.',
    remedy:
      'Send PlaybackStarted with sequence 0 when playback is asked for, or let POST /v1/playback/start write it (leave out "events": "sdk"). Without it there is no startup time, and who gives up early is not seen.',
    judge: ({ own }) =>
      own.length === 0 ? 'moot' : has(own, 'PlaybackStarted') ? 'fine' : missing('There is no PlaybackStarted.'),
  },
  {
    code: 'NO_FIRST_FRAME',
    severity: 'error',
    fine: 'FirstFrame was sent.',
    remedy:
      'Send FirstFrame once, when the first frame is on the screen: startup time runs from PlaybackStarted to it.',
    judge: ({ own, started }) => {
      if (own.length === 0 || !started) return 'moot'
      return has(own, 'FirstFrame') ? 'fine' : missing('It played, and there is no FirstFrame: no startup time.')
    },
  },
  {
    code: 'NO_END',
    severity: 'warning',
    fine: 'The view said how it ended.',
    remedy:
      'Send PlaybackEnded with a reason when the viewer leaves, the title is over or another begins; at page hide with sendBeacon or fetch keepalive. CMCD: the states e and q.',
    judge: ({ open, state }) => {
      if (!open) return 'fine'
      return state === 'timed_out' ? missing('The reports stop and nothing says why.') : 'moot'
    },
  },
  {
    code: 'AFTER_THE_END',
    severity: 'warning',
    fine: 'Nothing was reported after the end.',
    remedy:
      'Stop the heartbeats with PlaybackEnded. Who watches again begins with PlaybackStarted, better in a new session.',
    judge: afterTheEnd,
  },
  {
    code: 'SEEK_NOT_ENDED',
    severity: 'warning',
    fine: 'Every seek ended before playing went on.',
    remedy: 'Send SeekEnded when the player is ready at the new place ("seeked"), also when it is paused there.',
    judge: (view) =>
      unclosed(
        view,
        'SeekStarted',
        'SeekEnded',
        (count) => `${counted(count, 'seek')}: playing went on, no SeekEnded.`,
      ),
  },
  {
    code: 'STALL_NOT_ENDED',
    severity: 'warning',
    fine: 'Every stall ended before playing went on.',
    remedy: 'Send StallEnded at the first frame after the stall; until then the view counts as stalled.',
    judge: (view) =>
      unclosed(
        view,
        'StallStarted',
        'StallEnded',
        (count) => `${counted(count, 'stall')}: playing went on, no StallEnded.`,
      ),
  },
  {
    code: 'FAILURE_CODE_VARIES',
    severity: 'warning',
    fine: 'Codes of failures name causes.',
    remedy:
      'Send a short "code" that is the same for the same cause, such as HTTP_503 or DECODE; what differs each time belongs into "message".',
    judge: ({ own }) => {
      const failures = own.filter(({ type }) => type === 'PlaybackFailed')
      if (failures.length === 0) return 'moot'
      const odd = failures.filter((event) => VARIES.test(text(event, 'code') ?? ''))
      return unlessAny(
        odd,
        (count) => `${counted(count, 'code')} of a failure with an address, a time or a sentence in it.`,
      )
    },
  },
]

/** An address, a number as long as a time, or more words than a name has. */
const VARIES = /:\/\/|\d{10,}|^.{65,}$|(?:\S+\s+){4,}\S/

function has(events: readonly Said[], type: string): boolean {
  return events.some((event) => event.type === type)
}

function afterTheEnd({ own }: LintView): Verdict {
  const end = own.findLastIndex(({ type }) => type === 'PlaybackEnded')
  if (end < 0) return 'moot'
  const after = own.slice(end + 1)
  const again = after.findIndex(({ type }) => type === 'PlaybackStarted')
  const late = (again < 0 ? after : after.slice(0, again)).filter(
    ({ type, atMs }) => type !== 'PlaybackFailed' && atMs > own[end]!.atMs,
  )
  return unlessAny(late, (count) => `${counted(count, 'event')} after PlaybackEnded: the view is open again.`)
}

/** What ends a stall or a seek too: leaving, failing, pausing, seeking elsewhere. */
const BREAKS: ReadonlySet<string> = new Set(['PlaybackEnded', 'PlaybackFailed', 'PlaybackPaused', 'SeekStarted'])

function unclosed({ own }: LintView, opens: string, closes: string, says: (count: number) => string): Verdict {
  if (!has(own, opens)) return 'moot'
  const left: Said[] = []
  let open: Said | undefined
  for (const event of own) {
    if (event.type === opens) open = event
    else if (event.type === closes || BREAKS.has(event.type)) open = undefined
    else if (open !== undefined && event.type === 'Heartbeat' && text(event, 'state') === 'playing') {
      left.push(open)
      open = undefined
    }
  }
  return unlessAny(left, says)
}
