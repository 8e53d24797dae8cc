/** What `playhead schemas diff` and `playhead schemas list` print, as data. */
import { fullName, type RecordSchema, type Schema } from '../avro.ts'
import { diffSchemas } from '../diff.ts'
import { RELEASED } from '../generated/released.ts'
import { SOURCES, SUBJECTS } from '../generated/sources.ts'
import { nearest } from '../nearest.ts'
import { selfContained } from '../self-contained.ts'
import { readSources } from './sources.ts'

export interface DiffReport {
  readonly subject: string
  /** What today's source was compared with: "version 3" or the name of a file. Null for a subject never released. */
  readonly against: string | null
  readonly compatible: boolean
  readonly problems: readonly string[]
  readonly changes: readonly string[]
}

export interface DiffRequest {
  /** Full record name or event type; all that changed without it. */
  readonly subject?: string
  /** A released version, or another schema with what to call it. Without it: every version ever released. */
  readonly against?: number | { readonly name: string; readonly schema: RecordSchema }
  /** A checkout's schemas/ folder; without it, the sources that were built in. */
  readonly dir?: string
}

/** Throws with a plain sentence if the subject or version does not exist. */
export function diffReport({ subject, against, dir }: DiffRequest): DiffReport[] {
  const current = dir === undefined ? builtIn() : onDisk(dir)
  const wanted = subject === undefined ? [...current.keys()] : [resolveSubject(subject, current)]
  return wanted.flatMap((name) => {
    const schema = current.get(name) as RecordSchema
    const reports = compare(name, schema, against)
    if (subject !== undefined) return reports
    // What is as it was released last was not edited, and how that differs from older versions is no news.
    const newest = reports.at(-1)
    return newest !== undefined && says(newest) ? reports.filter(says) : []
  })
}

function says({ problems, changes }: DiffReport): boolean {
  return problems.length > 0 || changes.length > 0
}

function compare(subject: string, current: RecordSchema, against: DiffRequest['against']): DiffReport[] {
  if (typeof against === 'object') {
    return [
      { subject, against: against.name, ...diffSchemas(against.schema, current, [against.name, "today's source"]) },
    ]
  }
  const history = RELEASED.filter((version) => version.subject === subject)
  if (history.length === 0) {
    return [{ subject, against: null, compatible: true, problems: [], changes: ['it is new and was never released.'] }]
  }
  const chosen = against === undefined ? history : history.filter(({ version }) => version === against)
  if (chosen.length === 0)
    throw new Error(`${subject} has no version ${String(against)}; it has 1 to ${history.length}.`)
  return chosen.map(({ version, schema: text }) => {
    const schema = JSON.parse(text) as RecordSchema
    const name = `version ${version}`
    return { subject, against: name, ...diffSchemas(schema, current, [name, "today's source"]) }
  })
}

function resolveSubject(name: string, current: ReadonlyMap<string, RecordSchema>): string {
  const subject = current.has(name) ? name : [...current.keys()].find((full) => full.endsWith(`.${name}`))
  if (subject !== undefined) return subject
  const near = nearest(name, [...current.keys(), ...Object.keys(SUBJECTS)])
  throw new Error(`there is no event ${name}${near ? `; did you mean ${near}?` : '.'}`)
}

function builtIn(): Map<string, RecordSchema> {
  const all = new Map(Object.entries(SOURCES).map(([name, text]) => [name, JSON.parse(text) as Schema]))
  const subjects = Object.values(SUBJECTS)
  return new Map(subjects.map((subject) => [subject, selfContained(all.get(subject) as RecordSchema, all as never)]))
}

function onDisk(dir: string): Map<string, RecordSchema> {
  const { events, sharedByName } = readSources(dir)
  return new Map(events.map(({ schema }) => [fullName(schema), selfContained(schema, sharedByName)]))
}
