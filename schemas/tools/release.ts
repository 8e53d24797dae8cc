/**
 * `npm run schemas:release`: gives every changed source its next version in schemas/released, if all versions ever
 * released can live with it. Nothing that was released is touched.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fullName } from '../avro.ts'
import { explainHistory } from '../diff.ts'
import { selfContained, structureOf } from '../self-contained.ts'
import { generate } from './generate.ts'
import { lint } from './lint.ts'
import { avscRefuses } from './second-opinion.ts'
import { type IndexLine, readReleased, readSources, SCHEMAS_DIR } from './sources.ts'

/** Answers the versions that were added; throws, with nothing written, if one of them breaks an older one. */
export function release(dir: string): IndexLine[] {
  const sources = readSources(dir)
  const { events, sharedByName } = sources
  const released = readReleased(dir)
  const added: (IndexLine & { text: string })[] = []
  const problems: string[] = lint(sources)
  let id = Math.max(0, ...released.map((line) => line.id))
  for (const { area, schema } of events) {
    const subject = fullName(schema)
    const history = released.filter((line) => line.subject === subject)
    const newest = history.at(-1)
    const candidate = selfContained(schema, sharedByName)
    if (newest && structureOf(newest.schema) === structureOf(candidate)) continue
    problems.push(...explainHistory(candidate, history))
    for (const older of history) problems.push(...avscRefuses(older.schema, candidate).map((p) => `${subject}: ${p}`))
    const version = (newest?.version ?? 0) + 1
    const file = `${area}/${schema.name}.v${version}.avsc`
    id += 1
    const text = `${JSON.stringify(candidate, null, 1)}\n`
    added.push({ id, subject, version, file, sha256: createHash('sha256').update(text).digest('hex'), text })
  }
  if (problems.length > 0) throw new Error(`not released:\n${problems.map((p) => `  - ${p}`).join('\n')}`)

  for (const { file, text } of added) {
    const path = join(dir, 'released', file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text, { flag: 'wx' })
  }
  const lines = [...released, ...added].map(({ id, subject, version, file, sha256 }) => ({
    id,
    subject,
    version,
    file,
    sha256,
  }))
  const index = `[\n${lines.map((line) => `  ${JSON.stringify(line)}`).join(',\n')}\n]\n`
  writeFileSync(join(dir, 'released', 'index.json'), index)
  return added
}

if (process.argv[1] === import.meta.filename) {
  try {
    for (const { id, subject, version } of release(SCHEMAS_DIR)) console.log(`${subject} v${version} (id ${id})`)
    for (const file of generate(SCHEMAS_DIR)) console.log(`wrote ${file}`)
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
}
