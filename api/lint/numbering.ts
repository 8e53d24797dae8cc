/** How events are numbered and dated: what was lost, what was said twice, what the player's clock did. */
import { LINT_LIMITS } from './limits.ts'
import { counted, missing, type Rule, unlessAny, type Verdict } from './rule.ts'
import { type LintView, type Said, sequenceOf } from './said.ts'

export const NUMBERING: readonly Rule[] = [
  {
    code: 'SEQUENCE_REPEATED',
    severity: 'error',
    fine: 'No number was given twice.',
    remedy:
      'Count every event of a session from 0, and go on counting after a reload that keeps the session. Of two events with one number only the earlier counts.',
    judge: repeated,
  },
  {
    code: 'SEQUENCE_BACKWARDS',
    severity: 'warning',
    fine: 'Numbers and times go the same way.',
    remedy:
      'Take the number and the time of an event at the same moment, and measure time on a clock that only goes forward.',
    judge: backwards,
  },
  {
    code: 'SEQUENCE_GAPS',
    severity: 'warning',
    fine: 'No number is missing.',
    remedy:
      'Keep events until they are answered 202 or 204, and send them again with the same eventId. A number is taken by an event that is sent, and by nothing else.',
    judge: gaps,
  },
  {
    code: 'SEQUENCE_NONE',
    severity: 'hint',
    fine: 'Events are numbered.',
    remedy: 'Send a sequence with every event, counted from 0: then it is seen what was lost.',
    judge: ({ own }) => {
      const told = own.filter(({ type }) => type !== 'PlaybackStarted')
      if (told.length === 0) return 'moot'
      return told.some((event) => sequenceOf(event) !== undefined) ? 'fine' : missing('No event is numbered.')
    },
  },
  {
    code: 'CLOCK_IMPLAUSIBLE',
    severity: 'error',
    fine: 'The times of the events can be right.',
    remedy:
      'Send "sentAt" with every request, by the same clock as "occurredAt": then a clock that is wrong by years is corrected. Both are milliseconds since 1970, or RFC 3339.',
    judge: implausible,
  },
  {
    code: 'NO_TIMES',
    severity: 'warning',
    fine: 'Events say when they happened.',
    remedy:
      'Send "occurredAt" (of heartbeats "clientTimestamp") and "sentAt": without them an event happened when it came in, and what was sent late is at the wrong place.',
    judge: undated,
  },
  {
    code: 'LATE',
    severity: 'hint',
    fine: 'Reports came within a minute.',
    remedy:
      'Nothing, if the device was offline: late reports correct the numbers. Else send every ten seconds, and do not save up.',
    judge: ({ events }) =>
      unlessAny(
        events.filter(({ atMs, receivedAtMs }) => receivedAtMs - atMs > LINT_LIMITS.lateMs),
        (count) => `${counted(count, 'report')} came more than a minute after what it tells.`,
      ),
  },
  {
    code: 'MANY_COPIES',
    severity: 'hint',
    fine: 'Hardly an event was sent twice.',
    remedy:
      'Wait for the answer before you send again, and back off after 429 and 503. Copies count once all the same.',
    judge: ({ copies, events }) => {
      const { duplicatesMin, duplicatesOneIn } = LINT_LIMITS
      const many = copies.length >= duplicatesMin && copies.length * duplicatesOneIn > events.length
      return unlessAny(many ? copies : [], (count) => `${counted(count, 'event')} came again.`)
    },
  },
]

function repeated({ own }: LintView): Verdict {
  const seen = new Map<number, Said>()
  const again: Said[] = []
  for (const event of own) {
    const sequence = sequenceOf(event)
    if (sequence === undefined) continue
    if (seen.has(sequence)) again.push(event)
    else seen.set(sequence, event)
  }
  if (seen.size === 0) return 'moot'
  return unlessAny(again, (count) => `${counted(count, 'event')} with a number that another event of the view has.`)
}

function backwards({ own }: LintView): Verdict {
  let highest = -1
  const wrong: Said[] = []
  const seen = new Set<number>()
  for (const event of own) {
    const sequence = sequenceOf(event)
    if (sequence === undefined || seen.has(sequence)) continue
    seen.add(sequence)
    if (sequence < highest) wrong.push(event)
    else highest = sequence
  }
  if (seen.size < 2) return 'moot'
  return unlessAny(wrong, (count) => `${counted(count, 'event')} with a later time and a smaller number.`)
}

function gaps({ own }: LintView): Verdict {
  const numbered = own.flatMap((event) => {
    const sequence = sequenceOf(event)
    return sequence === undefined ? [] : [{ event, sequence }]
  })
  if (numbered.length < 2) return 'moot'
  numbered.sort((a, b) => a.sequence - b.sequence)
  const behind: Said[] = []
  let lost = 0
  for (const [i, { event, sequence }] of numbered.entries()) {
    const former = numbered[i - 1]?.sequence ?? sequence
    if (sequence <= former + 1) continue
    lost += sequence - former - 1
    behind.push(event)
  }
  if (lost === 0) return 'fine'
  return {
    says: `${counted(lost, 'number')} missing in between; named are the events after them.`,
    count: lost,
    events: behind,
  }
}

/** Two of one request can't both have happened as it came in. */
function undated({ own, flags }: LintView): Verdict {
  if (flags.includes('clock_implausible')) return 'moot'
  const requests = new Map<number, Said[]>()
  for (const event of own) requests.set(event.receivedAtMs, [...(requests.get(event.receivedAtMs) ?? []), event])
  const batches = [...requests.values()].filter(({ length }) => length > 1)
  if (batches.length === 0) return 'moot'
  const bare = batches.flatMap((batch) => {
    const atOnce = batch.filter(({ atMs, receivedAtMs }) => atMs === receivedAtMs)
    return atOnce.length > 1 ? atOnce : []
  })
  return unlessAny(bare, (count) => `${counted(count, 'event')} of the same request and of the same moment.`)
}

/** What was corrected is not in the table, so of a time in the future only the view's flag tells. */
function implausible({ events, flags }: LintView): Verdict {
  const old = events.filter(({ atMs, receivedAtMs }) => receivedAtMs - atMs > LINT_LIMITS.ageMaxMs)
  if (!flags.includes('clock_implausible') && old.length === 0) return 'fine'
  const suspects = old.length > 0 ? old : events.filter(({ atMs, receivedAtMs }) => atMs === receivedAtMs)
  return {
    says: "A report's clock can't be right, and nothing came with it by which to correct it.",
    count: Math.max(1, suspects.length),
    events: suspects,
  }
}
