/** `playhead dead-letters …`: events that could not be folded, and what is done about them. */
import { readFileSync } from 'node:fs'
import type { EventCodec, NewEvent } from '../../schemas/index.ts'
import { type Args, UsageError } from '../args.ts'
import { type Command, JSON_FLAG, table } from '../command.ts'
import { toJson } from '../json.ts'
import { inReplay, whoAsks } from '../replay/command.ts'
import { discardLetter, type Letter, letterAt, lettersOf, nameOf, recordOf, replayLetter } from '../replay/letters.ts'
import { CAUSES, groupsOf, isCause, mendedEvent, shownLetter } from '../replay/letters-shown.ts'
import { REPLAY_LIMITS } from '../replay/limits.ts'
import type { OpenReplay } from '../replay/open.ts'
import { Refused } from '../replay/operator.ts'

const WHICH = [
  { name: 'projection', value: 'NAME', help: 'Only of this projection.' },
  { name: 'cause', value: 'CAUSE', help: `Only of this cause: ${CAUSES.join(', ')}.` },
  { name: 'since', value: 'TIME', help: 'Only of records received since: RFC 3339.' },
  { name: 'until', value: 'TIME', help: 'Only of records received until.' },
] as const
const LETTER = { name: 'LETTER', optional: true } as const

export const list: Command = {
  name: 'dead-letters',
  about: `A projection parks an event that it can't decode or fold, and goes on: nothing is lost, and nothing else waits for it.
They are grouped by cause; --each lists them one by one. Causes: frame (no event of ours), unknown-schema (no schema of
that id), body (the bytes don't fit their schema), fold (the fold refused it: a fault of ours, or of the event).`,
  flags: [
    ...WHICH,
    { name: 'each', help: 'Each by itself.' },
    { name: 'all', help: 'Those that are settled, too.' },
    JSON_FLAG,
  ],
  examples: ['playhead dead-letters', 'playhead dead-letters --projection views --cause fold --each'],
  run: (args, io) =>
    inReplay(io, 'dead-letters', async (replay) => {
      const found: Letter[] = []
      for await (const letter of lettersOf(replay, wantedOf(args))) found.push(letter)
      if (args.has('json')) io.out(`${toJson(found.map(shownLetter), 2)}\n`)
      else if (found.length === 0) io.out('None: everything could be folded.\n')
      else io.out(`${args.has('each') ? eachOf(found) : grouped(found)}\n`)
      return 0
    }),
}

export const show: Command = {
  name: 'dead-letters show',
  about: 'A letter, decoded as far as that goes, and its bytes as hex. --json prints what `replay --edit` takes.',
  positionals: [{ name: 'LETTER' }],
  flags: [JSON_FLAG],
  examples: ['playhead dead-letters show views:playback-events/3@1234'],
  run: (args, io) =>
    inReplay(io, 'dead-letters show', async (replay) => {
      const letter = await letterAt(replay, args.positional('LETTER')!)
      const record = await recordOf(replay, letter)
      const value = record?.value ?? letter.value
      const decoded = replay.codec.decode(value)
      const event = decoded.ok ? decoded.event : undefined
      if (args.has('json')) io.out(`${toJson(event ?? { ...shownLetter(letter), hex: value.toString('hex') }, 2)}\n`)
      else
        io.out(
          `${toJson(shownLetter(letter), 2)}\n${event === undefined ? '' : `${toJson(event, 2)}\n`}${hexOf(value)}`,
        )
      return 0
    }),
}

export const replay: Command = {
  name: 'dead-letters replay',
  about: `Sends letters again: one, or all that fit the flags. A record with a new event id goes behind the others of its key, with
the original inside; only the projection that parked it takes it. No checkpoint moves, and a letter that was replayed
already changes nothing. With --edit the letter is replaced by what FILE says: an event as JSON, as \`show --json\` prints it.`,
  positionals: [LETTER],
  flags: [
    ...WHICH,
    { name: 'all', help: 'All that fit the other flags.' },
    { name: 'edit', value: 'FILE', help: 'What the one letter should have said; - reads standard input.' },
    { name: 'reason', value: 'TEXT', help: 'Kept with the event that says so.' },
  ],
  examples: [
    'playhead dead-letters replay --all --projection views --cause fold --reason "fixed in 1.4"',
    'playhead dead-letters replay views:playback-events/3@1234 --edit mended.json',
  ],
  run: (args, io) =>
    inReplay(io, 'dead-letters replay', async (opened) => {
      const letters = await chosen(opened, args, 'dead-letters replay')
      const file = args.value('edit')
      if (file !== undefined && args.positional('LETTER') === undefined) {
        throw new UsageError('--edit mends one letter: name it.', 'dead-letters replay')
      }
      const mended = file === undefined ? undefined : mendedFrom(opened.codec, file)
      for (const letter of letters) await replayLetter(opened, letter, mended, whoAsks(args))
      io.out(`${letters.length} replayed.\n`)
      return 0
    }),
}

export const discard: Command = {
  name: 'dead-letters discard',
  about: 'Gives letters up, for good, with a reason that is kept. The records stay in the log.',
  positionals: [LETTER],
  flags: [
    ...WHICH,
    { name: 'all', help: 'All that fit the other flags.' },
    { name: 'reason', value: 'TEXT', help: 'Why; it has to be said.' },
  ],
  run: (args, io) =>
    inReplay(io, 'dead-letters discard', async (opened) => {
      if ((args.value('reason') ?? '') === '') throw new UsageError('--reason has to be said.', 'dead-letters discard')
      const letters = await chosen(opened, args, 'dead-letters discard')
      for (const letter of letters) await discardLetter(opened, letter, whoAsks(args))
      io.out(`${letters.length} discarded.\n`)
      return 0
    }),
}

async function chosen(opened: OpenReplay, args: Args, command: string): Promise<readonly Letter[]> {
  const name = args.positional('LETTER')
  if (name !== undefined) return [await letterAt(opened, name)]
  if (!args.has('all')) throw new UsageError('Name a letter, or say --all with what they have in common.', command)
  const found: Letter[] = []
  for await (const letter of lettersOf(opened, { ...wantedOf(args), all: false })) found.push(letter)
  return found
}

function wantedOf(args: Args) {
  const cause = args.value('cause')
  if (cause !== undefined && !isCause(cause)) {
    throw new UsageError(`--cause ${cause}: there are ${CAUSES.join(', ')}.`, 'dead-letters')
  }
  const projection = args.value('projection')
  return { projection, cause, sinceMs: timeOf(args, 'since'), untilMs: timeOf(args, 'until'), all: args.has('all') }
}

function timeOf(args: Args, flag: string): number | undefined {
  const text = args.value(flag)
  if (text === undefined) return undefined
  const ms = Date.parse(text)
  if (!Number.isFinite(ms)) throw new UsageError(`--${flag} ${text}: wanted a time, such as 2026-11-20T21:00:00Z.`)
  return ms
}

function mendedFrom(codec: EventCodec, file: string): NewEvent {
  const text = readFileSync(file === '-' ? 0 : file, 'utf8')
  return mendedEvent(codec, parsed(text, file), file)
}

function parsed(text: string, file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (error) {
    throw new Refused('UNKNOWN', `${file} is no JSON: ${(error as Error).message}`)
  }
  throw new Refused('UNKNOWN', `${file} is no event: wanted an object with "type".`)
}

function grouped(letters: readonly Letter[]): string {
  const rows = groupsOf(letters).map((each) => [
    each[0]!.projection,
    each[0]!.cause,
    `${each.length}`,
    nameOf(each[0]!),
    each[0]!.detail.slice(0, 100),
  ])
  return table(['PROJECTION', 'CAUSE', 'LETTERS', 'FIRST', 'DETAIL'], rows)
}

function eachOf(letters: readonly Letter[]): string {
  const rows = letters.map((one) => {
    const received = new Date(one.timestampMs).toISOString()
    return [nameOf(one), one.status, one.cause, received, one.key ?? '–', one.detail.slice(0, 100)]
  })
  return table(['LETTER', 'STATUS', 'CAUSE', 'RECEIVED', 'KEY', 'DETAIL'], rows)
}

function hexOf(value: Buffer): string {
  const shown = value.subarray(0, REPLAY_LIMITS.hexBytesMax)
  const lines: string[] = []
  for (let at = 0; at < shown.length; at += 16) {
    const part = shown.subarray(at, at + 16)
    const text = part.toString('latin1').replace(/[^\x20-\x7e]/g, '.')
    lines.push(`${at.toString(16).padStart(6, '0')}  ${part.toString('hex').replace(/../g, '$& ').padEnd(48)} ${text}`)
  }
  if (shown.length < value.length) lines.push(`… ${value.length - shown.length} more bytes`)
  return `${lines.join('\n')}\n`
}
