/** The files of a snapshot: lines, packed, each file whole in memory (they are small) and with its SHA-256. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { SnapshotError } from './errors.ts'
import { damaged, type Manifest, readManifest, type SnapshotFile } from './manifest.ts'

const pack = promisify(gzip)
const unpack = promisify(gunzip)

/** A snapshot that is being written, beside its place. */
export class Draft {
  readonly folder: string
  readonly files: SnapshotFile[] = []
  readonly #place: string

  private constructor(place: string) {
    this.#place = place
    this.folder = `${place}.partial`
  }

  static async begin(target: string): Promise<Draft> {
    const place = resolve(target)
    if (existsSync(place) && (await readdir(place)).length > 0) {
      throw new SnapshotError(
        'SNAPSHOT_PLACE',
        `${place} is not empty: nothing is ever overwritten. Name a new folder.`,
      )
    }
    const draft = new Draft(place)
    await draft.clear()
    return draft
  }

  async clear(): Promise<void> {
    this.files.length = 0
    await this.discard()
    // A folded row says who watched what: as private as a backup.
    await mkdir(this.folder, { recursive: true, mode: 0o700 })
  }

  async write(path: string, lines: readonly string[], more: Pick<SnapshotFile, 'kind' | 'into'>): Promise<void> {
    const bytes = await pack(Buffer.from(lines.map((line) => `${line}\n`).join('')), { level: 1 })
    const full = join(this.folder, path)
    await mkdir(dirname(full), { recursive: true, mode: 0o700 })
    const file = await open(full, 'wx', 0o600)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    this.files.push({ path, rows: lines.length, bytes: bytes.length, sha256, ...more })
  }

  async finish(): Promise<void> {
    await rm(this.#place, { recursive: true, force: true })
    await rename(this.folder, this.#place)
  }

  async discard(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** Its lines; the bytes are checked each time they are read. */
export async function readLines(folder: string, file: SnapshotFile): Promise<readonly string[]> {
  const lines = (await unpack(await soundBytes(folder, file))).toString().split('\n').slice(0, -1)
  if (lines.length !== file.rows) throw damaged(join(folder, file.path))
  return lines
}

/** Checks every file against the manifest; throws SnapshotError naming the first that is wrong. */
export async function verifySnapshot(target: string, looked: (files: number) => void): Promise<Manifest> {
  const folder = resolve(target)
  const manifest = await readManifest(folder)
  for (const [i, file] of manifest.files.entries()) {
    await soundBytes(folder, file)
    looked(i + 1)
  }
  return manifest
}

async function soundBytes(folder: string, { path, sha256 }: SnapshotFile): Promise<Buffer> {
  const full = join(folder, path)
  if (!full.startsWith(resolve(folder) + sep)) {
    throw new SnapshotError('SNAPSHOT_DAMAGED', `${path} points out of the snapshot.`)
  }
  if (!existsSync(full)) throw new SnapshotError('SNAPSHOT_DAMAGED', `${full} is missing from the snapshot.`)
  const bytes = await readFile(full)
  if (createHash('sha256').update(bytes).digest('hex') !== sha256) throw damaged(full)
  return bytes
}
