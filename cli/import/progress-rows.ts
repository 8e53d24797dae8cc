/** Rows of `playhead import progress`: which fields there are, and what they become. */
import { type ImportedProgress, progressEvents } from '../../producers/import.ts'
import { toRecord } from '../../producers/record.ts'
import type { Personal, TitleFacts } from '../../schemas/index.ts'
import type { ImportKind, ImportPorts, ImportRun } from './kind.ts'
import { RowRejected } from './problem.ts'
import type { Fields } from './rows.ts'
import { booleanOf, durationOf, idOf, optionalId, type TimeRules, timeOf, wholeNumberOf } from './values.ts'

const INT_MAX = 2 ** 31 - 1
/** A year of media: longer is a wrong unit. */
const MEDIA_MS_MAX = 366 * 24 * 3_600_000
const CONTENT_TYPE_CHARS_MAX = 64

export const PROGRESS_FIELDS = [
  'profileId',
  'titleId',
  'positionMs',
  'positionSeconds',
  'durationMs',
  'durationSeconds',
  'updatedAt',
  'watched',
  'completed',
  'deviceId',
  'contentType',
  'seriesId',
  'season',
  'episode',
  'creditsStartMs',
] as const

export const progressImport: ImportKind<ImportedProgress> = {
  name: 'progress',
  fields: PROGRESS_FIELDS,
  needed: [['profileId'], ['titleId'], ['updatedAt'], ['positionMs', 'positionSeconds', 'watched', 'completed']],
  row: progressRow,
  records: progressRecords,
}

function progressRow(fields: Fields, rules: TimeRules): ImportedProgress {
  const deviceId = optionalId(fields, 'deviceId')
  const positionMs = durationOf(fields, 'position', MEDIA_MS_MAX)
  const durationMs = durationOf(fields, 'duration', MEDIA_MS_MAX)
  const watched = booleanOf(fields, 'watched') === true || booleanOf(fields, 'completed') === true
  if (positionMs === undefined && !watched) {
    throw new RowRejected('positionMs', 'is missing', 'Give the row a positionMs or positionSeconds, or watched=true.')
  }
  const facts = factsOf(fields)
  return {
    profileId: idOf(fields, 'profileId'),
    titleId: idOf(fields, 'titleId'),
    updatedAtMs: timeOf(fields, 'updatedAt', rules),
    watched,
    ...(deviceId !== undefined && { deviceId }),
    ...(positionMs !== undefined && { positionMs }),
    // Other systems write 0 where they don't know.
    ...(durationMs !== undefined && durationMs > 0 && { durationMs }),
    ...(facts !== undefined && { facts }),
  }
}

function factsOf(fields: Fields): TitleFacts | undefined {
  const contentType = optionalId(fields, 'contentType') ?? null
  if (contentType !== null && contentType.length > CONTENT_TYPE_CHARS_MAX) {
    throw new RowRejected('contentType', 'is too long', `Wanted: at most ${CONTENT_TYPE_CHARS_MAX} characters.`)
  }
  const facts = {
    contentType,
    durationMs: null,
    creditsStartMs: wholeNumberOf(fields, 'creditsStartMs', MEDIA_MS_MAX) ?? null,
    seriesId: optionalId(fields, 'seriesId') ?? null,
    season: wholeNumberOf(fields, 'season', INT_MAX) ?? null,
    episode: wholeNumberOf(fields, 'episode', INT_MAX) ?? null,
  }
  return Object.values(facts).some((value) => value !== null) ? facts : undefined
}

async function progressRecords(ports: ImportPorts, run: ImportRun, rows: readonly ImportedProgress[]) {
  const known = await ports.factsOf([...new Set(rows.map(({ titleId }) => titleId))])
  const withDevice = rows.flatMap((row) => (row.deviceId === undefined ? [] : [{ row, deviceId: row.deviceId }]))
  const sealed = await ports.sealer.seal(
    withDevice.map(({ row, deviceId }) => ({ profileId: row.profileId, personal: plain(deviceId) })),
  )
  const personalOf = new Map(withDevice.map(({ row }, index) => [row, sealed[index]]))
  return rows.flatMap((row) => {
    const facts = merged(row.facts, known.get(row.titleId)) ?? null
    const events = progressEvents(run, row, { facts, personal: personalOf.get(row) ?? null })
    return events.map((event) => toRecord(ports.codec, event))
  })
}

function plain(deviceId: string): Personal {
  return { accountId: null, deviceId, userAgent: null, address: null, custom: {}, sealed: null }
}

/** What the file says of a title goes before what the catalogue says. */
function merged(said: TitleFacts | undefined, known: TitleFacts | undefined): TitleFacts | undefined {
  if (said === undefined || known === undefined) return said ?? known
  return {
    contentType: said.contentType ?? known.contentType,
    durationMs: said.durationMs ?? known.durationMs,
    creditsStartMs: said.creditsStartMs ?? known.creditsStartMs,
    seriesId: said.seriesId ?? known.seriesId,
    season: said.season ?? known.season,
    episode: said.episode ?? known.episode,
  }
}
