/** `playhead at` and `playhead why`: what a row was at a moment, and the events that made it. */
import type { Named, Step } from '../../consumers/history.ts'
import { type Args, UsageError } from '../args.ts'
import { type Command, type Io, JSON_FLAG, table } from '../command.ts'
import { toJson } from '../json.ts'
import { timeOf } from '../moments.ts'
import { askHistory, type HistoryAnswer } from '../replay/ask.ts'
import { inReplay } from '../replay/command.ts'
import type { Moment } from '../replay/index-of-events.ts'

const WHOSE = [
  { name: 'profile', value: 'ID', help: 'Of this profile.' },
  { name: 'title', value: 'ID', help: 'Of this title.' },
  { name: 'session', value: 'ID', help: 'Of this session.' },
  { name: 'account', value: 'ID', help: 'Of this account.' },
] as const
const EXPIRED =
  'It had been kept long enough by then, and stood no more: `playhead why` tells what had been known of it.\n'
const TIME_NAMES = /(_at|_until|minute)$/
const MOMENTS = `A moment is an RFC 3339 time on the log's clock (when events were received), @N for a position of the log (that
event included), or now.`

export const at: Command = {
  name: 'at',
  about: `Folds the events of one key again, up to the moment, and shows what its rows were then. Nothing is written.
${MOMENTS}`,
  positionals: [{ name: 'MOMENT' }, { name: 'PROJECTION' }],
  flags: [...WHOSE, JSON_FLAG],
  examples: [
    'playhead at 2026-11-20T21:00:00Z progress --profile ann',
    'playhead at @1234 progress --profile ann --title t1',
    'playhead at now views --session s1',
  ],
  run: (args, io) =>
    answer('at', args, io, momentOf(args.positional('MOMENT')!, 'at'), false, (history) => {
      if (history.shown.length === 0) return history.expired === 0 ? 'Nothing was known of it then.\n' : EXPIRED
      return history.shown.map(({ key, state, rows }) => `${heading(key)}\n${lines(state)}${tables(rows)}`).join('\n')
    }),
}

export const why: Command = {
  name: 'why',
  about: `The events that made a row, in the order of the log, with what each of them changed in it; duplicates and events that
could not be folded are told too. ${MOMENTS}`,
  positionals: [{ name: 'PROJECTION' }],
  flags: [...WHOSE, { name: 'at', value: 'MOMENT', help: 'Up to this moment [now]' }, JSON_FLAG],
  examples: [
    'playhead why progress --profile ann --title t1',
    'playhead why views --session s1 --at 2026-11-20T21:00:00Z',
  ],
  run: (args, io) =>
    answer('why', args, io, momentOf(args.value('at') ?? 'now', 'why'), true, (history) =>
      history.steps.length === 0 ? 'No event is known of it.\n' : history.steps.map(told).join(''),
    ),
}

async function answer(
  command: string,
  args: Args,
  io: Io,
  moment: Moment,
  steps: boolean,
  words: (history: HistoryAnswer) => string,
): Promise<number> {
  const of: Record<string, string> = {}
  for (const { name } of WHOSE) {
    const value = args.value(name)
    if (value !== undefined) of[`${name}_id`] = value
  }
  const history = await inReplay(io, command, (replay) =>
    askHistory(replay, { projection: args.positional('PROJECTION')!, of, moment, steps }),
  )
  io.out(args.has('json') ? `${toJson(history, 2)}\n` : words(history))
  return history.shown.length === 0 && history.steps.length === 0 ? 1 : 0
}

function momentOf(text: string, command: string): Moment {
  if (text === 'now') return {}
  const position = /^@(\d{1,18})$/.exec(text)?.[1]
  if (position !== undefined) return { untilPosition: BigInt(position) }
  const untilMs = timeOf(text)
  if (untilMs !== undefined) return { untilMs }
  throw new UsageError(
    `"${text}" is no moment: a time with its zone (2026-11-20T21:00:00Z), @POSITION, or now.`,
    command,
  )
}

function heading(key: Named): string {
  return Object.entries(key)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(' · ')
}

function lines(values: Named): string {
  const said = Object.entries(values).filter(([, value]) => value !== null)
  return said.length === 0
    ? ''
    : `${table(
        ['COLUMN', 'VALUE'],
        said.map(([name, value]) => [name, shown(name, value)]),
      )}\n`
}

function tables(rows: Readonly<Record<string, readonly Named[]>>): string {
  return Object.entries(rows)
    .map(([name, each]) => (each.length === 1 ? `${name}:\n${lines(each[0]!)}` : `${name}: ${each.length} rows\n`))
    .join('')
}

function told({ position, partition, topic, timestampMs, event, fate, detail, changes }: Step): string {
  const what = event === undefined ? 'a record' : event.type
  const why = fate === 'folded' ? '' : ` (${fate}${detail === undefined ? '' : `: ${detail}`})`
  const head = `${new Date(timestampMs).toISOString()} ${topic}/${partition}@${position} ${what}${why}\n`
  if (fate === 'folded' && changes.length === 0) return `${head}    changes nothing\n`
  const words = changes
    // What begins as nothing is not worth a line.
    .filter(({ from, to }) => !(from === undefined && isNothing(to)))
    .map(({ what: name, from, to }) => `    ${name}: ${shown(name, from)} → ${shown(name, to)}\n`)
  return head + words.join('')
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === 0 || value === 0n || value === false
}

function shown(name: string, value: unknown): string {
  if (value === undefined || value === null || value === '') return '–'
  if (TIME_NAMES.test(name) && typeof value === 'number') return new Date(value).toISOString()
  const text = typeof value === 'string' || typeof value === 'bigint' ? String(value) : toJson(value)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
