/** A session as the rules see it: its views' rows and events, read as the story of a session reads them. */
import type { AnalyticsReader } from '../ports.ts'
import { Problem } from '../problems.ts'
import { QOE_LIMITS } from '../qoe/limits.ts'
import { flagNames, type RawRow, stateOf } from '../qoe/rows.ts'
import { eventsOf, keysOf, type StoredEvent, type ViewKey, viewRowsOf } from '../qoe/session.ts'
import { isOwn, type LintView, type Said } from './said.ts'

export interface LintSession {
  readonly views: readonly LintView[]
  /** There are more than were looked at. */
  readonly more: { readonly views: boolean; readonly events: boolean }
}

export async function readSession(
  analytics: AnalyticsReader,
  sessionId: string,
  timedOutAtMs: number,
): Promise<LintSession> {
  const found = await keysOf(analytics, sessionId)
  const keys = found.slice(0, QOE_LIMITS.sessionViewsMax)
  if (keys.length === 0) {
    throw new Problem(
      'SESSION_UNKNOWN',
      'No view of it is in the tables: it is new, its name is misspelt, it is too old, or none of its events was accepted.',
    )
  }
  const [rows, events] = await Promise.all([viewRowsOf(analytics, keys), eventsOf(analytics, sessionId, keys)])
  const shown = events.slice(0, QOE_LIMITS.storyEventsMax)
  const views = keys.flatMap((key) => {
    const row = rows.get(key.viewId)
    return row === undefined ? [] : [viewOf(key, sessionId, row, shown, timedOutAtMs)]
  })
  return { views, more: { views: found.length > keys.length, events: events.length > shown.length } }
}

export function viewOf(
  { profileId, titleId }: Pick<ViewKey, 'profileId' | 'titleId'>,
  sessionId: string,
  row: RawRow,
  stored: readonly StoredEvent[],
  timedOutAtMs: number,
): LintView {
  const all = stored.filter((event) => event.profileId === profileId && event.titleId === titleId).map(saidOf)
  const events = all.filter(({ fate }) => fate === 'folded').sort(byTime)
  return {
    profileId,
    sessionId,
    titleId,
    state: stateOf(row, timedOutAtMs),
    open: Number(row.x_open) === 1,
    started: Number(row.x_starts) === 1,
    nonsense: Number(row.x_nonsense),
    flags: flagNames(Number(row.x_flags)),
    events,
    copies: all.filter(({ fate }) => fate === 'duplicate'),
    own: events.filter(isOwn),
    cmcd: events.filter(({ type }) => type === 'CmcdReport'),
  }
}

function saidOf({ eventId: id, type, occurredAtMs, receivedAtMs, fate, fields }: StoredEvent): Said {
  return { id, type, atMs: occurredAtMs, receivedAtMs, fate, fields }
}

/** As the fold has them: by time, then by number. */
function byTime(a: Said, b: Said): number {
  return a.atMs - b.atMs || Number(a.fields.sequence ?? 0) - Number(b.fields.sequence ?? 0) || (a.id < b.id ? -1 : 1)
}
