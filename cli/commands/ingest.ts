/** `playhead ingest cmcd-log FILE…`: media requests of CDNs' access logs, by the CMCD that players sent with them. */
import { basename, join, resolve } from 'node:path'
import { type Args, type Flag, UsageError } from '../args.ts'
import type { Command, Io } from '../command.ts'
import { loadConfig } from '../config.ts'
import { openCodec, openLog } from '../engines.ts'
import { IMPORT_LIMITS } from '../import/limits.ts'
import { INGEST_LIMITS } from '../ingest/limits.ts'
import type { IngestPorts, PassedOver } from '../ingest/lines.ts'
import { logFormatOf } from '../ingest/open.ts'
import { FORMATS, LINE_FIELDS } from '../ingest/presets.ts'
import { type IngestOutcome, ingest } from '../ingest/run.ts'
import { untilInterrupted } from '../interrupt.ts'
import { DEFAULT_APP, DEFAULT_ENVIRONMENT } from '../key-file.ts'

const NAME = 'ingest cmcd-log'

const FLAGS: readonly Flag[] = [
  { name: 'format', value: 'FORMAT', help: `${FORMATS.join(', ')}; without it, by how the log begins.` },
  { name: 'map', value: 'THEIRS=OURS', help: 'Name of a field in the log; may be repeated.', many: true },
  {
    name: 'fields',
    value: 'NAMES',
    help: 'Names of values between tabs, with commas between, where no #Fields line is.',
  },
  { name: 'cdn', value: 'NAME', help: "Who served, where the log doesn't say." },
  { name: 'app', value: 'APP', help: `Application that the requests belong to [${DEFAULT_APP}]` },
  { name: 'environment', value: 'ENV', help: `Its environment [${DEFAULT_ENVIRONMENT}]` },
  { name: 'assume-utc', help: 'Take a time without a zone for UTC; such lines are rejected otherwise.' },
  { name: 'max-errors', value: 'N', help: `Give up a log after more bad lines than this [${IMPORT_LIMITS.errorsMax}]` },
  { name: 'state-dir', value: 'DIR', help: 'Where to remember how far each log is, and to put bad lines [beside it]' },
  { name: 'dry-run', help: 'Read and check only: nothing is written.' },
  { name: 'json', help: 'Print the outcome of each log as a line of JSON.' },
]

export const cmcdLog: Command = {
  name: NAME,
  about: `FILE is an access log, zipped (gzip) or not; - reads standard input. Lines that carry CMCD, in the query or as logged
headers, become rows of cdn_requests; the others are counted and passed over. Addresses and user agents are left out.
Cut off by Ctrl-C or a crash, it goes on where it was when called again; a log that grew goes on with its new lines;
reading a log twice adds nothing. A bad line is told, written to FILE.rejected.ndjson and left out.
Fields: ${LINE_FIELDS.join(', ')}KEY.`,
  positionals: [{ name: 'FILE', many: true }],
  flags: FLAGS,
  examples: [
    'playhead ingest cmcd-log /var/log/nginx/media.log --cdn own',
    'playhead ingest cmcd-log E123.2026-11-21-10.*.gz --format cloudfront',
    'playhead ingest cmcd-log edge.ndjson --map at=time --map edge_node=edge --dry-run',
  ],
  run,
}

async function run(args: Args, io: Io): Promise<number> {
  const paths = args.positionals('FILE')
  const places = placesOf(args, paths)
  const dryRun = args.has('dry-run')
  const settings = {
    wish: {
      format: logFormatOf(args.value('format'), NAME),
      columns: args.value('fields')?.split(/[,\s]+/),
      maps: args.values('map'),
      command: NAME,
    },
    cdn: args.value('cdn'),
    appId: nameOf(args, 'app', DEFAULT_APP),
    environment: nameOf(args, 'environment', DEFAULT_ENVIRONMENT),
    assumeUtc: args.has('assume-utc'),
    errorsMax: args.integer('max-errors', IMPORT_LIMITS.errorsMax),
  }
  const { config } = loadConfig(io.env)
  const signal = untilInterrupted()
  const codec = await openCodec(config)
  const log = dryRun ? undefined : await openLog(config)
  const ports: IngestPorts | undefined = log === undefined ? undefined : { log, codec }
  let whole = true
  try {
    for (const path of paths) {
      const outcome = await ingest(ports, { path, ...settings, ...places(path), signal, nowMs: Date.now, io })
      tell(io, args, path, outcome, dryRun)
      if (outcome.ended !== 'complete') whole = false
      if (outcome.ended === 'interrupted') break
    }
  } finally {
    await log?.close()
  }
  return whole ? 0 : 1
}

/** Two files beside each log; standard input has no place, and a dry run writes nothing. */
function placesOf(args: Args, paths: readonly string[]) {
  if (paths.length > INGEST_LIMITS.filesMax) throw new UsageError(`At most ${INGEST_LIMITS.filesMax} files.`, NAME)
  const dir = args.value('state-dir')
  const beside = (path: string) => (dir === undefined ? path : join(dir, basename(path)))
  const taken = new Set<string>()
  for (const path of paths) {
    const place = resolve(beside(path))
    if (taken.has(place)) throw new UsageError(`Two files would be remembered as ${place}: read one at a time.`, NAME)
    taken.add(place)
  }
  return (path: string) => {
    if (path === '-' || args.has('dry-run')) return { statePath: undefined, rejectedPath: undefined }
    return { statePath: `${beside(path)}.playhead-ingest.json`, rejectedPath: `${beside(path)}.rejected.ndjson` }
  }
}

function nameOf(args: Args, flag: string, fallback: string): string {
  const name = args.value(flag) ?? fallback
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) return name
  throw new UsageError(`--${flag}: 1 to 64 letters, digits, dots, dashes or underscores.`, NAME)
}

const WHY: Readonly<Record<PassedOver, string>> = {
  withoutCmcd: 'without CMCD',
  withoutSession: 'with CMCD that names no session',
  unreadableCmcd: 'with CMCD that is too long, empty or of a later version',
}

function tell(io: Io, args: Args, path: string, outcome: IngestOutcome, dryRun: boolean): void {
  const { counts, ended, before, seen, lastLineLeft, format, unknownFields, replaced } = outcome
  if (args.has('json')) {
    io.out(`${JSON.stringify({ file: path, dryRun, ...outcome })}\n`)
    return
  }
  const rows = counts.rows - (before?.rows ?? 0)
  const rejected = counts.rejected - (before?.rejected ?? 0)
  const passed = Object.values(seen.passedOver).reduce((sum, n) => sum + n, 0)
  const did = {
    complete: dryRun ? 'checked' : 'read',
    interrupted: 'cut off after',
    'too-many-errors': 'gave up after',
  }
  const went = before === undefined ? '' : ` more, after ${before.rows + before.rejected} before`
  io.out(
    `${path}: ${did[ended]} ${rows + rejected} lines${went} (${format ?? 'empty'}), ${rows - passed} media requests`,
  )
  io.out(rejected === 0 ? '\n' : `, ${rejected} rejected\n`)
  if (replaced) io.out('  Another log stood under this name before: this one was read from its beginning.\n')
  for (const [why, n] of Object.entries(seen.passedOver)) {
    if (n > 0) io.out(`  passed over: ${n} ${WHY[why as PassedOver]}\n`)
  }
  if (seen.faulty > 0)
    io.out(`  ${seen.faulty} with something wrong in their CMCD; GET /v1/cmcd/conformance says what\n`)
  if (dryRun && unknownFields.length > 0) io.out(`  fields without a name of ours: ${unknownFields.join(', ')}\n`)
  if (lastLineLeft) io.out('  The last line has no end yet: the next call reads it.\n')
  if (ended === 'interrupted') io.out('Call it again to go on.\n')
  if (ended === 'too-many-errors') {
    io.out('  Too many bad lines: check --format and --map, or go on with a larger --max-errors.\n')
  }
}
