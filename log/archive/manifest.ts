/**
 * What an archive holds, in `archive.json`. A file counts only when it stands there; the manifest is replaced whole, and
 * after the files that it names are on the disk. So a run that was cut off anywhere leaves an archive that is right,
 * perhaps with files beside it that nobody knows; the next run takes those away.
 *
 *   FOLDER/archive.json
 *   FOLDER/playback-events/2026-11-21/p3-00000000000000001234.avro
 *
 * A partition's files follow one another without a hole: each begins at the position at which the one before it ends.
 */
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Position, TopicPartition, TopicSpec } from '../log.ts'
import { ArchiveError } from './errors.ts'
import { ARCHIVE_LIMITS } from './limits.ts'

export interface ArchivedFile extends TopicPartition {
  /** Below the archive's folder. */
  readonly path: string
  /** It answers for the positions from here … */
  readonly from: Position
  /** … to before here; not each of them needs to have a record. */
  readonly next: Position
  readonly first: Position
  readonly last: Position
  readonly records: number
  readonly bytes: number
  /** Of the file. */
  readonly sha256: string
  /** Of its records: position, time, key, headers and value of each. */
  readonly digest: string
  /** The log's clock at its end: the greatest time of a record up to there. */
  readonly clockMs: number
}

export interface Manifest {
  /** Whose positions these are. */
  readonly incarnation: string
  readonly topics: readonly TopicSpec[]
  /** By place, then by position. */
  readonly files: readonly ArchivedFile[]
}

const NAME = 'archive.json'
const FORMAT = 1
export const DRAFT = '.partial'
const FILE = /^[A-Za-z0-9._-]{1,249}\/[\d-]{1,16}\/p\d+-\d{20}\.avro$/
const OURS = /^p\d+-\d{20}\.avro(\.partial)?$/

export function pathOf({ topic, partition }: TopicPartition, day: string, from: Position): string {
  return `${topic}/${day}/p${partition}-${from.toString().padStart(20, '0')}.avro`
}

/** Undefined: there is no archive yet. */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  const path = join(folder, NAME)
  const found = await stat(path).catch(absent)
  if (found === undefined) return undefined
  if (found.size > ARCHIVE_LIMITS.manifestBytesMax) throw new ArchiveError(`${path} is too large to be a manifest`)
  return parsed(path, await readFile(path, 'utf8'))
}

export function refuseAnother({ incarnation }: Manifest, live: string, folder: string): void {
  if (incarnation === live) return
  const whose = `${folder} is the archive of another log (${incarnation}, this one is ${live})`
  throw new ArchiveError(
    `${whose}: a log that was restored or copied is a new one, and needs an archive folder of its own`,
  )
}

/** Changes when the manifest does. */
export async function stampOf(folder: string): Promise<string> {
  const found = await stat(join(folder, NAME), { bigint: true }).catch(absent)
  return found === undefined ? '' : `${found.mtimeNs}/${found.size}/${found.ino}`
}

function parsed(path: string, text: string): Manifest {
  let read: { format?: unknown; incarnation?: unknown; topics?: unknown; files?: unknown }
  try {
    read = JSON.parse(text, (name, value) => (POSITIONS.has(name) ? BigInt(value as string) : value))
  } catch (error) {
    throw new ArchiveError(`${path} is damaged: ${String(error)}`, { cause: error })
  }
  const { format, incarnation, topics, files } = read
  if (format !== FORMAT) throw new ArchiveError(`${path} has format ${String(format)}, this release reads ${FORMAT}`)
  if (typeof incarnation !== 'string' || !Array.isArray(topics) || !Array.isArray(files)) {
    throw new ArchiveError(`${path} is no manifest of an archive`)
  }
  const manifest = { incarnation, topics: topics as TopicSpec[], files: (files as ArchivedFile[]).sort(inOrder) }
  manifest.files.forEach((file, i) => {
    if (!FILE.test(file.path))
      throw new ArchiveError(`${path} names a file "${file.path}" that can't be one of its own`)
    const before = manifest.files[i - 1]
    if (before !== undefined && inOne(before, file) && before.next !== file.from) {
      throw new ArchiveError(
        `${path} has a hole: ${before.path} ends at ${before.next}, ${file.path} begins at ${file.from}`,
      )
    }
  })
  return manifest
}

const POSITIONS: ReadonlySet<string> = new Set(['from', 'next', 'first', 'last'])

function inOrder(a: ArchivedFile, b: ArchivedFile): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  if (a.partition !== b.partition) return a.partition - b.partition
  return a.from < b.from ? -1 : 1
}

function inOne(a: TopicPartition, b: TopicPartition): boolean {
  return a.topic === b.topic && a.partition === b.partition
}

/** The drafts become files, then the manifest names them. */
export async function noteFiles(
  folder: string,
  manifest: Manifest,
  written: readonly ArchivedFile[],
  at: (step: string) => void = () => undefined,
): Promise<Manifest> {
  for (const { path } of written) {
    await rename(join(folder, path + DRAFT), join(folder, path))
    at('renamed')
  }
  for (const dir of new Set(written.map(({ path }) => dirname(path)))) {
    await sync(join(folder, dir))
    await sync(join(folder, dirname(dir)))
  }
  const noted = { ...manifest, files: [...manifest.files, ...written].sort(inOrder) }
  const draft = join(folder, NAME + DRAFT)
  await mkdir(folder, { recursive: true })
  await writeFile(draft, toText(noted), { mode: 0o600 })
  await sync(draft)
  at('drafted')
  await rename(draft, join(folder, NAME))
  await sync(folder)
  return noted
}

function toText(manifest: Manifest): string {
  const plain = (value: unknown) => JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}` : v))
  const files = manifest.files.map((file) => `  ${plain(file)}`).join(',\n')
  const head = `"format": ${FORMAT},\n "incarnation": ${plain(manifest.incarnation)},\n "topics": ${plain(manifest.topics)}`
  return `{${head},\n "files": [\n${files}\n ]}\n`
}

/** What a run that was cut off left behind. */
export async function removeStrays(folder: string, { files }: Manifest): Promise<void> {
  const known = new Set(files.map(({ path }) => path))
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(absent)
  for (const entry of found ?? []) {
    if (!entry.isFile() || !OURS.test(entry.name)) continue
    const path = join(entry.parentPath, entry.name)
    const below = path.slice(folder.length + 1).replaceAll('\\', '/')
    if (!known.has(below)) await rm(path, { force: true })
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

function absent(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}
