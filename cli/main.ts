#!/usr/bin/env node
/**
 * The `playhead` command. Exit codes: 0 fine · 1 failed · 2 not a command or a flag · 78 a setting is wrong · 130
 * interrupted twice.
 */
import { nearest } from '../schemas/index.ts'
import { parseArgs, UsageError } from './args.ts'
import { EXIT_INCURABLE } from './backoff.ts'
import { columns, helpOf, type Io } from './command.ts'
import { COMMANDS } from './commands.ts'
import { isIncurable } from './incurable.ts'
import { VERSION } from './version.ts'

const NAMES = Object.keys(COMMANDS)

async function main(words: readonly string[], io: Io): Promise<number> {
  const [first = '', second = ''] = words
  if (first === '' || first === 'help' || first === '--help' || first === '-h') {
    const about = first === 'help' ? words.slice(1).join(' ') : ''
    return about === '' ? say(io, overview(NAMES)) : await main([...about.split(' '), '--help'], io)
  }
  if (first === '--version' || first === 'version') return say(io, VERSION)
  const name = [`${first} ${second}`, first].find((candidate) => COMMANDS[candidate] !== undefined)
  const entry = COMMANDS[name ?? '']
  if (name === undefined || entry === undefined) return unknown(first, second, io)
  const command = await entry.load()
  const args = parseArgs(command, words.slice(name.split(' ').length))
  if (args.has('help')) return say(io, helpOf(command, entry.summary))
  return await command.run(args, io)
}

function unknown(first: string, second: string, io: Io): number {
  const group = NAMES.filter((name) => name.startsWith(`${first} `))
  if (group.length > 0 && (second === '' || second === '--help' || second === '-h')) {
    io.err(overview(group))
    return second === '' ? 2 : 0
  }
  const typed = group.length > 0 ? `${first} ${second}` : first
  const near = nearest(
    typed,
    group.length > 0 ? group : [...NAMES, ...new Set(NAMES.map((name) => name.split(' ')[0]!))],
  )
  io.err(
    `playhead: there is no command "${typed}".${near === undefined ? '' : ` Did you mean \`playhead ${near}\`?`}\n`,
  )
  io.err('`playhead --help` lists the commands.\n')
  return 2
}

function overview(names: readonly string[]): string {
  const rows = names.map((name) => [name, COMMANDS[name]?.summary ?? ''] as const)
  return [
    `Playhead ${VERSION}: streaming analytics and watch progress from one event log.`,
    '',
    'Usage: playhead COMMAND [flags]',
    '',
    columns(rows),
    '',
    'Start with `playhead up`. `playhead COMMAND --help` explains a command; settings are variables: `playhead config --help`.',
    '',
  ].join('\n')
}

function say(io: Io, text: string): number {
  io.out(text.endsWith('\n') ? text : `${text}\n`)
  return 0
}

function failed(error: unknown, io: Io): number {
  if (error instanceof UsageError) {
    io.err(`playhead: ${error.message}\n`)
    if (error.command !== undefined) io.err(`\`playhead ${error.command} --help\` shows how.\n`)
    return 2
  }
  if (isIncurable(error)) {
    io.err(`playhead: ${error.message}\n`)
    return EXIT_INCURABLE
  }
  const known = error instanceof Error && 'code' in error
  io.err(
    `playhead: ${known || !(error instanceof Error) ? String((error as Error).message) : (error.stack ?? error.message)}\n`,
  )
  return 1
}

const io: Io = {
  env: process.env,
  tty: process.stdout.isTTY === true,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
}
// `playhead log tail | head` closes our output early: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})
const code = await main(process.argv.slice(2), io).catch((error: unknown) => failed(error, io))
// Not before all output is out; and then even if something lingers, such as the channel to a supervisor.
process.stdout.write('', () => process.exit(code))
