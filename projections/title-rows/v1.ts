/**
 * Projection `title_rows`, fold version 1: the catalogue as a table of ClickHouse, so that a query can join names. It is
 * the fold `titles` with rows: a title that was only ever withdrawn has none; one withdrawn since stays, marked.
 */
import type { PlayheadEvent } from '../../schemas/index.ts'
import { timeCell } from '../cells.ts'
import type { Cell, Keyed, Landing, Projection, SignedRow } from '../projection.ts'
import { titleRow, titlesV1 } from '../titles/v1.ts'

const landing: Landing = {
  name: 'landing_titles',
  target: 'titles',
  columns: [
    ...['topic', 'partition', 'row_key', 'version', 'sign'],
    ...['title_id', 'kind', 'name', 'description', 'duration_ms', 'credits_start_ms', 'series_id', 'season', 'episode'],
    ...['release_year', 'rating', 'genres', 'regions_available', 'regions_blocked', 'images', 'external_ids'],
    ...['manifests', 'updated_at', 'withdrawn'],
  ],
}

/** The fold's own state knows no key; a row needs it. */
interface Named {
  readonly titleId: string
  readonly title: unknown
}

export function titleRowsV1(): Projection {
  const titles = titlesV1()
  const inner = titles.keyed as Keyed<unknown>
  const keyed: Keyed<Named> = {
    shape: inner.shape,
    key: inner.key,
    fold: (state, event) => ({ titleId: titleIdOf(event), title: inner.fold(state?.title, event) }),
    rows: ({ titleId, title }) => rowsOf(titleId, inner.toColumns(title)),
    toColumns: ({ title }) => inner.toColumns(title),
    fromColumns: (columns, key) => ({ titleId: key[0] as string, title: inner.fromColumns(columns, key) }),
  }
  const { topics } = titles
  return {
    name: 'title_rows',
    foldVersion: 1,
    topics,
    reads: ['TitleRegistered', 'TitleWithdrawn'],
    batchMs: 1_000,
    landings: [landing],
    keyed: keyed as Keyed<unknown>,
  }
}

function titleIdOf(event: PlayheadEvent): string {
  if (!('titleId' in event) || typeof event.titleId !== 'string') throw new TypeError(`${event.type} names no title`)
  return event.titleId
}

function rowsOf(titleId: string, columns: Parameters<typeof titleRow>[0]): readonly SignedRow[] {
  const row = titleRow(columns, [titleId], 0n)
  if (row === undefined) return []
  const cells: Cell[] = [
    ...[titleId, row.kind, row.name, row.description ?? '', row.durationMs, row.creditsStartMs],
    ...[row.seriesId ?? '', row.season, row.episode, row.releaseYear, row.rating ?? ''],
    ...[row.genres, row.regionsAvailable, row.regionsBlocked],
    ...[JSON.stringify(row.images), JSON.stringify(row.externalIds), JSON.stringify(row.manifests)],
    ...[timeCell(row.updatedAtMs), row.withdrawn],
  ]
  return [{ landing, rowKey: titleId, cells }]
}
