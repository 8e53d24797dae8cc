/**
 * A set: the files of one generation in an export's folder, and the manifest that says what each of them holds.
 *
 *   DIR/views_v1_1a2b3c4d/_playhead.json              what is in which file
 *   DIR/views_v1_1a2b3c4d/day=2026-11-21/views.parquet  the views that stand, of that day
 *   DIR/current                                       a link to the set that is complete
 *
 * A file is replaced whole, then the manifest. Killed between the two, the next run finds a day whose digest is not the
 * noted one and writes it again. Whoever holds the folder's lock is the only writer.
 */
import { lstatSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { UsageError } from '../args.ts'
import { replaceFile } from './files.ts'
import { type ExportFormat, isWhole } from './formats.ts'
import { EXPORT_LIMITS } from './limits.ts'
import type { DayOfViews } from './source.ts'

const DRAFT = '_draft'

export interface DayFile {
  /** Below the set's folder. */
  readonly file: string
  readonly rows: number
  readonly bytes: number
  readonly digest: string
  readonly writtenAt: string
}

export interface Manifest {
  readonly version: 1
  readonly generation: string
  readonly format: ExportFormat
  /** Files with other columns are written again. */
  readonly columns: readonly string[]
  /** Positions of the log below which all is in the files; empty until a run over all days came to its end. */
  readonly readThrough: Readonly<Record<string, string>>
  readonly days: Readonly<Record<string, DayFile>>
}

export class ViewSet {
  readonly path: string
  readonly #format: ExportFormat
  #manifest: Manifest

  private constructor(path: string, manifest: Manifest) {
    this.path = path
    this.#format = manifest.format
    this.#manifest = manifest
  }

  /** Throws UsageError for a folder that holds something else. */
  static async open(
    dir: string,
    generation: string,
    format: ExportFormat,
    columns: readonly string[],
    command: string,
  ): Promise<ViewSet> {
    const path = join(dir, generation)
    await mkdir(path, { recursive: true })
    // Left by a run that was killed.
    rmSync(join(path, DRAFT), { force: true })
    const fresh: Manifest = { version: 1, generation, format, columns, readThrough: {}, days: {} }
    const found = readManifest(join(path, '_playhead.json'), command) ?? fresh
    if (found.format !== format) {
      throw new UsageError(
        `${path} holds ${found.format} files. Say --format ${found.format}, or name another folder.`,
        command,
      )
    }
    const sameColumns = JSON.stringify(found.columns) === JSON.stringify(columns)
    return new ViewSet(path, { ...found, columns, days: sameColumns ? found.days : outdated(found.days) })
  }

  get days(): Readonly<Record<string, DayFile>> {
    return this.#manifest.days
  }

  /** What is noted and there, of this digest. */
  holds({ day, digest }: DayOfViews): boolean {
    const noted = this.days[day]
    if (noted?.digest !== digest) return false
    return statSync(join(this.path, noted.file), { throwIfNoEntry: false })?.size === noted.bytes
  }

  async put({ day, rows, digest }: DayOfViews, content: Readable, writtenAt: string): Promise<DayFile> {
    const file = `day=${day}/views.${this.#format}`
    const bytes = await replaceFile(join(this.path, file), this.#draft(), content, (draft) =>
      isWhole(draft, this.#format),
    )
    const written = { file, rows, bytes, digest, writtenAt }
    await this.#note({ days: { ...this.days, [day]: written } })
    return written
  }

  /** The file first: what is noted and gone is seen by the next run, what is there and not noted never is. */
  async remove(day: string): Promise<void> {
    rmSync(join(this.path, `day=${day}`), { recursive: true, force: true })
    const { [day]: _, ...days } = this.days
    await this.#note({ days })
  }

  async noteReadThrough(readThrough: Readonly<Record<string, string>>): Promise<void> {
    await this.#note({ readThrough })
  }

  async #note(change: Partial<Manifest>): Promise<void> {
    const days = Object.fromEntries(Object.entries(change.days ?? this.days).sort(([a], [b]) => (a < b ? -1 : 1)))
    this.#manifest = { ...this.#manifest, ...change, days }
    await replaceFile(
      join(this.path, '_playhead.json'),
      this.#draft(),
      `${JSON.stringify(this.#manifest, undefined, 1)}\n`,
    )
  }

  #draft(): string {
    return join(this.path, DRAFT)
  }
}

function outdated(days: Manifest['days']): Manifest['days'] {
  return Object.fromEntries(Object.entries(days).map(([day, file]) => [day, { ...file, digest: '' }]))
}

function readManifest(path: string, command: string): Manifest | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  const manifest = stat.size > EXPORT_LIMITS.manifestBytesMax ? undefined : parsed(readFileSync(path, 'utf8'))
  if (manifest !== undefined) return manifest
  throw new UsageError(`${path} is no manifest of an export. Move it away, or name another folder.`, command)
}

function parsed(text: string): Manifest | undefined {
  let manifest: Partial<Manifest> | null
  try {
    manifest = JSON.parse(text) as Partial<Manifest> | null
  } catch {
    return undefined
  }
  const fits = manifest?.version === 1 && typeof manifest.days === 'object' && typeof manifest.format === 'string'
  return fits ? (manifest as Manifest) : undefined
}

/** The set that `DIR/current` shows; undefined: none yet. */
export function currentSet(dir: string): string | undefined {
  const link = join(dir, 'current')
  return lstatSync(link, { throwIfNoEntry: false }) === undefined ? undefined : readlinkSync(link)
}

/** At once: a reader sees the old set or the new one. */
export function showSet(dir: string, generation: string): void {
  const draft = join(dir, '_playhead', 'current')
  rmSync(draft, { force: true })
  symlinkSync(generation, draft)
  renameSync(draft, join(dir, 'current'))
}
