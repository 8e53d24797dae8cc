/** `playhead migrate`: a running engine's log, keys and tables to other engines. */
import { type Args, UsageError } from '../args.ts'
import { type Command, type Io, JSON_FLAG } from '../command.ts'
import { loadConfig } from '../config.ts'
import { untilInterrupted } from '../interrupt.ts'
import { toJson } from '../json.ts'
import { NotACopy } from '../migrate/copy.ts'
import { seconds } from '../migrate/cut.ts'
import { openMigration } from '../migrate/open.ts'
import { migrate as run, type Told } from '../migrate/run.ts'
import { progress } from '../progress.ts'
import { CONFIG_FILE_KEY } from '../settings.ts'

const NAME = 'migrate'

export const migrate: Command = {
  name: NAME,
  about: `Copies the log of the engine that runs now to another one, with the keys of profiles, folds it into the other's tables,
then pauses writes for some seconds, compares both, and goes over. The settings in force are the old engine's; FILE
holds the new one's, and is what you start Playhead with afterwards. From one machine to a cluster and back: the same
command, with the other's settings. Interrupted or killed, it goes on when called again; until the last moment the
old engine takes the writes. docs/migrate.md has every step.`,
  flags: [
    {
      name: 'to',
      value: 'FILE',
      help: 'Settings of the new engine: lines of KEY=VALUE, as PLAYHEAD_CONFIG takes them.',
    },
    { name: 'no-cut', help: 'Copy and fold, and end before writes are paused.' },
    { name: 'accept-differences', help: 'Go over although a table differs; the log is the same in any case.' },
    JSON_FLAG,
  ],
  examples: ['playhead migrate --to cluster.env', 'PLAYHEAD_CONFIG=cluster.env playhead migrate --to one-machine.env'],
  run: async (args, io) => {
    const file = args.value('to')
    if (file === undefined) throw new UsageError('Say where to with --to FILE.', NAME)
    const { config: from } = loadConfig(io.env)
    const { config: to, warnings } = loadConfig({ [CONFIG_FILE_KEY]: file })
    for (const warning of warnings) io.err(`playhead: ${warning}\n`)
    const open = await openMigration(from, to)
    try {
      const told = await run(open, {
        untilCut: args.has('no-cut'),
        acceptDifferences: args.has('accept-differences'),
        signal: untilInterrupted(),
        say: (line) => (args.has('json') ? io.err(`${line}\n`) : io.out(`${line}\n`)),
        bar: (unit) => progress(io, unit, Date.now),
        nowMs: Date.now,
      })
      return tell(told, file, args, io)
    } catch (error) {
      if (error instanceof NotACopy) throw new UsageError(error.message, NAME)
      throw error
    } finally {
      await open.close()
    }
  },
}

function tell(told: Told, file: string, args: Args, io: Io): number {
  if (args.has('json')) io.out(`${toJson(told, 2)}\n`)
  else io.out(wordsOf(told, file))
  return told.why === undefined ? 0 : 1
}

function wordsOf({ phase, pausedMs, records, compared, why }: Told, file: string): string {
  if (why !== undefined) return `${why}\n`
  if (phase !== 'done') return `ready: ${records} records are copied and folded. Call it without --no-cut to go over.\n`
  const tables = compared.map(({ name, equal, rows, why: said }) => {
    const mark = equal === true ? '✓' : equal === false ? '✗' : '–'
    return `  ${mark} ${name}: ${equal === true ? `the same, ${rows} rows` : (said ?? '')}\n`
  })
  const paused = pausedMs === undefined ? '' : ` Writes were paused for ${seconds(pausedMs)}.`
  return [
    ...tables,
    `done: ${records} records have moved.${paused}\n`,
    'The old log takes nothing any more. Start the new engine, and end the old one:\n',
    `  ${CONFIG_FILE_KEY}=${file} playhead up\n`,
  ].join('')
}
