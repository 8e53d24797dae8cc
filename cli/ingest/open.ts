/** Which format a log has, by how it begins, and the reader of its lines. */
import { UsageError } from '../args.ts'
import { RecordCutter, type SourceRecord } from '../import/records.ts'
import type { LineReader } from '../import/rows.ts'
import type { Opened } from '../import/run.ts'
import { combinedLines } from './combined.ts'
import { LogNames } from './names.ts'
import { FORMATS, type LogFormat, PRESETS } from './presets.ts'
import { columnsOf, jsonLines, tabbedLines } from './readers.ts'

export interface FormatWish {
  /** Undefined: by how the log begins. */
  readonly format: LogFormat | undefined
  /** Names of the values between tabs, where no #Fields line says them. */
  readonly columns: readonly string[] | undefined
  readonly maps: readonly string[]
  readonly command: string
}

export interface OpenedLog extends Opened {
  readonly format: LogFormat
  readonly reader: LineReader
}

export function logFormatOf(given: string | undefined, command: string): LogFormat | undefined {
  if (given === undefined) return undefined
  const format = FORMATS.find((one) => one === given)
  if (format !== undefined) return format
  throw new UsageError(`--format: "${given}" is none of ${FORMATS.join(', ')}.`, command)
}

/** `same` is what must not change when the log is gone on with, beside the format itself. */
export function openLog(head: Buffer, { format: given, columns, maps, command }: FormatWish, same: object): OpenedLog {
  const lines = linesOf(head)
  const format = given ?? (columns === undefined ? guessed(lines) : 'cloudfront')
  const names = new LogNames(PRESETS[format], maps, command)
  const first = columns ?? lines.map(columnsOf).find((found) => found !== undefined)
  const reader = readerOf(format, lines, names, first)
  // Not the format that was guessed: a log that was empty then had no looks.
  const settings = JSON.stringify({ format: given ?? 'by its looks', columns, maps: [...maps].sort(), ...same })
  return { format, reader, cut: { offset: 0, line: 1 }, settings, unknown: names.unknown }
}

function linesOf(head: Buffer): readonly string[] {
  const records: SourceRecord[] = new RecordCutter({}).push(head)
  const lines = records.flatMap(({ text }) => (text === undefined || text.trim() === '' ? [] : [text]))
  // One line without its end, or one that is longer than the head.
  return lines.length > 0 ? lines : [head.toString()]
}

function guessed(lines: readonly string[]): LogFormat {
  const [first = ''] = lines
  if (first.startsWith('#')) return 'cloudfront'
  if (!first.startsWith('{')) return 'combined'
  if (/"reqTimeSec"\s*:/.test(first)) return 'akamai'
  if (/"(cs-uri-stem|x-edge-location)"\s*:/.test(first)) return 'cloudfront'
  if (/"(response_state|fastly_server|fastly_info_state|fastly_is_edge)"\s*:/.test(first)) return 'fastly'
  return 'json'
}

function readerOf(
  format: LogFormat,
  lines: readonly string[],
  names: LogNames,
  columns: readonly string[] | undefined,
): LineReader {
  if (format === 'combined') return combinedLines(names)
  // CloudFront writes either, as the delivery is set up.
  const isJson = lines[0]?.startsWith('{') === true
  return format === 'cloudfront' && !isJson ? tabbedLines(names, columns) : jsonLines(names)
}
