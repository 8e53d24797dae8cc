/**
 * `npm run schemas:check`: the sources keep the rules, every version ever released lives with every other of its
 * subject, the newest released version is today's source, and schemas/generated says the same.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fullName } from '../avro.ts'
import { diffSchemas, type ReleasedVersion } from '../diff.ts'
import { selfContained, structureOf } from '../self-contained.ts'
import { staleFiles } from './generate.ts'
import { lint } from './lint.ts'
import { avscRefuses } from './second-opinion.ts'
import { type IndexLine, readReleased, readSources, SCHEMAS_DIR, type Sources } from './sources.ts'

/** One sentence for each thing that is wrong; none if all is well. */
export function checkSchemas(dir: string): string[] {
  const sources = readSources(dir)
  const released = readReleased(dir)
  const subjects = bySubject(released)
  return [
    ...lint(sources),
    ...indexProblems(dir, released),
    ...[...subjects.values()].flatMap(pairwiseProblems),
    ...unreleased(sources, subjects),
    ...staleFiles(dir).map((file) => `schemas/${file} is out of date: npm run schemas:generate.`),
  ]
}

/** Ids ascend from 1, versions of a subject from 1, and nothing that was released was touched. */
function indexProblems(dir: string, released: readonly IndexLine[]): string[] {
  const problems: string[] = []
  const versions = new Map<string, number>()
  released.forEach(({ id, subject, version, file, sha256 }, i) => {
    if (id !== i + 1) problems.push(`released/index.json: id ${id} stands where ${i + 1} belongs.`)
    const expected = (versions.get(subject) ?? 0) + 1
    versions.set(subject, version)
    if (version !== expected)
      problems.push(`released/index.json: ${subject} has version ${version} after ${expected - 1}.`)
    const found = createHash('sha256')
      .update(readFileSync(join(dir, 'released', file)))
      .digest('hex')
    if (found !== sha256) problems.push(`released/${file} was changed after its release: restore it.`)
  })
  const listed = new Set(released.map(({ file }) => file))
  const onDisk = readdirSync(join(dir, 'released'), { recursive: true }) as string[]
  for (const file of onDisk.map((name) => name.replaceAll('\\', '/'))) {
    if (file.endsWith('.avsc') && !listed.has(file)) problems.push(`released/${file} is not in index.json.`)
  }
  return problems
}

function pairwiseProblems(versions: readonly ReleasedVersion[]): string[] {
  return versions.flatMap((newer, i) =>
    versions.slice(0, i).flatMap((older) => {
      const { problems } = diffSchemas(older.schema, newer.schema, [
        `version ${older.version}`,
        `version ${newer.version}`,
      ])
      const all = problems.length > 0 ? problems : avscRefuses(older.schema, newer.schema)
      return all.map((problem) => `${newer.subject}: ${problem}`)
    }),
  )
}

function unreleased(
  { events, sharedByName }: Sources,
  subjects: ReadonlyMap<string, readonly ReleasedVersion[]>,
): string[] {
  const problems: string[] = []
  for (const { schema, file } of events) {
    const history = subjects.get(fullName(schema)) ?? []
    const current = selfContained(schema, sharedByName)
    const newest = history.at(-1)
    if (newest && structureOf(newest.schema) === structureOf(current)) continue
    const breaks = history.flatMap(
      (older) => diffSchemas(older.schema, current, [`version ${older.version}`, 'the new one']).problems,
    )
    problems.push(
      ...(breaks.length > 0
        ? breaks.map((problem) => `${file}: ${problem}`)
        : [`${file} is not what was last released: npm run schemas:release.`]),
    )
  }
  const known = new Set(events.map(({ schema }) => fullName(schema)))
  for (const subject of subjects.keys()) {
    if (!known.has(subject))
      problems.push(`${subject} was released but has no source: its events are still in logs, put it back.`)
  }
  return problems
}

function bySubject<T extends ReleasedVersion>(released: readonly T[]): Map<string, T[]> {
  const subjects = new Map<string, T[]>()
  for (const version of released) subjects.set(version.subject, [...(subjects.get(version.subject) ?? []), version])
  return subjects
}

if (process.argv[1] === import.meta.filename) {
  const problems = checkSchemas(SCHEMAS_DIR)
  for (const problem of problems) console.error(`✗ ${problem}`)
  if (problems.length > 0) process.exitCode = 1
  else console.log(`✓ schemas: ${readReleased().length} released versions, all compatible`)
}
