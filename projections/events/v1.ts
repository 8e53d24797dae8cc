/**
 * Projection `events`, fold version 1: the log itself as a table, one row for each position, whatever became of the
 * record there. The fields that every question asks for are columns; the rest is kept as JSON, but for what points at a person.
 */
import type { PlayheadEvent } from '../../schemas/index.ts'
import { timeCell } from '../cells.ts'
import type { Cell, Entry, Journal, Landing, Projection } from '../projection.ts'

const landing: Landing = {
  name: 'landing_events',
  target: 'events',
  columns: [
    'topic',
    'partition',
    'position',
    'fate',
    'type',
    'event_id',
    'occurred_at',
    'received_at',
    'source',
    'app_id',
    'environment',
    'key',
    'profile_id',
    'session_id',
    'title_id',
    'schema_id',
    'payload',
  ],
}

const journal: Journal = {
  landing,
  row({ topic, partition, position, timestampMs, key, fate, schemaId, event }: Entry): readonly Cell[] {
    const place: Cell[] = [topic, partition, position, fate]
    const at = timeCell(timestampMs)
    if (event === undefined) return [...place, '', '', at, at, '', '', '', key ?? '', '', '', '', schemaId ?? 0, '']
    const { meta } = event
    place.push(event.type, meta.eventId, timeCell(meta.occurredAt), timeCell(meta.receivedAt))
    place.push(meta.source, meta.appId, meta.environment, key ?? '')
    const { rest, profileId, sessionId, titleId } = split(event)
    place.push(profileId, sessionId, titleId, schemaId ?? 0, rest)
    return place
  },
  rowKey: ({ position }) => position.toString(),
}

/** Not in the payload: what has a column of its own; and personal fields, sealed or not, which no key could erase there. */
const COLUMNS = new Set(['type', 'meta', 'profileId', 'sessionId', 'titleId', 'personal'])

/** The fields that have a column of their own, and all others but the personal ones as JSON. */
function split(event: PlayheadEvent): { rest: string; profileId: string; sessionId: string; titleId: string } {
  const ids = event as { profileId?: string | null; sessionId?: string | null; titleId?: string | null }
  const rest: Record<string, unknown> = {}
  for (const name of restNamesOf(event)) {
    const value = (event as unknown as Record<string, unknown>)[name]
    if (value !== null) rest[name] = value
  }
  return {
    rest: jsonOf(rest),
    profileId: ids.profileId ?? '',
    sessionId: ids.sessionId ?? '',
    titleId: ids.titleId ?? '',
  }
}

/** A decoded event has all fields of its type, so their names are found once. */
const restNames = new Map<string, readonly string[]>()

function restNamesOf(event: PlayheadEvent): readonly string[] {
  let names = restNames.get(event.type)
  if (names === undefined) {
    names = Object.keys(event).filter((name) => !COLUMNS.has(name))
    restNames.set(event.type, names)
  }
  return names
}

/** Few events hold bytes, and a replacer costs all of them; so it is used only where bytes show. */
function jsonOf(rest: Record<string, unknown>): string {
  const json = JSON.stringify(rest)
  return json.includes('{"type":"Buffer","data":[') ? JSON.stringify(rest, bytesAsBase64) : json
}

function bytesAsBase64(_name: string, value: unknown): unknown {
  const isBuffer = typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer'
  return isBuffer ? Buffer.from((value as unknown as { data: number[] }).data).toString('base64') : value
}

export function eventsV1(topics: readonly string[]): Projection {
  return { name: 'events', foldVersion: 1, topics, batchMs: 1_000, landings: [landing], journal }
}
