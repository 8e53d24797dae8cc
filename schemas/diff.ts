/**
 * Why two versions of an event can or can't live together, in words. Every reader must read every version ever
 * written, and every old reader what is written today (Avro's FULL_TRANSITIVE), and a replay of old bytes must always
 * give the same values (so a default, once released, stays as it is).
 */
import { isUnion, type RecordSchema } from './avro.ts'
import { meaningProblems } from './meaning.ts'
import { type Cause, readProblems } from './resolution.ts'

export interface ReleasedVersion {
  readonly subject: string
  readonly version: number
  readonly schema: RecordSchema
}

export interface SchemaDiff {
  readonly compatible: boolean
  /** One sentence per problem: the field's path, what is wrong, what to do. */
  readonly problems: readonly string[]
  /** What else changed, harmlessly. */
  readonly changes: readonly string[]
}

/** Both schemas self-contained; `older` and `newer` are what the sentences call them, such as "version 2". */
export function diffSchemas(
  older: RecordSchema,
  newer: RecordSchema,
  names = ['the old version', 'the new one'],
): SchemaDiff {
  const [oldName = '', newName = ''] = names
  const found = new Map<string, Finding>()
  for (const cause of readProblems(newer, older)) note(found, cause, 'newReadsOld')
  for (const cause of readProblems(older, newer)) note(found, cause, 'oldReadsNew')
  const problems = [...found.values()].map((finding) => sentence(finding, oldName, newName))
  problems.push(...meaningProblems(older, newer))
  return { compatible: problems.length === 0, problems, changes: harmlessChanges(older, newer, problems) }
}

/** What speaks against a candidate, held against every version of its subject ever released. */
export function explainHistory(candidate: RecordSchema, history: readonly ReleasedVersion[]): string[] {
  return history.flatMap(({ subject, version, schema }) =>
    diffSchemas(schema, candidate, [`version ${version}`, 'the new one']).problems.map(
      (problem) => `${subject}: ${problem}`,
    ),
  )
}

type Direction = 'newReadsOld' | 'oldReadsNew'
interface Finding {
  readonly cause: Cause
  readonly directions: Set<Direction>
}

/** The same change often hurts in both directions: one sentence says so. */
function note(found: Map<string, Finding>, cause: Cause, direction: Direction): void {
  const key = `${cause.kind} ${cause.path}`
  const finding = found.get(key) ?? { cause, directions: new Set() }
  finding.directions.add(direction)
  found.set(key, finding)
}

function sentence({ cause, directions }: Finding, oldName: string, newName: string): string {
  const both = directions.size === 2
  const newReads = directions.has('newReadsOld')
  const effect = both
    ? `${oldName} and ${newName} can't read each other`
    : newReads
      ? `${newName} can't read what ${oldName} wrote`
      : `${oldName} can't read what ${newName} writes`
  // The causes are told from the reader's side; which side is new decides the words.
  const [before, after] = newReads ? [cause.writer, cause.reader] : [cause.reader, cause.writer]
  switch (cause.kind) {
    case 'field':
      return newReads
        ? `${cause.path} was added without a default, so ${effect}; make it ["null", …] with "default": null, or give it another default.`
        : `${cause.path} was removed but had no default, so ${effect}; keep the field (its doc may say that it is no longer used).`
    case 'type':
      return `${cause.path} changed from ${before} to ${after}, so ${effect}; keep the type and add a new field beside it.`
    case 'branch':
      return newReads
        ? `${cause.path} lost the branch ${cause.writer}, so ${effect}; keep the branch.`
        : `${cause.path} got the branch ${cause.writer}, so ${effect}; add a new field beside it.`
    case 'symbol':
      return newReads
        ? `${cause.path} lost the symbol ${cause.writer} and has no default, so ${effect}; keep the symbol.`
        : `${cause.path} got the symbol ${cause.writer}, for which ${oldName} has no default, so ${effect}; add a new field beside it.`
    case 'name':
      return `${cause.path} was renamed from ${before} to ${after}, so ${effect}; keep the name.`
    case 'size':
      return `${cause.path} changed its size from ${before} to ${after} bytes, so ${effect}; add a new field beside it.`
    case 'alias':
      return `${cause.path} has several aliases (${cause.writer}) that all occur, so ${effect}; leave one of them.`
  }
}

function harmlessChanges(older: RecordSchema, newer: RecordSchema, problems: readonly string[]): string[] {
  const changes: string[] = []
  const before = fieldPaths(older)
  const after = fieldPaths(newer)
  const told = (path: string): boolean => problems.some((problem) => problem.startsWith(`${path} `))
  for (const [path, field] of after) {
    if (before.has(path) || told(path)) continue
    changes.push(`${path} was added, with the default ${JSON.stringify(field)}.`)
  }
  for (const path of before.keys())
    if (!after.has(path) && !told(path)) changes.push(`${path} was removed; it had a default.`)
  return changes
}

/** Every field of a self-contained schema by its path, with its default. A type that occurs again is not entered. */
function fieldPaths(schema: RecordSchema): Map<string, unknown> {
  const paths = new Map<string, unknown>()
  const walk = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return
    if (isUnion(node as never)) {
      for (const branch of node as unknown[]) walk(branch, path)
      return
    }
    const { type, items, values, fields } = node as {
      type: string
      items?: unknown
      values?: unknown
      fields?: RecordSchema['fields']
    }
    if (type === 'array') walk(items, `${path}[]`)
    else if (type === 'map') walk(values, `${path}{}`)
    for (const field of fields ?? []) {
      const at = path === '' ? field.name : `${path}.${field.name}`
      paths.set(at, field.default)
      walk(field.type, at)
    }
  }
  walk(schema, '')
  return paths
}
