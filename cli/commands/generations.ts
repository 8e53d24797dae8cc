/** `playhead generations …`: which there are, which is read, and how that is changed. */
import type { Args } from '../args.ts'
import { type Command, type Io, JSON_FLAG, table } from '../command.ts'
import { untilInterrupted } from '../interrupt.ts'
import { toJson } from '../json.ts'
import { progress } from '../progress.ts'
import { listed, pairOf, promote as promoteTo, readBefore, standingFor, stopOrGo } from '../replay/acts.ts'
import { inReplay, whoAsks } from '../replay/command.ts'
import { compareGenerations, type Found } from '../replay/compare-generations.ts'
import type { OpenReplay } from '../replay/open.ts'
import type { Shown } from '../replay/operator.ts'
import { bookSays, watchBuild } from '../replay/watch.ts'

const ID = { name: 'GENERATION' } as const
const NAME_OF_ROLLBACK = 'generations rollback'
const REASON = { name: 'reason', value: 'TEXT', help: 'Kept with the event that says so.' } as const

export const list: Command = {
  name: 'generations',
  about: `A generation is one projection's tables, folded from the log by one version of its fold with its parameters. States:
  read      what the API and people's queries read
  building  folds the log, beside the one that is read
  paused    stopped by an operator; \`resume\` goes on where it was
  resting   was read once; it stays as it was, for the way back
  dropped   its tables are gone
  strange   this release can't make it: it was made by another`,
  positionals: [{ name: 'PROJECTION', optional: true }],
  flags: [{ name: 'all', help: 'Those that were dropped, too.' }, JSON_FLAG],
  examples: ['playhead generations', 'playhead generations views --json'],
  run: (args, io) =>
    inReplay(io, 'generations', async (replay) => {
      const all = await listed(replay, args.positional('PROJECTION'), args.has('all'))
      const rows = await Promise.all(all.map((one) => shownWith(replay, one)))
      if (args.has('json')) io.out(`${toJson(rows, 2)}\n`)
      else if (rows.length === 0) io.out('The book is empty: start the consumers (`playhead up`) and look again.\n')
      else io.out(`${tableOf(rows)}\n`)
      return 0
    }),
}

export const promote: Command = {
  name: 'generations promote',
  about: `Makes readers read this generation: the API of every process goes over when the generation has passed all that the
one before has, and no request is refused or mixes two. People's names in ClickHouse follow. The one before stays as it
is; \`playhead generations rollback\` goes back to it.`,
  positionals: [ID],
  flags: [REASON],
  examples: ['playhead generations promote views_v1_1f0c9a2b --reason "stalls from 500 ms"'],
  run: (args, io) =>
    inReplay(io, 'generations promote', async (replay) => {
      const shown = await chosen(replay, args)
      if (shown.state === 'read') return said(io, `${shown.id} is read already.`)
      await promoteTo(replay, shown, whoAsks(args))
      return said(io, `${shown.id} is read from now on.`)
    }),
}

export const rollback: Command = {
  name: 'generations rollback',
  about: `Goes back to the generation that was read before: it is resumed, folds what it missed, and is promoted. Stopped on the
way it has changed nothing that is read; call it again.`,
  positionals: [{ name: 'PROJECTION' }],
  flags: [REASON],
  run: (args, io) =>
    inReplay(io, NAME_OF_ROLLBACK, async (replay) => {
      const shown = await readBefore(replay, args.positional('PROJECTION')!)
      await replay.operator.act(shown, 'resume', whoAsks(args))
      await bookSays(replay.operator, shown.id, ['building'], NAME_OF_ROLLBACK)
      io.err(`Going back to ${shown.id} …\n`)
      const { ended } = await watchBuild(replay, shown.generation!, io, untilInterrupted())
      if (ended !== 'there') return said(io, `Not gone back: it was ${ended}.`, 1)
      await promoteTo(replay, await replay.operator.find(shown.id), whoAsks(args))
      return said(io, `${shown.id} is read from now on.`)
    }),
}

const acting = (word: 'pause' | 'resume' | 'drop', about: string, done: string): Command => ({
  name: `generations ${word}`,
  about,
  positionals: [ID],
  flags: [REASON],
  run: (args, io) =>
    inReplay(io, `generations ${word}`, async (replay) => {
      const shown = await chosen(replay, args)
      await stopOrGo(replay, shown, word, whoAsks(args))
      return said(io, `${shown.id} ${done}`)
    }),
})

export const pause: Command = acting(
  'pause',
  'Stops building it. It stays as it is until `playhead generations resume`.',
  'is paused.',
)
export const resume: Command = acting('resume', 'Goes on building it, from where it was.', 'is being built.')
export const drop: Command = acting(
  'drop',
  `Drops its tables, in the state store and in ClickHouse, for good: its id is never used again. The consumers do it, when
every process has let go of it. What is read can't be dropped.`,
  'is dropped; its tables go within a minute.',
)

export const compare: Command = {
  name: 'generations compare',
  about: `Compares a generation with the one that is read (or with OTHER): rows, digests, and the first keys that differ. It may
run while events come in: a row that differs is looked at again until both have passed the same end of the log.
Exit code 0 if they are the same, 1 if not.`,
  positionals: [ID, { name: 'OTHER', optional: true }],
  flags: [JSON_FLAG],
  examples: ['playhead generations compare progress_v1_1f0c9a2b'],
  run: (args, io) =>
    inReplay(io, 'generations compare', async (replay) => {
      const [first, second] = await pairOf(replay, args.positional('GENERATION')!, args.positional('OTHER'))
      const shown = progress(io, 'rows', Date.now)
      const found = await compareGenerations(replay, [first, second], {
        signal: untilInterrupted(),
        looked: (rows) => shown.show(rows, rows),
      }).finally(() => shown.end())
      if (args.has('json')) io.out(`${toJson(found, 2)}\n`)
      else io.out(wordsOf(first.id, second.id, found))
      return found.equal ? 0 : 1
    }),
}

async function shownWith(replay: OpenReplay, shown: Shown) {
  const { projection, id, state, row } = shown
  return { ...row, projection, id, state, standing: await standingFor(replay, shown) }
}

function tableOf(rows: readonly Awaited<ReturnType<typeof shownWith>>[]): string {
  const cells = rows.map(({ projection, id, state, parameters, untilMs, standing }) => {
    const given = Object.entries(parameters).map(([name, value]) => `${name}=${value}`)
    const until = untilMs === null ? [] : [`until ${new Date(untilMs).toISOString()}`]
    const share = standing === undefined || standing.total === 0n ? '' : `${(standing.done * 100n) / standing.total}%`
    return [projection, id, state, share, `${standing?.lag ?? ''}`, [...given, ...until].join(' ')]
  })
  return table(['PROJECTION', 'GENERATION', 'STATE', 'DONE', 'LAG', 'PARAMETERS'], cells)
}

function wordsOf(first: string, second: string, { equal, states, tables }: Found): string {
  const lines: string[] = []
  if (states !== undefined) {
    lines.push(
      `states: ${states.rows[0]} rows in ${first} (${states.digests[0]}), ${states.rows[1]} in ${second} (${states.digests[1]})`,
    )
    for (const { key, what, columns } of states.differences) {
      lines.push(`  ${key}: ${what}${columns.length === 0 ? '' : ` in ${columns.join(', ')}`}`)
    }
    if (states.moving > 0) lines.push(`  ${states.moving} rows were written all the time and could not be compared`)
    const more = states.differing - states.differences.length
    if (more > 0) lines.push(`  and ${more} more`)
  }
  for (const { table: name, rows, digests, equal: same, moving } of tables) {
    lines.push(
      `${name}: ${rows[0]} and ${rows[1]} rows${same ? '' : moving ? ', while events come in' : `, digests ${digests[0]} and ${digests[1]}`}`,
    )
  }
  return `${lines.join('\n')}\n${equal ? 'They are the same.' : 'They differ.'}\n`
}

async function chosen({ operator }: OpenReplay, args: Args): Promise<Shown> {
  return await operator.find(args.positional('GENERATION')!)
}

function said(io: Io, text: string, code = 0): number {
  io.out(`${text}\n`)
  return code
}
