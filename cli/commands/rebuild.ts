/** `playhead rebuild PROJECTION`: fold the log again, into tables beside those that are read. */
import { type Args, UsageError } from '../args.ts'
import { askWorkers } from '../builders.ts'
import { type Command, type Io, JSON_FLAG } from '../command.ts'
import { untilInterrupted } from '../interrupt.ts'
import { toJson } from '../json.ts'
import { CLI_LIMITS } from '../limits.ts'
import { timeOf } from '../moments.ts'
import { inReplay, whoAsks } from '../replay/command.ts'
import type { OpenReplay } from '../replay/open.ts'
import { bookSays, watchBuild } from '../replay/watch.ts'

const NAME = 'rebuild'

export const rebuild: Command = {
  name: NAME,
  about: `Folds the log from its start into a new generation of the projection's tables. What is read stays as it is until
\`playhead generations promote\`. The engine does the work: this command asks for it and shows how far it is, and may
be stopped and called again with the same --name. PROJECTION is one of those that \`playhead generations\` lists.
Without --until the new generation follows the log when it has caught up. Exit code 0 when it is there.`,
  positionals: [{ name: 'PROJECTION' }],
  flags: [
    {
      name: 'until',
      value: 'TIME',
      help: "Build what was known then: RFC 3339, on the log's clock. It is never promoted.",
    },
    { name: 'param', value: 'NAME=N', help: 'A parameter of the fold; may be repeated.', many: true },
    { name: 'rate', value: 'N', help: 'At most so many events a second in each process [as fast as it can]' },
    { name: 'workers', value: 'N', help: 'Build it in so many processes at once, on one machine [1]' },
    { name: 'name', value: 'NAME', help: 'Tells it from other builds of the same kind [the time of day]' },
    { name: 'detach', help: 'Ask for it and end; `playhead generations` shows how far it is.' },
    JSON_FLAG,
  ],
  examples: [
    'playhead rebuild progress',
    'playhead rebuild views --param minStallMs=500 --rate 5000',
    'playhead rebuild views --workers 2',
    'playhead rebuild progress --until 2026-11-20T12:00:00Z --name friday',
  ],
  run: async (args, io) => {
    const asked = askedOf(args)
    return await inReplay(io, NAME, (replay) => run(replay, asked, args, io))
  },
}

async function run(replay: OpenReplay, asked: ReturnType<typeof askedOf>, args: Args, io: Io): Promise<number> {
  const { operator } = replay
  const generation = await operator.rebuild(asked, whoAsks(args))
  if (asked.workers !== undefined) await askWorkers(replay.state, generation.id, asked.workers)
  if (args.has('detach')) {
    io.out(args.has('json') ? `${toJson({ id: generation.id }, 2)}\n` : `${generation.id}\n`)
    return 0
  }
  if (!args.has('json')) io.err(`Building ${generation.id} …\n`)
  await bookSays(operator, generation.id, ['building', 'paused', 'read', 'resting'], NAME)
  const { ended, standing } = await watchBuild(replay, generation, io, untilInterrupted())
  if (args.has('json')) io.out(`${toJson({ id: generation.id, ended, ...standing }, 2)}\n`)
  else io.out(wordsFor(ended, generation.id, standing.counts, asked.build.untilMs !== undefined))
  return ended === 'there' ? 0 : 1
}

function wordsFor(
  ended: string,
  id: string,
  counts: { parked: bigint; undecryptable: bigint },
  isPast: boolean,
): string {
  if (ended === 'interrupted') return `It goes on without this command: \`playhead generations\` shows how far it is.\n`
  if (ended !== 'there') return `It is ${ended}.\n`
  const left = [
    ...(counts.parked > 0n ? [`${counts.parked} parked`] : []),
    ...(counts.undecryptable > 0n ? [`${counts.undecryptable} of erased profiles left out`] : []),
  ]
  const note = left.length === 0 ? '' : ` (${left.join(', ')})`
  const next = isPast
    ? `Its tables hold what was known then.\n`
    : `Look at it beside what is read: playhead generations compare ${id}\nThen: playhead generations promote ${id}\n`
  return `${id} is built${note}.\n${next}`
}

function askedOf(args: Args) {
  const parameters: Record<string, number> = {}
  for (const text of args.values('param')) {
    const [, name, value] = /^(\w{1,64})=(\d{1,12})$/.exec(text) ?? []
    if (name === undefined || value === undefined) throw new UsageError(`--param ${text}: wanted NAME=N.`, NAME)
    parameters[name] = Number(value)
  }
  const until = args.value('until')
  const untilMs = until === undefined ? undefined : timeOf(until)
  if (until !== undefined && untilMs === undefined) {
    throw new UsageError(`--until ${until}: wanted a time with its zone, such as 2026-11-20T12:00:00Z.`, NAME)
  }
  const rate = args.value('rate') === undefined ? undefined : args.integer('rate', 0)
  if (rate !== undefined && rate < 1) throw new UsageError('--rate wants 1 or more.', NAME)
  const workers = args.value('workers') === undefined ? undefined : args.integer('workers', 0)
  if (workers !== undefined && (workers < 1 || workers > CLI_LIMITS.wantedRolesMax)) {
    throw new UsageError(`--workers wants 1 to ${CLI_LIMITS.wantedRolesMax}.`, NAME)
  }
  const name = args.value('name') ?? new Date().toISOString().replace(/\D/g, '').slice(0, 14)
  if (!/^[\w.-]{1,64}$/.test(name)) throw new UsageError('--name wants 1 to 64 letters, digits, dots and dashes.', NAME)
  return {
    projection: args.positional('PROJECTION')!,
    parameters,
    workers,
    build: {
      name,
      ...(untilMs !== undefined && { untilMs }),
      ...(rate !== undefined && { recordsPerSecond: rate }),
    },
  }
}
