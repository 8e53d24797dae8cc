/** `playhead schemas`: which events there are, and what changed between their versions. */
import { readFileSync } from 'node:fs'
import type { RecordSchema } from '../../schemas/avro.ts'
import { diffSchemas, type SchemaDiff } from '../../schemas/diff.ts'
import { EVENT_TYPES, EVENTS, nearest, RELEASED } from '../../schemas/index.ts'
import { diffReport } from '../../schemas/tools/report.ts'
import { type Args, UsageError } from '../args.ts'
import { type Command, JSON_FLAG, table } from '../command.ts'

export const list: Command = {
  name: 'schemas list',
  about: 'Every type of event: its topic, its subject in the schema registry, its versions and their ids.',
  flags: [JSON_FLAG],
  run: async (args, io) => {
    const rows = EVENT_TYPES.map((type) => {
      const { subject, topic } = EVENTS[type]
      const versions = RELEASED.filter((released) => released.subject === subject)
      return {
        type,
        topic: topic ?? 'its original’s',
        subject,
        versions: versions.map(({ version, id }) => ({ version, id })),
      }
    })
    if (args.has('json')) io.out(`${JSON.stringify(rows, undefined, 2)}\n`)
    else {
      const cells = rows.map((r) => [
        r.type,
        r.topic,
        r.subject,
        r.versions.map((v) => `v${v.version} (id ${v.id})`).join(' '),
      ])
      io.out(`${table(['TYPE', 'TOPIC', 'SUBJECT', 'VERSIONS'], cells)}\n`)
    }
    return 0
  },
}

interface Compared extends SchemaDiff {
  readonly subject: string
  readonly older: string
  readonly newer: string
}

export const diff: Command = {
  name: 'schemas diff',
  about: `Without --against: each released version of TYPE (or of all types) against the one before it. With it: the newest
version against an older one, or against a self-contained schema in a file, as a registry answers it. With --sources:
what was edited in a checkout's schemas folder, against every version ever released; all that changed, or TYPE.
Exit code 1 if two of them can't live together; the sentences say why and what to do.`,
  positionals: [{ name: 'TYPE', optional: true }],
  flags: [
    { name: 'against', value: 'VERSION|FILE', help: 'What to compare the newest version with.' },
    { name: 'sources', value: 'FOLDER', help: 'A schemas folder whose .avsc files were edited.' },
    JSON_FLAG,
  ],
  examples: [
    'playhead schemas diff Heartbeat',
    'playhead schemas diff Heartbeat --against ./Heartbeat.avsc',
    'playhead schemas diff --sources schemas',
  ],
  run: async (args, io) => {
    const sources = args.value('sources')
    const compared = sources === undefined ? compare(args) : compareSources(args, sources)
    if (args.has('json')) io.out(`${JSON.stringify(compared, undefined, 2)}\n`)
    else
      io.out(
        compared.length > 0
          ? compared.map(textOf).join('\n')
          : sources === undefined
            ? 'There is one version of each: nothing to compare.\n'
            : `Nothing in ${sources} differs from what was released.\n`,
      )
    return compared.every((c) => c.compatible) ? 0 : 1
  },
}

function compare(args: Args): readonly Compared[] {
  const against = args.value('against')
  const typed = args.positional('TYPE')
  if (against === undefined) {
    const subjects = typed === undefined ? [...new Set(RELEASED.map((r) => r.subject))] : [subjectOf(typed)]
    return subjects.flatMap((subject) => {
      const versions = versionsOf(subject)
      return versions.slice(1).map((newer, i) => pair(subject, versions[i]!, newer))
    })
  }
  if (typed === undefined) throw new UsageError('--against wants a TYPE.', 'schemas diff')
  const subject = subjectOf(typed)
  const newest = versionsOf(subject).at(-1)!
  if (!/^\d+$/.test(against)) return [pair(subject, newest, { name: against, schema: readSchema(against) })]
  const older = versionsOf(subject).find((v) => v.name === `version ${against}`)
  if (older === undefined) throw new UsageError(`${subject} has no version ${against}.`, 'schemas diff')
  return [pair(subject, older, newest)]
}

function compareSources(args: Args, dir: string): readonly Compared[] {
  if (args.has('against')) throw new UsageError('--sources and --against are two questions: ask one.', 'schemas diff')
  const typed = args.positional('TYPE')
  try {
    const reports = diffReport(typed === undefined ? { dir } : { dir, subject: typed })
    return reports.map(({ against, ...report }) => ({ ...report, older: against ?? 'nothing', newer: dir }))
  } catch (error) {
    throw new UsageError(`--sources: ${(error as Error).message}`, 'schemas diff')
  }
}

interface Named {
  readonly name: string
  readonly schema: RecordSchema
}

function pair(subject: string, older: Named, newer: Named): Compared {
  return {
    subject,
    older: older.name,
    newer: newer.name,
    ...diffSchemas(older.schema, newer.schema, [older.name, newer.name]),
  }
}

function versionsOf(subject: string): readonly Named[] {
  return RELEASED.filter((r) => r.subject === subject).map(({ version, schema }) => ({
    name: `version ${version}`,
    schema: JSON.parse(schema) as RecordSchema,
  }))
}

function subjectOf(typed: string): string {
  const type = EVENT_TYPES.find((t) => t === typed || EVENTS[t].subject === typed)
  if (type !== undefined) return EVENTS[type].subject
  const near = nearest(typed, EVENT_TYPES)
  throw new UsageError(
    `There is no event ${typed}.${near === undefined ? '' : ` Did you mean ${near}?`}`,
    'schemas diff',
  )
}

function readSchema(path: string): RecordSchema {
  try {
    const parsed = JSON.parse(readFileSync(path, 'utf8')) as RecordSchema & { readonly schema?: string }
    return typeof parsed.schema === 'string' ? (JSON.parse(parsed.schema) as RecordSchema) : parsed
  } catch (error) {
    throw new UsageError(`--against: ${path} can't be read as a schema: ${(error as Error).message}`, 'schemas diff')
  }
}

function textOf({ subject, older, newer, compatible, problems, changes }: Compared): string {
  const lines = [...problems.map((problem) => `  ✗ ${problem}`), ...changes.map((change) => `  · ${change}`)]
  return `${compatible ? '✓' : '✗'} ${subject}, ${older} → ${newer}\n${lines.map((line) => `${line}\n`).join('')}`
}
