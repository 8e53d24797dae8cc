/**
 * What another system knew of a profile's progress, as events. Their ids are derived from what a row says: the same row
 * in the same file, in its corrected copy or twice in one file is one event, so that reading it again adds nothing.
 * What the file says of time is a server's word; only a time that has not come yet is changed.
 */
import type { Meta, NewEvent, NewEventOf, Personal, TitleFacts } from '../schemas/index.ts'
import { deriveEventId } from './ids.ts'

export interface ImportSource {
  readonly appId: string
  readonly environment: string
  readonly receivedAtMs: number
}

export interface ImportedProgress {
  readonly profileId: string
  readonly titleId: string
  /** Absent for a title that is only marked as watched. */
  readonly positionMs?: number
  readonly durationMs?: number
  readonly updatedAtMs: number
  readonly watched: boolean
  readonly deviceId?: string
  readonly facts?: TitleFacts
}

/** What goes with a row and is not said by it. */
export interface Stamped {
  readonly facts: TitleFacts | null
  /** Its device, sealed. */
  readonly personal: Personal | null
}

export function progressEvents(
  source: ImportSource,
  row: ImportedProgress,
  stamped: Stamped,
): readonly NewEventOf<'ProgressReported' | 'MarkedWatched'>[] {
  const { profileId, titleId, positionMs, updatedAtMs, watched } = row
  // A mark counts only if it is newer than the position, and neither may be newer than now.
  const atMs = Math.max(0, Math.min(updatedAtMs, watched ? source.receivedAtMs - 1 : source.receivedAtMs))
  const said = JSON.stringify([
    profileId,
    titleId,
    updatedAtMs,
    positionMs ?? null,
    row.durationMs ?? null,
    row.deviceId ?? null,
    row.facts ?? null,
  ])
  const what = { profileId, titleId, ...stamped }
  const events: NewEventOf<'ProgressReported' | 'MarkedWatched'>[] = []
  if (positionMs !== undefined) {
    const meta = importMeta(source, ['progress', said], atMs)
    events.push({ type: 'ProgressReported', meta, ...what, positionMs, durationMs: row.durationMs ?? null, played: [] })
  }
  if (watched) {
    events.push({
      type: 'MarkedWatched',
      meta: importMeta(source, ['watched', said], atMs + 1),
      ...what,
      watched: true,
    })
  }
  return events
}

export type ImportedTitle = Omit<NewEventOf<'TitleRegistered'>, 'meta' | 'by' | 'type'>

/**
 * A title without a time of its own is registered now. `runId` then tells this import from an earlier one of the same
 * file, which may have been overruled since.
 */
export function titleEvent(
  source: ImportSource,
  title: ImportedTitle,
  updatedAtMs: number | undefined,
  runId: string,
): NewEvent {
  const said = JSON.stringify([title, updatedAtMs ?? runId])
  const atMs = Math.min(updatedAtMs ?? source.receivedAtMs, source.receivedAtMs)
  return { ...title, type: 'TitleRegistered', meta: importMeta(source, ['title', said], atMs), by: 'import' }
}

export function importMeta(source: ImportSource, parts: readonly string[], occurredAt: number): Meta {
  const { appId, environment, receivedAtMs } = source
  return {
    eventId: deriveEventId('import', appId, environment, ...parts),
    occurredAt,
    receivedAt: receivedAtMs,
    source: 'import',
    appId,
    environment,
    clock: 'trusted',
    sentAt: null,
  }
}
