/** `playhead snapshot …`: a generation as files, and a generation of such files. */
import { type Args, UsageError } from '../args.ts'
import { type Command, type Io, JSON_FLAG, table } from '../command.ts'
import { humanBytes } from '../disk.ts'
import { untilInterrupted } from '../interrupt.ts'
import { toJson } from '../json.ts'
import { progress } from '../progress.ts'
import { inReplay, whoAsks } from '../replay/command.ts'
import type { OpenReplay } from '../replay/open.ts'
import { Refused, type Shown } from '../replay/operator.ts'
import { bookSays, watchBuild } from '../replay/watch.ts'
import { verifySnapshot } from '../snapshots/files.ts'
import { listSnapshots } from '../snapshots/list.ts'
import { loadSnapshot } from '../snapshots/load.ts'
import type { Manifest } from '../snapshots/manifest.ts'
import { saveSnapshot } from '../snapshots/save.ts'

const NAME_OF_LOAD = 'snapshot load'
const FOLDER = { name: 'FOLDER' } as const

export const save: Command = {
  name: 'snapshot save',
  about: `Copies a generation into files: its states, its rows in ClickHouse, its dead letters, and how far it is in each
partition. Of a PROJECTION, that which is read. What has both states and rows (views, progress_rows, title_rows) has to rest
while it is copied: pause a build of it; everything else is copied while it runs. FOLDER is made, and complete when it is
there. It says who watched what: keep it as safe as a backup, and no longer than erased profiles may live on in it.`,
  positionals: [{ name: 'PROJECTION|GENERATION' }, FOLDER],
  flags: [JSON_FLAG],
  examples: [
    'playhead snapshot save progress /snapshots/progress-monday',
    'playhead snapshot save views_v1_cddda999 /snapshots/views-monday',
  ],
  run: (args, io) =>
    inReplay(io, 'snapshot save', async (replay) => {
      const { generation, id } = await chosen(replay, args.positional('PROJECTION|GENERATION')!)
      if (generation === undefined) throw new Refused('NOT_NOW', `${id} is dropped, or this release can't read it.`)
      const shown = progress(io, 'rows', Date.now)
      try {
        const copying = { signal: untilInterrupted(), looked: (rows: bigint) => shown.show(rows, rows) }
        const manifest = await saveSnapshot(replay, generation, args.positional('FOLDER')!, copying)
        shown.end()
        return tell(args, io, 'saved', manifest)
      } finally {
        shown.end()
      }
    }),
}

export const load: Command = {
  name: NAME_OF_LOAD,
  about: `Makes a new generation of a snapshot, beside what is read: it begins where the snapshot ended, and the consumers fold
the rest. Refused: a damaged file, another version of the fold, other parameters, and a log that is not the one it was
folded from (a restored log is the same if the records before the snapshot's end are). Then compare and promote it.
This command asks for it and shows how far it is. Exit code 0 when it has caught up.`,
  positionals: [FOLDER],
  flags: [
    { name: 'name', value: 'NAME', help: 'Tells it from other builds of the same kind [the time of day]' },
    { name: 'reason', value: 'TEXT', help: 'Kept with the event that says so.' },
    { name: 'detach', help: 'Load it and end; `playhead generations` shows how far it is.' },
    JSON_FLAG,
  ],
  examples: ['playhead snapshot load /snapshots/views-monday'],
  run: (args, io) => inReplay(io, NAME_OF_LOAD, (replay) => loading(replay, args, io)),
}

export const list: Command = {
  name: 'snapshot list',
  about: 'The snapshots in FOLDER: the folder itself, or those right inside it. `playhead snapshot verify` checks one.',
  positionals: [FOLDER],
  flags: [JSON_FLAG],
  examples: ['playhead snapshot list /snapshots'],
  run: async (args, io) => {
    const found = await listSnapshots(args.positional('FOLDER')!)
    if (args.has('json')) io.out(`${toJson(found, 2)}\n`)
    else if (found.length === 0) io.out('There is no snapshot in it.\n')
    else {
      const rows = found.map(({ folder, manifest }) => [folder, ...(manifest ? wordsOf(manifest) : ['damaged'])])
      io.out(`${table(['FOLDER', 'PROJECTION', 'FOLD', 'EVENTS', 'ROWS', 'SIZE', 'MADE'], rows)}\n`)
    }
    return 0
  },
}

export const verify: Command = {
  name: 'snapshot verify',
  about:
    'Reads every file of a snapshot and holds it against its checksum. Exit code 1 names the file that is damaged.',
  positionals: [FOLDER],
  flags: [JSON_FLAG],
  examples: ['playhead snapshot verify /snapshots/views-monday'],
  run: async (args, io) => tell(args, io, 'sound', await verified(args, io)),
}

async function chosen({ operator }: OpenReplay, wanted: string): Promise<Pick<Shown, 'generation' | 'id'>> {
  const plan = (await operator.plans()).find(({ name }) => name === wanted)
  if (plan !== undefined) return { generation: plan.read, id: plan.read.id }
  const shown = await operator.find(wanted)
  return shown.state === 'dropped' ? { generation: undefined, id: shown.id } : shown
}

async function loading(replay: OpenReplay, args: Args, io: Io): Promise<number> {
  const name = args.value('name') ?? new Date().toISOString().replace(/\D/g, '').slice(0, 14)
  if (!/^[\w.-]{1,64}$/.test(name)) {
    throw new UsageError('--name wants 1 to 64 letters, digits, dots and dashes.', NAME_OF_LOAD)
  }
  const manifest = await verified(args, io)
  const signal = untilInterrupted()
  const shown = progress(io, 'rows', Date.now)
  const total = BigInt(rowsOf(manifest))
  const more = { name, who: whoAsks(args), signal, looked: (rows: bigint) => shown.show(rows, total) }
  const folder = args.positional('FOLDER')!
  const generation = await loadSnapshot(replay, folder, manifest, more).finally(() => shown.end())
  const { id } = generation
  if (args.has('detach')) {
    io.out(
      args.has('json') ? `${toJson({ id })}\n` : `${id} is loaded; \`playhead generations\` shows how far it is.\n`,
    )
    return 0
  }
  io.err(`${id} is loaded; the consumers fold what came since …\n`)
  await bookSays(replay.operator, id, ['building', 'paused', 'read'], NAME_OF_LOAD)
  const { ended, standing } = await watchBuild(replay, generation, io, signal)
  if (args.has('json')) io.out(`${toJson({ id, ended, ...standing }, 2)}\n`)
  else if (ended === 'there') {
    io.out(`${id} has caught up.\nLook at it beside what is read: playhead generations compare ${id}\n`)
    io.out(`Then: playhead generations promote ${id}\n`)
  } else io.out('It goes on without this command: `playhead generations` shows how far it is.\n')
  return ended === 'there' ? 0 : 1
}

async function verified(args: Args, io: Io): Promise<Manifest> {
  const shown = progress(io, 'files', Date.now)
  try {
    return await verifySnapshot(args.positional('FOLDER')!, (files) => shown.show(BigInt(files), BigInt(files)))
  } finally {
    shown.end()
  }
}

function tell(args: Args, io: Io, done: string, manifest: Manifest): number {
  if (args.has('json')) io.out(`${toJson({ done, ...manifest }, 2)}\n`)
  else {
    const [projection, fold, events, rows, size] = wordsOf(manifest)
    io.out(`${done}: ${projection} ${fold}, ${events} events folded into ${rows} rows, ${size}\n`)
  }
  return 0
}

function wordsOf(manifest: Manifest): readonly string[] {
  const { projection, foldVersion, places, files, madeAt } = manifest
  const events = places.reduce((sum, { tally }) => sum + BigInt(tally.read), 0n)
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  return [projection, `v${foldVersion}`, `${events}`, `${rowsOf(manifest)}`, humanBytes(bytes), madeAt]
}

function rowsOf({ files }: Manifest): number {
  return files.reduce((sum, { rows }) => sum + rows, 0)
}
