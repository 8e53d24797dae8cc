/** What is said of the player and its surroundings, and what should not be said at all. */
import { LINT_LIMITS } from './limits.ts'
import { missing, type Rule, type Verdict } from './rule.ts'
import { type LintView, record, type Said, text } from './said.ts'

/** What people filter and break down by, and only the player knows. */
const WANTED = ['player', 'playerVersion', 'deviceType', 'os', 'cdn', 'protocol', 'streamType'] as const
/** CMCD has no key for it. */
const WANTED_OF_OWN = ['appVersion'] as const

export const DESCRIBED: readonly Rule[] = [
  {
    code: 'NO_CONTEXT',
    severity: 'warning',
    fine: 'Player and device are described.',
    remedy:
      'Send "context" with PlaybackStarted and FirstFrame: player, device, application, CDN. POST /v1/playback/start takes deviceType and player.',
    judge: ({ events }) => (Object.keys(contextOf(events)).length > 0 ? 'fine' : missing('No event has a context.')),
  },
  {
    code: 'CONTEXT_THIN',
    severity: 'hint',
    fine: 'The context says all that is filtered by.',
    remedy:
      'Fill these fields of "context": each is a dimension of every dashboard. Of CMCD: ?player=NAME/VERSION in the address of the collector, and the key cdn.',
    judge: ({ events, own }) => {
      const context = contextOf(events)
      if (Object.keys(context).length === 0) return 'moot'
      const cdnElsewhere = events.some((event) => text(event, 'cdn') !== undefined)
      const wanted = [...WANTED, ...(own.length > 0 ? WANTED_OF_OWN : [])]
      const lacks = wanted.filter((name) => context[name] === undefined && !(name === 'cdn' && cdnElsewhere))
      if (lacks.length === 0) return 'fine'
      return { says: `The context leaves out: ${lacks.join(', ')}.`, count: lacks.length, events: [] }
    },
  },
  {
    code: 'SEVERAL_DEVICES',
    severity: 'error',
    fine: 'One device reported.',
    remedy: 'Mint a session id for each run of a player (a UUID): one that two devices share mixes their views.',
    judge: ({ flags }) =>
      flags.includes('several_devices') ? missing('Reports of this view disagree on the device.') : 'fine',
  },
  {
    code: 'PERSONAL_IN_THE_CLEAR',
    severity: 'error',
    fine: 'Nothing looks like an e-mail or network address, and no page has its query.',
    remedy:
      'Put what points at a person into "personal" (it is sealed), page addresses without their query, and use random ids: nothing else can be erased.',
    judge: personal,
  },
]

/** Of each field the first word on it. */
function contextOf(events: readonly Said[]): Readonly<Record<string, unknown>> {
  const whole: Record<string, unknown> = {}
  for (const event of events) {
    for (const [name, value] of Object.entries(record(event, 'context') ?? {})) {
      if (value !== null && value !== '' && value !== 'unknown') whole[name] ??= value
    }
  }
  return whole
}

const MAIL = /[^\s@/<>"']{1,64}@[\w-]{1,63}(\.[\w-]{1,63}){1,4}/
const ADDRESS = /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])/
/** Versions look like addresses, and no person is in them. */
const HARMLESS = /version$/i
/** CMCD as it came, where everything is said a second time. */
const SKIPPED: ReadonlySet<string> = new Set(['raw', 'eventId', 'played'])
/** A server's own address is nobody's; nor is the host of a page. */
const SERVERS: ReadonlySet<string> = new Set(['cdn', 'edge'])
const HOSTS = /\w+:\/\/[^\s/?#]*/g

/** Names where it is, never what it says. */
function personal(view: LintView): Verdict {
  const places = new Set<string>()
  const events: Said[] = []
  for (const name of ['profileId', 'sessionId', 'titleId'] as const) if (isPersonal(name, view[name])) places.add(name)
  for (const event of view.events) {
    const found = personalPlaces(event.fields, '')
    for (const place of found) places.add(place)
    if (found.length > 0) events.push(event)
  }
  if (places.size === 0) return 'fine'
  return {
    says: `In ${[...places].sort().join(', ')} stands what may point at a person.`,
    count: Math.max(1, events.length),
    events,
  }
}

function personalPlaces(fields: Readonly<Record<string, unknown>>, path: string): readonly string[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    if (SKIPPED.has(name)) return []
    if (typeof value === 'string') return isPersonal(name, value) ? [`${path}${name}`] : []
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
    return personalPlaces(value as Readonly<Record<string, unknown>>, `${path}${name}.`)
  })
}

function isPersonal(name: string, value: string): boolean {
  if (HARMLESS.test(name)) return false
  const scanned = value.slice(0, LINT_LIMITS.textCharsScanned)
  if (MAIL.test(scanned) || (name === 'pageUrl' && scanned.includes('?'))) return true
  return !SERVERS.has(name) && ADDRESS.test(scanned.replace(HOSTS, ''))
}
