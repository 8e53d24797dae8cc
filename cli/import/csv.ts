/** One CSV record (RFC 4180) into its fields. */
import { IMPORT_LIMITS } from './limits.ts'

export type CsvFields =
  | { readonly ok: true; readonly fields: readonly string[] }
  | { readonly ok: false; readonly problem: string }

export function csvFields(text: string, delimiter: string): CsvFields {
  if (!text.includes('"')) return bounded(text.split(delimiter))
  const fields: string[] = []
  let at = 0
  for (;;) {
    if (text[at] === '"') {
      const closed = closingQuote(text, at + 1)
      if (closed < 0) return { ok: false, problem: 'a quote is opened and never closed' }
      fields.push(text.slice(at + 1, closed).replaceAll('""', '"'))
      at = closed + 1
      if (at < text.length && text[at] !== delimiter) return { ok: false, problem: 'text follows a closing quote' }
    } else {
      const next = text.indexOf(delimiter, at)
      const end = next < 0 ? text.length : next
      fields.push(text.slice(at, end))
      at = end
    }
    if (at >= text.length) return bounded(fields)
    at++
  }
}

function closingQuote(text: string, from: number): number {
  let at = text.indexOf('"', from)
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2)
  return at
}

function bounded(fields: readonly string[]): CsvFields {
  if (fields.length <= IMPORT_LIMITS.columnsMax) return { ok: true, fields }
  return { ok: false, problem: `has ${fields.length} fields; at most ${IMPORT_LIMITS.columnsMax} are read` }
}

/** What a header separates its names by: the most frequent of comma, semicolon and tab. */
export function delimiterOf(header: string): string {
  const counts = [',', ';', '\t'].map((d) => [d, header.split(d).length] as const)
  return counts.reduce((best, next) => (next[1] > best[1] ? next : best))[0]
}
