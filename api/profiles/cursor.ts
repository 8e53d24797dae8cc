/** Where an export goes on, as text that a caller sends back. It holds no right: what it reaches is checked again. */
import { fieldProblem } from '../validation.ts'
import { PROFILE_LIMITS } from './limits.ts'
import { isRangeTopic, type Range } from './scan.ts'

export interface ExportCursor {
  /** Of the log that the positions are of. */
  readonly incarnation: string
  readonly ranges: readonly Range[]
}

export function cursorText({ incarnation, ranges }: ExportCursor): string {
  const parts = ranges.map(({ topic, partition, from, to }) => [topic, partition, String(from), String(to)])
  return Buffer.from(JSON.stringify([incarnation, ...parts])).toString('base64url')
}

/** Throws the Problem for a cursor that is not of this log. */
export function parseCursor(text: string, incarnation: string): ExportCursor {
  const parsed = text.length > PROFILE_LIMITS.cursorCharsMax ? undefined : parse(text)
  if (parsed === undefined) throw unusable('is no cursor', 'Send the "next" of the former answer as it was.')
  if (parsed.incarnation !== incarnation) {
    throw unusable('is of another log', 'The log was replaced since: begin the export anew.')
  }
  return parsed
}

function parse(text: string): ExportCursor | undefined {
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    return undefined
  }
  if (!Array.isArray(json)) return undefined
  const [incarnation, ...parts] = json as readonly unknown[]
  const ranges = parts.map(rangeOf)
  if (typeof incarnation !== 'string' || ranges.length === 0) return undefined
  return ranges.every((range) => range !== undefined) ? { incarnation, ranges } : undefined
}

function rangeOf(part: unknown): Range | undefined {
  if (!Array.isArray(part)) return undefined
  const [topic, partition, from, to] = part as readonly unknown[]
  if (typeof topic !== 'string' || !isRangeTopic(topic) || !Number.isInteger(partition)) return undefined
  if (typeof from !== 'string' || typeof to !== 'string' || !/^\d{1,18}$/.test(from) || !/^\d{1,18}$/.test(to))
    return undefined
  const range = { topic, partition: partition as number, from: BigInt(from), to: BigInt(to) }
  return range.from < range.to ? range : undefined
}

function unusable(problem: string, remedy: string): Error {
  return fieldProblem({ field: 'cursor', problem, remedy }, 'query')
}
