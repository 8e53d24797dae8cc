/** What an audience is to be like, and what is right by default. */
import { SIM_LIMITS } from './limits.ts'

/** A CDN that goes bad for a while: slow, and refusing more than usual. */
export interface Fault {
  readonly cdn: string
  readonly atMs: number
  readonly forMs: number
  /** Of the throughput, what is left [0.06]. */
  readonly throughput?: number
  /** Of the views that begin then, which fail before the first frame [0.12]. */
  readonly failures?: number
}

/** What members of a group have more of: 1.15 is 15 % more. */
export interface Effect {
  readonly startup?: number
  /** Length of stalls. */
  readonly stalls?: number
  /** Probability of a failure. */
  readonly failures?: number
  /** How long they mean to watch. */
  readonly watch?: number
}

export interface Group {
  readonly name: string
  readonly share: number
  readonly effect?: Effect
}

export interface AudienceOptions {
  readonly seed: string
  readonly fromMs: number
  /** Nobody begins a sitting at or after this. Undefined: it never ends. */
  readonly untilMs?: number
  /** Exactly so many views; what they begin late goes on after `untilMs`. Of an endless audience: views an hour. */
  readonly views?: number
  /** How many people there are; without `views`, as much as they watch in a day or so. */
  readonly viewers?: number
  readonly titles?: number
  /** Titles are so much shorter or longer than usual. */
  readonly titleScale?: number
  readonly curve?: 'day' | 'flat'
  readonly faults?: readonly Fault[]
  readonly groups?: readonly Group[]
  /** What goes wrong with reports, as shares of views or events; 0 leaves it out. */
  readonly mishaps?: Partial<Mishaps>
  readonly appId?: string
  readonly environment?: string
}

export interface Mishaps {
  /** Devices whose clock is wrong. */
  readonly wrongClocks: number
  /** Views on phones that play a download, and are told of hours later. */
  readonly downloads: number
  /** Views on phones whose reports are held up for minutes: a tunnel, a lift. */
  readonly gaps: number
  /** Events that arrive twice. */
  readonly copies: number
  /** Views whose end nobody hears of. */
  readonly lostEnds: number
}

export const MISHAPS: Mishaps = { wrongClocks: 0.05, downloads: 0.06, gaps: 0.08, copies: 0.004, lostEnds: 0.03 }

export interface Settled extends Required<Omit<AudienceOptions, 'untilMs' | 'views'>> {
  readonly untilMs: number | undefined
  readonly views: number | undefined
  readonly mishaps: Mishaps
}

/** Views that a person begins in a day. */
const VIEWS_A_DAY = 1.6
/** Views of one person, where only the views are given. */
const VIEWS_A_VIEWER = 2.5
const DAY_MS = 86_400_000

export function settle(options: AudienceOptions): Settled {
  const { seed, fromMs, untilMs, titles = 400, titleScale = 1, faults = [], groups = [] } = options
  const days = untilMs === undefined ? undefined : (untilMs - fromMs) / DAY_MS
  if (days !== undefined && !(days > 0 && days <= SIM_LIMITS.daysMax)) refuse('days', `0 to ${SIM_LIMITS.daysMax}`)
  const views = options.views ?? Math.round((options.viewers ?? 1_000) * VIEWS_A_DAY * (days ?? 1 / 8))
  whole('views', views, SIM_LIMITS.viewsMax)
  const viewers = options.viewers ?? Math.max(1, Math.ceil(views / VIEWS_A_VIEWER))
  whole('viewers', viewers, SIM_LIMITS.viewersMax)
  whole('titles', titles, SIM_LIMITS.titlesMax)
  if (!(titleScale > 0 && titleScale <= 10)) refuse('titleScale', 'above 0, at most 10')
  if (faults.length > SIM_LIMITS.faultsMax) refuse('faults', `${SIM_LIMITS.faultsMax} at most`)
  checkGroups(groups)
  return {
    seed,
    fromMs,
    untilMs,
    views,
    viewers,
    titles,
    titleScale,
    curve: options.curve ?? (untilMs === undefined ? 'flat' : 'day'),
    faults,
    groups,
    mishaps: { ...MISHAPS, ...options.mishaps },
    appId: options.appId ?? 'default',
    environment: options.environment ?? 'production',
  }
}

function checkGroups(groups: readonly Group[]): void {
  if (groups.length > SIM_LIMITS.groupsMax) refuse('groups', `${SIM_LIMITS.groupsMax} at most`)
  for (const { name, share, effect = {} } of groups) {
    if (!/^[A-Za-z0-9_-]{1,32}$/.test(name)) refuse(`group "${name}"`, 'named with letters, digits, _ and -')
    if (!(share > 0)) refuse(`group ${name}`, 'a share above 0')
    for (const factor of Object.values(effect)) {
      if (!(factor >= 0 && factor <= SIM_LIMITS.effectMax)) refuse(`effect on ${name}`, '-100 % to +900 %')
    }
  }
}

function whole(name: string, value: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < 1 || value > max) refuse(name, `a whole number, 1 to ${max}`)
}

/** The caller's mistake, in words that it can show. */
export class AudienceImpossible extends RangeError {}

function refuse(what: string, wanted: string): never {
  throw new AudienceImpossible(`${what} must be ${wanted}`)
}
