import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fullName, type NamedSchema, type RecordSchema } from '../avro.ts'
import type { ReleasedVersion } from '../diff.ts'

/** Reading schemas/ from disk; only the tools do, the engine has everything in schemas/generated. */
export const SCHEMAS_DIR = join(import.meta.dirname, '..')
const NOT_AREAS = new Set(['shared', 'tools', 'generated', 'released'])

export interface Source<T extends NamedSchema = NamedSchema> {
  /** Relative to schemas/, such as playback/Heartbeat.avsc. */
  readonly file: string
  readonly area: string
  readonly schema: T
}

export interface Sources {
  readonly events: readonly Source<RecordSchema>[]
  readonly shared: readonly Source[]
  readonly sharedByName: ReadonlyMap<string, NamedSchema>
}

export function readSources(dir = SCHEMAS_DIR): Sources {
  const areas = readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !NOT_AREAS.has(entry.name))
    .map((entry) => entry.name)
    .sort()
  const shared = readArea(dir, 'shared')
  const events = areas.flatMap((area) => readArea(dir, area)) as Source<RecordSchema>[]
  return { events, shared, sharedByName: new Map(shared.map(({ schema }) => [fullName(schema), schema])) }
}

function readArea(dir: string, area: string): Source[] {
  return readdirSync(join(dir, area))
    .filter((name) => name.endsWith('.avsc'))
    .sort()
    .map((name) => {
      const file = `${area}/${name}`
      return { file, area, schema: parse(readFileSync(join(dir, file), 'utf8'), file) }
    })
}

function parse(text: string, file: string): NamedSchema {
  try {
    return JSON.parse(text) as NamedSchema
  } catch (error) {
    throw new Error(`${file} is not JSON: ${(error as Error).message}`, { cause: error })
  }
}

/** One line of released/index.json. An id, once given, means this version forever. */
export interface IndexLine {
  readonly id: number
  readonly subject: string
  readonly version: number
  readonly file: string
  /** Of the file, so that a change after the release is seen. */
  readonly sha256: string
}

export function readReleased(dir = SCHEMAS_DIR): (IndexLine & ReleasedVersion)[] {
  const index = join(dir, 'released', 'index.json')
  if (!existsSync(index)) return []
  const lines = JSON.parse(readFileSync(index, 'utf8')) as IndexLine[]
  return lines.map((line) => ({
    ...line,
    schema: parse(readFileSync(join(dir, 'released', line.file), 'utf8'), line.file) as RecordSchema,
  }))
}
