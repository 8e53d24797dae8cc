/**
 * Apache's and nginx's combined log format, and what people put behind it: name=value or name="value". Before it may
 * stand the virtual host. Quotes within quotes are \" (Apache) or \x22 (nginx).
 */
import type { LineReader } from '../import/rows.ts'
import { LineFields, type LogNames } from './names.ts'
import { refused, unreadable } from './readers.ts'

const QUOTED = '"((?:[^"\\\\]|\\\\.)*)"'
/** [vhost] address identity user [time] "request" status bytes "referer" "user agent" rest; common has no quotes behind. */
const LINE = new RegExp(
  `^(?:(\\S+) )?(?:\\S+) (?:\\S+) (?:\\S+|${QUOTED}) \\[([^\\]]+)\\] ${QUOTED} (\\S+) (\\S+)(?: ${QUOTED} ${QUOTED})?(.*)$`,
)
const PAIR = new RegExp(`([A-Za-z][\\w.-]*)=(?:${QUOTED}|(\\S+))`, 'g')
/** Without this word there is no CMCD in it, whatever its fields mean. */
const WORD = /cmcd/i

export function combinedLines(names: LogNames): LineReader {
  return {
    read: (record) => {
      const { text } = record
      if (text === undefined) return unreadable(record)
      const match = LINE.exec(text)
      if (match === null) return refused('is no line of the combined format', 'Say --format if the log is another.')
      if (!names.mapsCmcd && !WORD.test(text)) return { ok: true, fields: NONE }
      const [, host, , time, request, status, bytes, , , rest = ''] = match
      const line = new LineFields(names)
      for (const [, name = '', quoted, bare] of rest.matchAll(PAIR)) line.add(name, unescaped(quoted ?? bare ?? ''))
      const { fields } = line
      fields.set('time', time)
      fields.set('request', unescaped(request ?? ''))
      fields.set('status', status)
      if (bytes !== '-') fields.set('bytes', bytes)
      if (host !== undefined && !fields.has('host')) fields.set('host', host.replace(/:\d+$/, ''))
      return { ok: true, fields }
    },
  }
}

const NONE: ReadonlyMap<string, unknown> = new Map()

/** nginx writes a byte as \xXX, and so each byte of a character that is no ASCII; Apache also \" and \\. */
function unescaped(text: string): string {
  if (!text.includes('\\')) return text
  return text.replaceAll(/((?:\\x[0-9a-fA-F]{2})+)|\\(.)/g, (_, bytes: string | undefined, one: string | undefined) =>
    bytes === undefined ? (one ?? '') : Buffer.from(bytes.replaceAll('\\x', ''), 'hex').toString(),
  )
}
