/**
 * Projection `titles`, fold version 1: the catalogue as it was registered last, by (occurredAt, eventId). A title that
 * was withdrawn after that stays, marked; one that was only ever withdrawn has no row to read.
 */
import type { EventOf } from '../../schemas/index.ts'
import type { Keyed, Projection, StateCell } from '../projection.ts'
import { isNewer, newest, type Stamp, stampOf } from '../stamp.ts'
import { listText, mapText } from './fields.ts'
import type { TitleRow } from './row.ts'

interface Registration extends Stamp {
  /** The columns up to `text_languages`, as they are kept. */
  readonly cells: readonly StateCell[]
}

interface Title {
  readonly registered: Registration | undefined
  readonly withdrawn: Stamp | undefined
}

const RECORD = [
  { name: 'kind', type: 'text' },
  { name: 'name', type: 'text' },
  { name: 'description', type: 'text' },
  { name: 'duration_ms', type: 'long' },
  { name: 'credits_start_ms', type: 'long' },
  { name: 'series_id', type: 'text' },
  { name: 'season', type: 'int' },
  { name: 'episode', type: 'int' },
  { name: 'release_year', type: 'int' },
  { name: 'rating', type: 'text' },
  { name: 'genres', type: 'text', comment: 'JSON' },
  { name: 'regions_available', type: 'text', comment: 'JSON; empty: everywhere' },
  { name: 'regions_blocked', type: 'text', comment: 'JSON' },
  { name: 'images', type: 'text', comment: 'JSON: URL by role' },
  { name: 'external_ids', type: 'text', comment: 'JSON: id by system' },
  { name: 'manifests', type: 'text', comment: 'JSON: URL by protocol' },
  { name: 'cast_names', type: 'text', comment: 'JSON' },
  { name: 'directors', type: 'text', comment: 'JSON' },
  { name: 'audio_languages', type: 'text', comment: 'JSON' },
  { name: 'text_languages', type: 'text', comment: 'JSON' },
] as const
const NO_RECORD: readonly StateCell[] = RECORD.map(() => null)

const keyed: Keyed<Title> = {
  shape: {
    name: 'titles',
    comment: 'The catalogue: each title as it was registered last',
    partition: [{ name: 'title_id', type: 'text' }],
    clustering: [],
    columns: [
      ...RECORD,
      { name: 'registered_at', type: 'timestamp' },
      { name: 'registered_by', type: 'text', comment: 'the event that said so' },
      { name: 'withdrawn_at', type: 'timestamp' },
      { name: 'withdrawn_by', type: 'text', comment: 'the event that said so' },
      { name: 'withdrawn', type: 'boolean', comment: 'after it was registered last' },
    ],
  },
  key: (event) => (event.type === 'TitleRegistered' || event.type === 'TitleWithdrawn' ? [event.titleId] : undefined),
  fold(state, event) {
    const { registered, withdrawn } = state ?? { registered: undefined, withdrawn: undefined }
    const stamp = stampOf(event.meta)
    if (event.type === 'TitleWithdrawn') return { registered, withdrawn: newest(withdrawn, stamp) }
    if (event.type !== 'TitleRegistered') throw new TypeError(`${event.type} says nothing of a title`)
    return { registered: newest(registered, recordOf(event, stamp)), withdrawn }
  },
  rows: () => [],
  toColumns: ({ registered, withdrawn }) => [
    ...(registered?.cells ?? NO_RECORD),
    registered?.atMs ?? null,
    registered?.eventId ?? null,
    withdrawn?.atMs ?? null,
    withdrawn?.eventId ?? null,
    withdrawn !== undefined && isNewer(withdrawn, registered),
  ],
  fromColumns(cells) {
    const n = RECORD.length
    const registered = stampFrom(cells[n], cells[n + 1])
    return {
      registered: registered && { ...registered, cells: cells.slice(0, n) },
      withdrawn: stampFrom(cells[n + 2], cells[n + 3]),
    }
  },
}

function recordOf(event: EventOf<'TitleRegistered'>, { atMs, eventId }: Stamp): Registration {
  const cells = [
    event.kind,
    event.name,
    event.description,
    long(event.durationMs),
    long(event.creditsStartMs),
    event.seriesId,
    event.season,
    event.episode,
    event.releaseYear,
    event.rating,
    listText(event.genres),
    listText(event.regionsAvailable),
    listText(event.regionsBlocked),
    mapText(event.images),
    mapText(event.externalIds),
    mapText(event.manifests),
    listText(event.cast),
    listText(event.directors),
    listText(event.audioLanguages),
    listText(event.textLanguages),
  ]
  return { atMs, eventId, cells }
}

function long(value: number | null): bigint | null {
  return value === null ? null : BigInt(value)
}

function stampFrom(atMs: StateCell | undefined, eventId: StateCell | undefined): Stamp | undefined {
  return typeof atMs === 'number' ? { atMs, eventId: eventId as string } : undefined
}

export function titlesV1(): Projection {
  return { name: 'titles', foldVersion: 1, topics: ['ingest-events'], batchMs: 50, landings: [], keyed }
}

/** Undefined: it was withdrawn and never registered. */
export function titleRow(
  cells: readonly StateCell[],
  key: readonly StateCell[],
  version: bigint,
): TitleRow | undefined {
  const [kind, name, description, durationMs, creditsStartMs, seriesId, season, episode, releaseYear, rating] = cells
  const [genres, regionsAvailable, regionsBlocked, images, externalIds, manifests] = cells.slice(10)
  const [registeredMs, , withdrawnMs, , withdrawn] = cells.slice(RECORD.length)
  if (typeof registeredMs !== 'number') return undefined
  return {
    titleId: key[0] as string,
    kind: kind as string,
    name: name as string,
    description: description as string | null,
    durationMs: durationMs === null ? null : Number(durationMs),
    creditsStartMs: creditsStartMs === null ? null : Number(creditsStartMs),
    seriesId: seriesId as string | null,
    season: season as number | null,
    episode: episode as number | null,
    releaseYear: releaseYear as number | null,
    rating: rating as string | null,
    genres: JSON.parse(genres as string) as string[],
    regionsAvailable: JSON.parse(regionsAvailable as string) as string[],
    regionsBlocked: JSON.parse(regionsBlocked as string) as string[],
    images: JSON.parse(images as string) as { [role: string]: string },
    externalIds: JSON.parse(externalIds as string) as { [system: string]: string },
    manifests: JSON.parse(manifests as string) as { [protocol: string]: string },
    updatedAtMs: Math.max(registeredMs, (withdrawnMs as number | null) ?? 0),
    withdrawn: withdrawn as boolean,
    version,
  }
}
