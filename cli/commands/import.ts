/** `playhead import progress|titles|views FILE`: what another system knows, as events of ours. */
import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { type Args, type Flag, UsageError } from '../args.ts'
import type { Command, Io } from '../command.ts'
import { type Env, loadConfig } from '../config.ts'
import { openCodec } from '../engines.ts'
import type { ImportKind } from '../import/kind.ts'
import { IMPORT_LIMITS } from '../import/limits.ts'
import { openImportPorts } from '../import/ports.ts'
import { PROGRESS_FIELDS, progressImport } from '../import/progress-rows.ts'
import { rejectedFile } from '../import/rejected.ts'
import { reportTo } from '../import/report.ts'
import { type ImportOutcome, runImport } from '../import/run.ts'
import { formatOf, openSource } from '../import/source.ts'
import { stateFile } from '../import/state.ts'
import { TITLE_FIELDS, titlesImport } from '../import/title-rows.ts'
import { viewsImport } from '../import/view-rows.ts'
import { untilInterrupted } from '../interrupt.ts'
import { DEFAULT_APP, DEFAULT_ENVIRONMENT } from '../key-file.ts'

const FLAGS: readonly Flag[] = [
  { name: 'format', value: 'FORMAT', help: 'csv or ndjson; without it, by the ending of FILE.' },
  { name: 'map', value: 'THEIRS=OURS', help: 'Name of a column or field in the file; may be repeated.', many: true },
  { name: 'app', value: 'APP', help: `Application that the events belong to [${DEFAULT_APP}]` },
  { name: 'environment', value: 'ENV', help: `Its environment [${DEFAULT_ENVIRONMENT}]` },
  { name: 'assume-utc', help: 'Take a time without a zone for UTC; such rows are rejected otherwise.' },
  { name: 'max-errors', value: 'N', help: `Give up after more bad rows than this [${IMPORT_LIMITS.errorsMax}]` },
  { name: 'state', value: 'PATH', help: 'Where to remember how far it is [FILE.playhead-import.json]' },
  { name: 'rejected', value: 'PATH', help: 'Where bad rows go, with the reason [FILE.rejected.ndjson]' },
  { name: 'dry-run', help: 'Read and check only: nothing is written.' },
  { name: 'json', help: 'Print the outcome as JSON.' },
]

const ABOUT = `FILE is CSV with a header (RFC 4180; comma, semicolon or tab), or NDJSON; - reads standard input.
Case, dashes and underscores in names don't matter. A bad row is told, written to FILE.rejected.ndjson and left out.
Cut off by Ctrl-C or a crash, it goes on where it was when called again; reading a file twice adds nothing.`

export const progress: Command = {
  name: 'import progress',
  about: `${ABOUT}
A row is one title of one profile: profileId, titleId, updatedAt (milliseconds or seconds since 1970, or RFC 3339), and
positionMs or positionSeconds, or watched (completed).
Fields: ${PROGRESS_FIELDS.join(', ')}.`,
  positionals: [{ name: 'FILE' }],
  flags: FLAGS,
  examples: [
    'playhead import progress watch-history.csv --map user=profileId --map video=titleId --dry-run',
    'playhead import progress - --format ndjson < positions.ndjson',
  ],
  run: async (args, io) => await run('import progress', () => progressImport, args, io),
}

export const titles: Command = {
  name: 'import titles',
  about: `${ABOUT}
A row is one title, whole: the last one counts. In CSV, lists are written with | between, and maps as columns such as
externalIds.imdb or manifests.hls.
Fields: ${TITLE_FIELDS.join(', ')}.`,
  positionals: [{ name: 'FILE' }],
  flags: FLAGS,
  examples: ['playhead import titles catalogue.ndjson'],
  run: async (args, io) => await run('import titles', titlesImport, args, io),
}

export const views: Command = {
  name: 'import views',
  about: `${ABOUT}
A row is one view as another product measured it: Mux Data's export of views, known by the names of its columns
(view_id, view_start and viewer_user_id are needed; its other columns as far as we have a place for them). They are kept
beside our own views, in the table imported_views; \`playhead compare\` shows both.`,
  positionals: [{ name: 'FILE' }],
  flags: FLAGS,
  examples: ['playhead import views mux-2026-11-20.csv --dry-run', 'playhead import views mux-2026-11-20.csv'],
  run: async (args, io) => await run('import views', () => viewsImport, args, io),
}

type KindOf<T> = (codec: Awaited<ReturnType<typeof openCodec>>) => ImportKind<T>

async function run<T>(command: string, kindOf: KindOf<T>, args: Args, io: Io): Promise<number> {
  const path = args.positional('FILE') ?? ''
  const format = formatOf(path, args.value('format'), command)
  const errorsMax = args.integer('max-errors', IMPORT_LIMITS.errorsMax)
  const dryRun = args.has('dry-run')
  const { config } = loadConfig(io.env as Env)
  const codec = await openCodec(config)
  const signal = untilInterrupted()
  const source = openSource(path, signal, command)
  const opened = dryRun ? undefined : await openImportPorts(config, codec)
  try {
    const outcome = await runImport(opened?.ports, {
      ...source,
      kind: kindOf(codec),
      format,
      errorsMax,
      maps: args.values('map'),
      assumeUtc: args.has('assume-utc'),
      appId: nameOf(args, 'app', DEFAULT_APP, command),
      environment: nameOf(args, 'environment', DEFAULT_ENVIRONMENT, command),
      ...filesOf(args, path, dryRun, command),
      signal,
      nowMs: Date.now,
      newId: randomUUID,
      report: reportTo(io, Date.now),
      command,
    })
    tell(io, outcome, path, args, dryRun)
    return outcome.ended === 'complete' ? 0 : 1
  } finally {
    await opened?.close()
  }
}

/** Standard input has no place beside it: its files are made where they are asked for. */
function filesOf(args: Args, path: string, dryRun: boolean, command: string) {
  const beside = (flag: string, ending: string): string | undefined => {
    const given = args.value(flag)
    if (given !== undefined || path === '-') return given
    return `${path}${ending}`
  }
  const state = beside('state', '.playhead-import.json')
  const rejected = beside('rejected', '.rejected.ndjson')
  if (state !== undefined && rejected !== undefined && resolve(state) === resolve(rejected)) {
    throw new UsageError('--state and --rejected name the same file.', command)
  }
  return {
    state: state === undefined || dryRun ? undefined : stateFile(state, command),
    rejected: rejected === undefined || dryRun ? undefined : rejectedFile(rejected),
  }
}

function nameOf(args: Args, flag: string, fallback: string, command: string): string {
  const name = args.value(flag) ?? fallback
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) return name
  throw new UsageError(`--${flag}: 1 to 64 letters, digits, dots, dashes or underscores.`, command)
}

function tell(io: Io, outcome: ImportOutcome, path: string, args: Args, dryRun: boolean): void {
  if (args.has('json')) {
    io.out(`${JSON.stringify({ file: path, dryRun, ...outcome })}\n`)
    return
  }
  const { counts, ended, before, unknownFields } = outcome
  const did = dryRun ? 'checked' : ended === 'complete' ? 'imported' : 'cut off after'
  const rows = counts.rows + counts.rejected - (before === undefined ? 0 : before.rows + before.rejected)
  if (before !== undefined && rows === 0) io.out('Nothing new: all of it was imported before.\n')
  else if (before !== undefined) io.out(`went on after ${before.rows} rows, and read ${rows} more\n`)
  io.out(`${did} ${counts.rows} rows${dryRun ? '' : ` (${counts.events} events)`}, ${counts.rejected} rejected\n`)
  if (unknownFields.length > 0) io.out(`left out, as we have no name for them: ${unknownFields.join(', ')} (--map)\n`)
  if (counts.rejected > 0 && !dryRun && path !== '-') {
    io.out(`the rejected rows, with the reasons: ${args.value('rejected') ?? `${path}.rejected.ndjson`}\n`)
  }
  if (ended === 'interrupted') io.out('Call it again to go on.\n')
  if (ended === 'too-many-errors') {
    io.out('Too many bad rows: check the columns with --map, or go on with a larger --max-errors.\n')
  }
}
