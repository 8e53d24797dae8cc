/**
 * One log stream of many processes. Roles write JSON lines; to a person at a terminal each is shown as one readable
 * line with its role in front, to anything else it is passed on as it came, its role inside.
 */
import { CLI_LIMITS } from './limits.ts'

export interface LogLine {
  readonly level: number
  readonly time: number
  readonly role: string
  readonly msg: string
  readonly [field: string]: unknown
}

export const LEVELS: Readonly<Record<string, number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
}
const WORDS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
}
const HIDDEN = new Set(['level', 'time', 'role', 'msg', 'pid', 'hostname'])

/** Cuts a byte stream into lines; a line without end is passed on in pieces, so that nothing grows. */
export function lineSplitter(emit: (line: string) => void): { push(chunk: string): void; end(): void } {
  let rest = ''
  return {
    push: (chunk) => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line !== '') emit(line)
      if (rest.length > CLI_LIMITS.logLineCharsMax) {
        emit(rest)
        rest = ''
      }
    },
    end: () => {
      if (rest !== '') emit(rest)
      rest = ''
    },
  }
}

/** What a child wrote, as a log line: JSON as it is, anything else (a crash's stack) as its message. */
export function readLine(role: string, line: string, nowMs: number): LogLine {
  if (line.startsWith('{')) {
    try {
      const fields = JSON.parse(line) as Partial<LogLine>
      if (typeof fields.level === 'number' && typeof fields.msg === 'string') {
        return { ...fields, role, level: fields.level, msg: fields.msg, time: fields.time ?? nowMs }
      }
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
  }
  return { level: 50, time: nowMs, role, msg: line }
}

export function toJson(line: LogLine): string {
  return JSON.stringify(line)
}

export function toText(line: LogLine, colours: boolean): string {
  const paint = (code: string, text: string) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text)
  const at = new Date(line.time).toISOString().slice(11, 23)
  const word = (WORDS[line.level] ?? String(line.level)).padEnd(5)
  const code = line.level >= 50 ? '31' : line.level >= 40 ? '33' : line.level >= 30 ? '32' : '90'
  const fields = Object.entries(line)
    .filter(([name, value]) => !HIDDEN.has(name) && value !== undefined)
    .map(([name, value]) => fieldText(name, value))
  const tail = fields.length === 0 ? '' : ` ${paint('90', fields.join(' '))}`
  return `${paint('90', at)} ${paint('36', line.role.padEnd(9))} ${paint(code, word)} ${line.msg}${tail}`
}

function fieldText(name: string, value: unknown): string {
  if (typeof value === 'object' && value !== null && 'stack' in value) return `${name}=\n${String(value.stack)}`
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return `${name}=${text}`
}
