/**
 * Backup and restore of a data folder.
 *
 * Two kinds. *full*: nothing runs on the folder, so log, state and analytics are copied as they stand and a restore
 * serves at once. *log*: taken while everything runs; the log is copied as of one moment, and after a restore the
 * tables are folded from it again. A running engine's tables are never copied: log, state and ClickHouse are three
 * stores, and three moments would not fit together.
 *
 * The keys of personal fields (the vault) are truth like the log, and in both kinds. They are copied after the log, so
 * that whatever a copied event is sealed with is there. A key that is destroyed later lives on in the backup: a restore
 * that is given the newer vault destroys it again.
 *
 * A backup is written beside its place and renamed when it is complete and verified, so a cut-off one is never taken
 * for whole. A restored log that comes without its tables becomes a new incarnation: tables elsewhere that were folded
 * from the old one are not mistaken for its own.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { open } from 'lmdb'
import { openEmbeddedLog } from '../log/embedded/index.ts'
import { openEmbeddedVault, VAULT_FILES } from '../stores/vault/embedded.ts'
import type { Folders } from './engines.ts'
import { VERSION } from './version.ts'

export type BackupKind = 'full' | 'log'

export interface Manifest {
  readonly format: 1
  readonly kind: BackupKind
  readonly madeAt: string
  readonly version: string
  readonly records: string
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[]
}

export class BackupError extends Error {
  readonly code = 'BACKUP'
  constructor(message: string) {
    super(message)
    this.name = 'BackupError'
  }
}

const MANIFEST = 'backup.json'
/** Made anew by whoever opens the engine. */
const LEFT_OUT = /(^|[\\/])(lock\.mdb|(state|vault)\.mdb-lock|[a-z]+\.wake)$/

export async function makeBackup(
  folders: Folders,
  keysFile: string,
  target: string,
  kind: BackupKind,
): Promise<Manifest> {
  const place = resolve(target)
  await refuseUnlessEmpty(place)
  if (!existsSync(folders.log)) throw new BackupError(`There is no log in ${folders.data}: nothing to back up.`)
  const draft = `${place}.partial`
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft, { recursive: true, mode: 0o700 })
  try {
    // Truth last: what was folded is never ahead of the log that it was folded from.
    if (kind === 'full') await copyTables(folders, draft)
    await mkdir(join(draft, 'log'))
    await copyLmdb(folders.log, join(draft, 'log'))
    await copyVault(folders.vault, join(draft, 'vault'))
    await cp(keysFile, join(draft, 'keys.json'))
    const manifest = await describe(draft, kind)
    await writeFile(join(draft, MANIFEST), `${JSON.stringify(manifest, undefined, 2)}\n`)
    await rm(place, { recursive: true, force: true })
    await rename(draft, place)
    return manifest
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw error
  }
}

async function copyTables(folders: Folders, draft: string): Promise<void> {
  if (existsSync(folders.analytics)) {
    // Links inside are relative and stay so.
    await cp(folders.analytics, join(draft, 'analytics'), { recursive: true, verbatimSymlinks: true })
  }
  const stateFile = join(folders.state, 'state.mdb')
  if (!existsSync(stateFile)) return
  await mkdir(join(draft, 'state'))
  await copyLmdb(stateFile, join(draft, 'state', 'state.mdb'))
}

/** The index first: a secret is on the disk before the index names it. On a cluster the vault is elsewhere. */
async function copyVault(from: string, to: string): Promise<void> {
  const index = join(from, VAULT_FILES.index)
  if (!existsSync(index)) return
  await mkdir(to, { mode: 0o700 })
  await copyLmdb(index, join(to, VAULT_FILES.index))
  await chmod(join(to, VAULT_FILES.index), 0o600)
  await cp(join(from, VAULT_FILES.secrets), join(to, VAULT_FILES.secrets))
}

/**
 * One moment of the database, whichever *process* writes to it meanwhile. Not for a process that has the database
 * open: lmdb-js opens synchronously, and would wait for the write lock that its own writer gives back only after
 * a turn of this thread.
 */
async function copyLmdb(from: string, to: string): Promise<void> {
  const db = open({ path: from, noSubdir: from.endsWith('.mdb'), overlappingSync: false, maxDbs: 64 })
  try {
    await db.backup(to, true)
  } finally {
    await db.close()
  }
}

async function describe(draft: string, kind: BackupKind): Promise<Manifest> {
  const records = await countRecords(join(draft, 'log'))
  const files = []
  for (const path of await filesIn(draft)) {
    const { size } = await stat(join(draft, path))
    files.push({ path: path.split(sep).join('/'), bytes: size, sha256: await sha256(join(draft, path)) })
  }
  return { format: 1, kind, madeAt: new Date().toISOString(), version: VERSION, records: String(records), files }
}

/** Opens the copy as the engine does: a copy that can't be opened is no backup. */
async function countRecords(dir: string): Promise<bigint> {
  const log = await openEmbeddedLog({ dir })
  try {
    const bounds = (await Promise.all((await log.topics()).map(({ topic }) => log.bounds(topic)))).flat()
    return bounds.reduce((sum, { start, end }) => sum + (end - start), 0n)
  } finally {
    await log.close()
  }
}

/** Checks every file against the manifest; throws BackupError naming what is wrong. */
export async function verifyBackup(source: string): Promise<Manifest> {
  const manifestFile = join(source, MANIFEST)
  if (!existsSync(manifestFile)) throw new BackupError(`${source} holds no backup: ${MANIFEST} is missing.`)
  const manifest = JSON.parse(await readFile(manifestFile, 'utf8')) as Manifest
  if (manifest.format !== 1) throw new BackupError(`${source} was made by another release (format ${manifest.format}).`)
  for (const { path, sha256: wanted } of manifest.files) {
    const file = join(source, path)
    if (!resolve(file).startsWith(resolve(source) + sep)) throw new BackupError(`${path} points out of the backup.`)
    if (!existsSync(file)) throw new BackupError(`${path} is missing from the backup.`)
    if ((await sha256(file)) !== wanted) throw new BackupError(`${path} is damaged: its checksum differs.`)
  }
  return manifest
}

export async function restoreBackup(
  source: string,
  folders: Folders,
  keysFile: string,
  erasuresFrom?: string,
): Promise<Manifest> {
  const manifest = await verifyBackup(resolve(source))
  for (const dir of [folders.log, folders.state, folders.analytics, folders.vault]) await refuseUnlessEmpty(dir)
  const later =
    erasuresFrom === undefined
      ? undefined
      : await laterErasures(join(resolve(source), 'vault'), erasuresFrom, folders.data)
  if (existsSync(keysFile)) throw new BackupError(`${keysFile} is there already: a restore overwrites nothing.`)
  const from = resolve(source)
  for (const name of ['state', 'analytics', 'vault', 'log'] as const) {
    if (!existsSync(join(from, name))) continue
    await mkdir(folders[name], { recursive: true, mode: 0o700 })
    await cp(join(from, name), folders[name], { recursive: true, verbatimSymlinks: true })
  }
  await mkdir(dirname(keysFile), { recursive: true, mode: 0o700 })
  await cp(join(from, 'keys.json'), keysFile)
  if (later !== undefined) await destroyAgain(folders.vault, later)
  if (manifest.kind === 'log') await renewIncarnation(folders.log)
  return manifest
}

/** Keys of the backup that the newer vault no longer has. Nothing is written yet. */
async function laterErasures(backup: string, newer: string, scratch: string): Promise<readonly string[]> {
  for (const dir of [backup, newer]) {
    if (!existsSync(join(dir, VAULT_FILES.index))) throw new BackupError(`There is no vault in ${dir}.`)
  }
  await mkdir(scratch, { recursive: true, mode: 0o700 })
  const copy = await mkdtemp(join(scratch, '.restore-'))
  try {
    // A backup is never opened in place: opening makes a lock file.
    await cp(backup, copy, { recursive: true })
    const [old, now] = [await openEmbeddedVault({ dir: copy }), await openEmbeddedVault({ dir: newer })]
    try {
      if (old.identity() !== now.identity()) {
        throw new BackupError(
          `${newer} is the vault of another installation: it says nothing about this backup's keys.`,
        )
      }
      const standing = new Set(now.keyIds())
      return old.keyIds().filter((keyId) => !standing.has(keyId))
    } finally {
      await Promise.all([old.close(), now.close()])
    }
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}

async function destroyAgain(dir: string, keyIds: readonly string[]): Promise<void> {
  const vault = await openEmbeddedVault({ dir })
  await vault.destroy(keyIds)
  await vault.close()
}

async function renewIncarnation(dir: string): Promise<void> {
  const db = open({ path: dir, noSubdir: false, overlappingSync: false, maxDbs: 64 })
  await db.openDB<string, string>('meta', { encoding: 'json' }).put('incarnation', randomUUID())
  await db.close()
}

async function refuseUnlessEmpty(path: string): Promise<void> {
  if (existsSync(path) && (await readdir(path)).length > 0) {
    throw new BackupError(`${path} is not empty: nothing is ever overwritten.`)
  }
}

async function filesIn(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .filter((path) => !LEFT_OUT.test(path))
    .sort()
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
