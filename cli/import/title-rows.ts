/** Rows of `playhead import titles`: the fields of TitleRegistered; CSV writes lists with | and maps as columns. */
import { type ImportedTitle, titleEvent } from '../../producers/import.ts'
import { toRecord } from '../../producers/record.ts'
import type { EventCodec } from '../../schemas/index.ts'
import type { ImportKind } from './kind.ts'
import { RowRejected } from './problem.ts'
import type { Fields } from './rows.ts'
import { durationOf, idOf, numberOf, optionalId, type TimeRules, timeOf } from './values.ts'

const LISTS = [
  'genres',
  'cast',
  'directors',
  'regionsAvailable',
  'regionsBlocked',
  'audioLanguages',
  'textLanguages',
] as const
const MAPS = ['images', 'externalIds', 'manifests'] as const
const TEXTS = ['kind', 'name', 'description', 'rating'] as const
const NUMBERS = ['season', 'episode', 'releaseYear'] as const
const MEDIA_MS_MAX = 366 * 24 * 3_600_000

export const TITLE_FIELDS = [
  'titleId',
  ...TEXTS,
  'durationMs',
  'durationSeconds',
  'creditsStartMs',
  'creditsStartSeconds',
  'seriesId',
  ...NUMBERS,
  ...LISTS,
  ...MAPS,
  ...MAPS.map((name) => `${name}.`),
  'updatedAt',
] as const

interface TitleRow {
  readonly title: ImportedTitle
  /** Without it: when it is imported. */
  readonly updatedAtMs: number | undefined
}

export function titlesImport(codec: EventCodec): ImportKind<TitleRow> {
  return {
    name: 'titles',
    fields: TITLE_FIELDS,
    needed: [['titleId'], ['name']],
    row: (fields, rules) => titleRow(fields, rules, codec),
    records: async ({ codec }, run, rows) =>
      rows.map(({ title, updatedAtMs }) => toRecord(codec, titleEvent(run, title, updatedAtMs, run.runId))),
  }
}

function titleRow(fields: Fields, rules: TimeRules, codec: EventCodec): TitleRow {
  const json: Record<string, unknown> = { titleId: idOf(fields, 'titleId') }
  const set = (name: string, value: unknown) => {
    if (value !== undefined) json[name] = value
  }
  for (const name of TEXTS) set(name, fields.get(name))
  for (const name of NUMBERS) set(name, numberOf(fields, name))
  for (const name of LISTS) set(name, listOf(fields, name))
  for (const name of MAPS) set(name, mapOf(fields, name))
  set('durationMs', durationOf(fields, 'duration', MEDIA_MS_MAX))
  set('creditsStartMs', durationOf(fields, 'creditsStart', MEDIA_MS_MAX))
  set('seriesId', optionalId(fields, 'seriesId'))
  const checked = codec.validate('TitleRegistered', json, { without: ['meta', 'by'] })
  if (!checked.ok) throw new RowRejected(checked.field, checked.problem, checked.remedy)
  const updatedAtMs = fields.has('updatedAt') ? timeOf(fields, 'updatedAt', rules) : undefined
  return { title: checked.event, updatedAtMs }
}

function listOf(fields: Fields, name: string): unknown {
  const value = fields.get(name)
  if (typeof value !== 'string') return value
  return value
    .split('|')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** A column of its own for each entry (`externalIds.imdb`), or the whole map as JSON. */
function mapOf(fields: Fields, name: string): unknown {
  const value = fields.get(name)
  const entries = [...fields].filter(([key]) => key.startsWith(`${name}.`))
  const given = typeof value === 'string' ? parsedMap(name, value) : value
  if (entries.length === 0) return given
  if (given !== undefined && !isMap(given)) return given
  return { ...given, ...Object.fromEntries(entries.map(([key, item]) => [key.slice(name.length + 1), item])) }
}

function parsedMap(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new RowRejected(name, 'is no JSON object', `Use one column for each entry, such as ${name}.key.`)
  }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
