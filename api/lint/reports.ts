/** How often the player reports, and what its reports leave out. */
import { LINT_LIMITS } from './limits.ts'
import { counted, missing, type Rule, unlessAny, type Verdict } from './rule.ts'
import { type LintView, number, type Said, stretches, text } from './said.ts'

export const REPORTS: readonly Rule[] = [
  {
    code: 'HEARTBEATS_SPARSE',
    severity: 'warning',
    fine: 'While it played, reports came often enough.',
    remedy:
      'Send a Heartbeat every ten seconds while the player plays or stalls (CMCD: interval 10 to 30). Of a longer silence only a minute counts as watched, unless positions prove more.',
    judge: sparse,
  },
  {
    code: 'HEARTBEATS_DENSE',
    severity: 'warning',
    fine: 'Heartbeats are not sent more often than they are read.',
    remedy: 'Ten seconds apart is enough: what happens in between has events of its own.',
    judge: dense,
  },
  {
    code: 'STATE_UNKNOWN',
    severity: 'warning',
    fine: 'Heartbeats say what the player is doing.',
    remedy: 'Send "state" with each heartbeat: it repairs what a lost event leaves wrong.',
    judge: ({ own }) => {
      const beats = beatsOf(own)
      if (beats.length === 0) return 'moot'
      return unlessAny(
        beats.filter((beat) => (text(beat, 'state') ?? 'unknown') === 'unknown'),
        (count) => `${counted(count, 'heartbeat')} without a state.`,
      )
    },
  },
  {
    code: 'NO_BITRATE',
    severity: 'hint',
    fine: 'The bitrate is told.',
    remedy:
      'Send videoBitrateKbps with FirstFrame, RenditionChanged and heartbeats (CMCD: br): it makes the average bitrate and the switches.',
    judge: ({ events, started }) => {
      if (!started) return 'moot'
      const told = events.some((event) => number(event, 'videoBitrateKbps') !== undefined)
      return told ? 'fine' : missing('No event says a bitrate.')
    },
  },
  {
    code: 'NO_SIZE',
    severity: 'hint',
    fine: 'Sizes of picture and player are told.',
    remedy:
      'Send width and height of the rendition, and playerWidth and playerHeight in device pixels: up- and downscaling come from both.',
    judge: ({ own, started }) => {
      if (own.length === 0 || !started) return 'moot'
      const source = own.some((event) => number(event, 'width') !== undefined)
      const player = own.some((event) => number(event, 'playerWidth') !== undefined)
      const lacks = [...(source ? [] : ['of the rendition']), ...(player ? [] : ['of the player'])]
      return lacks.length === 0 ? 'fine' : missing(`No event says the size ${lacks.join(', nor that ')}.`)
    },
  },
  {
    code: 'NONSENSE',
    severity: 'warning',
    fine: 'No value had to be left out.',
    remedy:
      'Check what is negative, beyond its range, or moves faster than time: GET /v1/qoe/views/SESSION shows each event.',
    judge: ({ nonsense, flags }) => {
      if (!flags.includes('nonsense')) return 'fine'
      const count = Math.max(1, nonsense)
      return { says: `${counted(count, 'value')} made no sense and left out.`, count, events: [] }
    },
  },
]

function beatsOf(events: readonly Said[]): readonly Said[] {
  return events.filter(({ type }) => type === 'Heartbeat')
}

function sparse({ events, own }: LintView): Verdict {
  const mostMs = own.length > 0 ? LINT_LIMITS.sparseMs : LINT_LIMITS.sparseCmcdMs
  const played = stretches(events).filter(({ state }) => state === 'playing')
  if (played.length === 0) return 'moot'
  const silent = played.filter(({ from, to }) => to.atMs - from.atMs > mostMs)
  const longestMs = Math.max(0, ...silent.map(({ from, to }) => to.atMs - from.atMs))
  return unlessAny(
    silent.map(({ to }) => to),
    (count) =>
      `${counted(count, 'silence')} of more than ${mostMs / 1_000} s while it played, the longest ${Math.round(longestMs / 1_000)} s; named are the events after them.`,
  )
}

function dense({ own }: LintView): Verdict {
  const beats = beatsOf(own)
  if (beats.length < LINT_LIMITS.denseBeatsMin) return 'moot'
  const meanMs = (beats.at(-1)!.atMs - beats[0]!.atMs) / (beats.length - 1)
  if (meanMs >= LINT_LIMITS.denseMs) return 'fine'
  return { says: `Heartbeats every ${Math.round(meanMs)} ms.`, count: beats.length, events: beats }
}
