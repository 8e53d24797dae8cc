/**
 * Rows by our names, whatever the file calls them: from a CSV header or an NDJSON object, through --map, and without
 * regard to case, dashes and underscores (profile_id is profileId). What we have no name for is left out and told once.
 */
import { nearest } from '../../schemas/index.ts'
import { UsageError } from '../args.ts'
import { csvFields } from './csv.ts'
import { problemAt, type RowProblem } from './problem.ts'
import type { SourceRecord } from './records.ts'

export type Format = 'csv' | 'ndjson'
export type Fields = ReadonlyMap<string, unknown>
export type RowRead =
  | { readonly ok: true; readonly fields: Fields }
  | { readonly ok: false; readonly problem: RowProblem }

export interface RowReader {
  read(record: SourceRecord): RowRead
}

/** Undefined: a line that says nothing, such as a comment. */
export interface LineReader {
  read(record: SourceRecord): RowRead | undefined
}

export interface Names {
  /** Our name for theirs; undefined: we have none. */
  ours(theirs: string): string | undefined
  /** Names of the file that are left out, as far as they were seen. */
  readonly unknown: ReadonlySet<string>
}

/** `known` are our names; one that ends in a dot takes any name that begins so (`externalIds.imdb`). */
export function namesOf(known: readonly string[], maps: readonly string[], command: string): Names {
  const bySimple = new Map(known.filter((name) => !name.endsWith('.')).map((name) => [simple(name), name]))
  const prefixes = known.filter((name) => name.endsWith('.'))
  const mapped = new Map(maps.map((text) => mapping(text, known, prefixes, command)))
  const unknown = new Set<string>()
  const find = (theirs: string): string | undefined =>
    mapped.get(theirs) ?? bySimple.get(simple(theirs)) ?? prefixed(theirs, prefixes)
  return {
    unknown,
    ours: (theirs) => {
      const found = find(theirs)
      if (found === undefined && unknown.size < 100) unknown.add(theirs)
      return found
    },
  }
}

function mapping(text: string, known: readonly string[], prefixes: readonly string[], command: string) {
  const at = text.lastIndexOf('=')
  const [theirs, ours] = [text.slice(0, at).trim(), text.slice(at + 1).trim()]
  if (at <= 0 || ours === '') throw new UsageError(`--map: "${text}" is not theirName=ourName.`, command)
  if (known.includes(ours) || prefixed(ours, prefixes) !== undefined) return [theirs, ours] as const
  const near = nearest(ours, known)
  const hint = near === undefined ? ` Ours are: ${known.join(', ')}.` : ` Did you mean ${near}?`
  throw new UsageError(`--map: there is no field "${ours}".${hint}`, command)
}

function simple(name: string): string {
  return name.replace(/[\s_-]/g, '').toLowerCase()
}

function prefixed(name: string, prefixes: readonly string[]): string | undefined {
  return prefixes.some((prefix) => name.startsWith(prefix) && name.length > prefix.length) ? name : undefined
}

/** Throws UsageError for a header that can't be meant: a name twice, one of `needed` absent. */
export function csvReader(
  header: SourceRecord,
  delimiter: string,
  names: Names,
  needed: readonly (readonly string[])[],
  command: string,
): RowReader {
  const parsed = csvFields(header.text ?? '', delimiter)
  if (!parsed.ok) throw new UsageError(`The header ${parsed.problem}.`, command)
  const columns = parsed.fields.map((name) => names.ours(name.trim()))
  for (const [index, name] of columns.entries()) {
    if (name !== undefined && columns.indexOf(name) !== index) {
      throw new UsageError(`Two columns of the header mean ${name}: rename one.`, command)
    }
  }
  for (const choice of needed) {
    if (choice.some((name) => columns.includes(name))) continue
    throw new UsageError(
      `The header has no column ${choice.join(' or ')} (it has ${parsed.fields.join(', ')}). Name it with --map theirs=${choice[0]}.`,
      command,
    )
  }
  return { read: (record) => readCsv(record, delimiter, columns) }
}

function readCsv(record: SourceRecord, delimiter: string, columns: readonly (string | undefined)[]): RowRead {
  if (record.text === undefined) return whole(record.problem ?? 'can not be read')
  const parsed = csvFields(record.text, delimiter)
  if (!parsed.ok) return whole(parsed.problem)
  if (parsed.fields.length !== columns.length) {
    return whole(
      `has ${parsed.fields.length} fields and the header ${columns.length}`,
      'Put quotes around a field that holds the separator.',
    )
  }
  const fields = new Map<string, unknown>()
  for (const [index, name] of columns.entries()) {
    const value = parsed.fields[index]!
    // An empty field is an absent one: CSV has no other way to say so.
    if (name !== undefined && value !== '') fields.set(name, value)
  }
  return { ok: true, fields }
}

export function ndjsonReader(names: Names): RowReader {
  return {
    read: (record) => {
      if (record.text === undefined) return whole(record.problem ?? 'can not be read')
      let parsed: unknown
      try {
        parsed = JSON.parse(record.text)
      } catch {
        return whole('is no JSON', 'Each line must be one JSON object.')
      }
      if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return whole('is no JSON object')
      const fields = new Map<string, unknown>()
      for (const [theirs, value] of Object.entries(parsed)) {
        const name = names.ours(theirs)
        if (name === undefined || value === null) continue
        if (fields.has(name)) return { ok: false, problem: problemAt(name, 'is there twice', 'Leave one out.') }
        fields.set(name, value)
      }
      return { ok: true, fields }
    },
  }
}

function whole(problem: string, remedy = 'Correct the line and import it again.'): RowRead {
  return { ok: false, problem: problemAt('', problem, remedy) }
}
