/** From a line to its fields: lines of JSON, and lines of values between tabs whose names stand before them. */
import { problemAt } from '../import/problem.ts'
import type { SourceRecord } from '../import/records.ts'
import type { LineReader, RowRead } from '../import/rows.ts'
import { INGEST_LIMITS } from './limits.ts'
import { LineFields, type LogNames } from './names.ts'

export function refused(problem: string, remedy: string): RowRead {
  return { ok: false, problem: problemAt('', problem, remedy) }
}

export function unreadable(record: SourceRecord): RowRead {
  return refused(record.problem ?? 'can not be read', 'Correct the line and read the file again.')
}

export function jsonLines(names: LogNames): LineReader {
  return {
    read: (record) => {
      if (record.text === undefined) return unreadable(record)
      let parsed: unknown
      try {
        parsed = JSON.parse(record.text)
      } catch {
        return refused('is no JSON', 'Each line must be one JSON object; or say --format.')
      }
      if (!isObject(parsed)) return refused('is no JSON object', 'Each line must be one JSON object; or say --format.')
      const line = new LineFields(names)
      addAll(line, parsed, '', 1)
      return { ok: true, fields: withDate(line.fields, parsed) }
    },
  }
}

/** What lies deeper is named by its path: `httpRequest.requestUrl`, `cmcd.br`. */
function addAll(line: LineFields, object: Readonly<Record<string, unknown>>, before: string, depth: number): void {
  for (const [name, value] of Object.entries(object)) {
    if (!isObject(value)) line.add(before + name, value)
    else if (depth < INGEST_LIMITS.depthMax) addAll(line, value, `${before}${name}.`, depth + 1)
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** CloudFront says day and time in two fields, both UTC. */
function withDate(fields: Map<string, unknown>, said: Readonly<Record<string, unknown>>): Map<string, unknown> {
  const { date, time } = said
  const isDay = typeof date === 'string' && /^\d{4}-\d\d-\d\d$/.test(date)
  const isTime = typeof time === 'string' && /^\d\d:\d\d:\d\d/.test(time)
  // A field that has both (timestamp) is finer.
  const finer = fields.has('time') && fields.get('time') !== time
  if (isDay && isTime && !finer) fields.set('time', `${date}T${time}Z`)
  return fields
}

const FIELDS = '#Fields:'

/** `columns` until a line `#Fields: …` says others. */
export function tabbedLines(names: LogNames, columns: readonly string[] | undefined): LineReader {
  let now = columns
  return {
    read: (record) => {
      const { text } = record
      if (text === undefined) return unreadable(record)
      if (text.startsWith('#')) {
        now = columnsOf(text) ?? now
        return undefined
      }
      if (now === undefined)
        return refused('has no names', 'No #Fields line stands before it: name them with --fields.')
      const values = text.split('\t')
      if (values.length !== now.length) {
        return refused(`has ${values.length} fields and not ${now.length}`, 'Check the #Fields line, or --fields.')
      }
      const line = new LineFields(names)
      for (const [i, name] of now.entries()) line.add(name, values[i])
      const [date, time] = [values[now.indexOf('date')], values[now.indexOf('time')]]
      return { ok: true, fields: withDate(line.fields, { date, time }) }
    },
  }
}

/** The names in a line `#Fields: …`. */
export function columnsOf(text: string): readonly string[] | undefined {
  return text.startsWith(FIELDS) ? text.slice(FIELDS.length).trim().split(/\s+/) : undefined
}
