/** What a command is, and the help made from it. */
import type { Args, CommandShape } from './args.ts'
import type { Env } from './config.ts'

/** The world as a command sees it. */
export interface Io {
  readonly env: Env
  readonly tty: boolean
  out(text: string): void
  err(text: string): void
}

export interface Command extends CommandShape {
  /** Paragraphs that teach; the summary stands in the list of commands. */
  readonly about: string
  readonly examples?: readonly string[]
  /** Answers the exit code. */
  run(args: Args, io: Io): Promise<number>
}

export const JSON_FLAG = { name: 'json', help: 'Print data as JSON, for other programs.' } as const

export function helpOf(command: Command, summary: string): string {
  const flags = [...(command.flags ?? []), { name: 'help', help: 'This text.' }]
  const words = (command.positionals ?? []).map((p) => {
    const word = p.many === true ? `${p.name}…` : p.name
    return p.optional === true ? `[${word}]` : word
  })
  const usage = ['playhead', command.name, ...words, '[flags]'].join(' ')
  const rows = flags.map(
    (f) => [`--${f.name}${'value' in f && f.value !== undefined ? ` ${f.value}` : ''}`, f.help] as const,
  )
  const examples = (command.examples ?? []).map((example) => `  ${example}`)
  return [
    summary,
    '',
    `Usage: ${usage}`,
    '',
    command.about,
    '',
    'Flags:',
    columns(rows),
    ...(examples.length === 0 ? [] : ['', 'For example:', ...examples]),
    '',
  ].join('\n')
}

export function columns(rows: readonly (readonly [string, string])[], indent = '  '): string {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `${indent}${left.padEnd(width)}  ${right}`).join('\n')
}

/** A table with its columns aligned; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const numeric = head.map((_, i) => rows.length > 0 && rows.every((row) => /^[\d.,-]*%?$/.test(row[i] ?? '')))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (numeric[i] === true ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
  return [line(head), ...rows.map(line)].join('\n')
}
