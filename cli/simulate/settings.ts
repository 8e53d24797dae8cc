/** From the words after `playhead simulate` to an audience, and what to do with it. */
import {
  AudienceImpossible,
  type AudienceOptions,
  CDNS,
  type Effect,
  type Fault,
  type Group,
} from '../../simulator/index.ts'
import { type Args, type Flag, UsageError } from '../args.ts'
import { DEFAULT_APP, DEFAULT_ENVIRONMENT } from '../key-file.ts'
import { SIMULATE_LIMITS } from './limits.ts'

export const NAME = 'simulate'

export const FLAGS: readonly Flag[] = [
  { name: 'to-log', help: 'Write history straight into the log, as fast as it takes it.' },
  { name: 'live', help: 'Say things when they happen, over HTTP, as players do. After --to-log: go on live.' },
  {
    name: 'views',
    value: 'N',
    help: 'Views there are, but for those that would begin after now; of a live audience without end, so many an hour [1000]',
  },
  { name: 'viewers', value: 'N', help: 'How many people there are; without --views, they watch as much as people do.' },
  { name: 'days', value: 'D', help: 'How long they come in, in days [1]' },
  { name: 'hours', value: 'H', help: 'The same in hours.' },
  { name: 'from', value: 'TIME', help: 'When they begin: RFC 3339 [so that they end now]' },
  { name: 'seed', value: 'TEXT', help: 'Another audience; the same text, time and flags give the same one [playhead]' },
  { name: 'titles', value: 'N', help: 'Titles there are [400]' },
  {
    name: 'fault',
    value: 'WORDS',
    help: `A CDN goes bad: cdn=NAME,at=TIME|2h,for=20m, and failures=12%,throughput=6%. CDNs: ${CDNS.values.join(', ')}.`,
    many: true,
  },
  {
    name: 'groups',
    value: 'a=0.5,b=0.5',
    help: 'Parts of the audience, by share; they stand in app_version as sim-a, sim-b.',
  },
  {
    name: 'effect',
    value: '[b:]startup=+15%',
    help: 'What the last group (or the named one) has more of: startup, stalls, failures, watch.',
    many: true,
  },
  { name: 'clean', help: 'Nothing goes wrong with reports: none late, twice, lost or by a wrong clock.' },
  { name: 'speed', value: 'X', help: 'Live: so much faster than time, through the --hours before now [1]' },
  { name: 'url', value: 'URL', help: 'Of the API [the one on this machine]' },
  { name: 'key', value: 'KEY', help: 'Publishable key [of the keys file]' },
  { name: 'data-key', value: 'KEY', help: 'Key that --compare asks with [of the keys file]' },
  { name: 'app', value: 'APP', help: `Application that history belongs to [${DEFAULT_APP}]; live, the key says.` },
  { name: 'environment', value: 'ENV', help: `Its environment [${DEFAULT_ENVIRONMENT}]` },
  { name: 'summary', value: 'FILE', help: 'Write the truth there, as JSON.' },
  { name: 'compare', help: 'Ask the API for its numbers, and show them beside the truth. Exit code 1 if they differ.' },
  { name: 'json', help: 'Print the outcome as JSON.' },
]

export interface SimulateSettings {
  readonly toLog: boolean
  readonly live: boolean
  readonly speed: number
  readonly audience: AudienceOptions
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const CLEAN = { wrongClocks: 0, downloads: 0, gaps: 0, copies: 0, lostEnds: 0 }

export function settingsOf(args: Args, nowMs: number): SimulateSettings {
  const [toLog, live] = [args.has('to-log'), args.has('live')]
  if (!toLog && !live) throw new UsageError('Say --to-log, --live or both.', NAME)
  const speed = numberOf(args, 'speed', 1, SIMULATE_LIMITS.speedMax)
  const spanMs = spanOf(args)
  const window = windowOf(args, { toLog, live, speed, spanMs }, nowMs)
  const groups = groupsOf(args)
  const [views, viewers, titles] = ['views', 'viewers', 'titles'].map((name) => optionalWhole(args, name))
  const { fromMs } = window
  return {
    toLog,
    live,
    speed,
    audience: {
      seed: args.value('seed') ?? 'playhead',
      ...window,
      ...(views !== undefined && { views }),
      ...(viewers !== undefined && { viewers }),
      ...(views === undefined && viewers === undefined && { views: 1_000 }),
      ...(titles !== undefined && { titles }),
      faults: args.values('fault').map((text) => faultOf(text, fromMs)),
      groups,
      mishaps: args.has('clean') ? CLEAN : speed === 1 ? {} : { wrongClocks: 0 },
      appId: nameOf(args, 'app', DEFAULT_APP),
      environment: nameOf(args, 'environment', DEFAULT_ENVIRONMENT),
    },
  }
}

interface Course {
  readonly toLog: boolean
  readonly live: boolean
  readonly speed: number
  readonly spanMs: number | undefined
}

/** When they come: history ends now; live begins now, and faster than time it ends now. */
function windowOf(args: Args, { toLog, live, speed, spanMs }: Course, nowMs: number) {
  const from = args.value('from')
  const fromMs = from === undefined ? undefined : timeOf('from', from)
  const lengthMs = spanMs ?? DAY_MS
  if (live && toLog) {
    if (speed !== 1) throw new UsageError('--speed is for --live alone: history takes no time.', NAME)
    return { fromMs: fromMs ?? nowMs - (spanMs ?? HOUR_MS) }
  }
  if (toLog) return { fromMs: fromMs ?? nowMs - lengthMs, untilMs: (fromMs ?? nowMs - lengthMs) + lengthMs }
  if (fromMs !== undefined) throw new UsageError('--from is for --to-log: what is live begins now.', NAME)
  if (speed === 1) return spanMs === undefined ? { fromMs: nowMs } : { fromMs: nowMs, untilMs: nowMs + spanMs }
  if (spanMs === undefined) throw new UsageError('--speed wants --hours or --days: how much time runs faster.', NAME)
  const startMs = Math.floor(nowMs - spanMs + spanMs / speed)
  return { fromMs: startMs, untilMs: startMs + spanMs }
}

function spanOf(args: Args): number | undefined {
  if (args.has('days') && args.has('hours')) throw new UsageError('--days or --hours, not both.', NAME)
  if (args.has('hours')) return numberOf(args, 'hours', 1, 10_000) * HOUR_MS
  return args.has('days') ? numberOf(args, 'days', 1, 400) * DAY_MS : undefined
}

function faultOf(text: string, fromMs: number): Fault {
  const words = wordsOf('fault', text, ['cdn', 'at', 'for', 'failures', 'throughput'])
  const { cdn, at, for: lasting } = words
  if (cdn === undefined || at === undefined || lasting === undefined) {
    throw new UsageError('--fault wants cdn=NAME,at=TIME,for=20m.', NAME)
  }
  if (!CDNS.values.includes(cdn)) throw new UsageError(`--fault: "${cdn}" is none of ${CDNS.values.join(', ')}.`, NAME)
  const afterMs = durationOf(at)
  const forMs = durationOf(lasting)
  if (forMs === undefined) throw new UsageError(`--fault: "${lasting}" is no duration such as 90s, 20m, 2h.`, NAME)
  return {
    cdn,
    atMs: afterMs === undefined ? timeOf('fault', at) : fromMs + afterMs,
    forMs,
    ...(words.failures !== undefined && { failures: shareOf(words.failures) }),
    ...(words.throughput !== undefined && { throughput: shareOf(words.throughput) }),
  }
}

function groupsOf(args: Args): readonly Group[] {
  const text = args.value('groups')
  const effects = args.values('effect')
  if (text === undefined) {
    if (effects.length > 0) throw new UsageError('--effect wants --groups.', NAME)
    return []
  }
  const groups = text.split(',').map((part) => {
    const [name = '', share = ''] = part.split('=')
    return { name, share: shareOf(share) }
  })
  const found = new Map<string, Effect>()
  for (const effect of effects) {
    const [named, said] = effect.includes(':') ? effect.split(':', 2) : [undefined, effect]
    const name = named ?? groups.at(-1)!.name
    if (!groups.some((group) => group.name === name)) throw new UsageError(`--effect: there is no group ${name}.`, NAME)
    found.set(name, { ...found.get(name), ...effectOf(said ?? '') })
  }
  return groups.map((group) => {
    const effect = found.get(group.name)
    return effect === undefined ? group : { ...group, effect }
  })
}

const EFFECTS = ['startup', 'stalls', 'failures', 'watch'] as const

function effectOf(text: string): Effect {
  const words = wordsOf('effect', text, EFFECTS)
  return Object.fromEntries(
    Object.entries(words).map(([name, more]) => {
      const found = /^([+-]\d+(?:\.\d+)?)%$/.exec(more)
      if (found === null) throw new UsageError(`--effect: ${name} wants a difference such as +15%.`, NAME)
      return [name, 1 + Number(found[1]) / 100]
    }),
  )
}

function wordsOf<Word extends string>(
  flag: string,
  text: string,
  known: readonly Word[],
): Partial<Record<Word, string>> {
  const words: Partial<Record<Word, string>> = {}
  for (const part of text.split(',')) {
    const at = part.indexOf('=')
    const name = part.slice(0, at) as Word
    if (at < 1 || !known.includes(name))
      throw new UsageError(`--${flag}: "${part}" is none of ${known.join('=, ')}=.`, NAME)
    words[name] = part.slice(at + 1)
  }
  return words
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: HOUR_MS, d: DAY_MS }

function durationOf(text: string): number | undefined {
  const found = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text)
  return found === null ? undefined : Math.round(Number(found[1]) * UNITS[found[2]!]!)
}

/** 0.12 or 12%. */
function shareOf(text: string): number {
  const found = /^(\d+(?:\.\d+)?)(%?)$/.exec(text)
  if (found === null) throw new UsageError(`"${text}" is no share such as 0.5 or 50%.`, NAME)
  return Number(found[1]) / (found[2] === '%' ? 100 : 1)
}

function timeOf(flag: string, text: string): number {
  const ms = /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms)) throw new UsageError(`--${flag}: "${text}" is no time such as 2026-11-20T18:00:00Z.`, NAME)
  return ms
}

function numberOf(args: Args, flag: string, fallback: number, max: number): number {
  const text = args.value(flag)
  if (text === undefined) return fallback
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (value > 0 && value <= max) return value
  throw new UsageError(`--${flag}: a number above 0, at most ${max}.`, NAME)
}

function optionalWhole(args: Args, flag: string): number | undefined {
  return args.has(flag) ? args.integer(flag, 0) : undefined
}

function nameOf(args: Args, flag: string, fallback: string): string {
  const name = args.value(flag) ?? fallback
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) return name
  throw new UsageError(`--${flag}: 1 to 64 letters, digits, dots, dashes or underscores.`, NAME)
}

/** What an audience can not be is a mistake of the words that were typed. */
export function orUsage<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (error instanceof AudienceImpossible) throw new UsageError(`${error.message}.`, NAME)
    throw error
  }
}
