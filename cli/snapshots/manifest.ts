/**
 * What a snapshot says of itself. It is written last, with a digest of its own text, and names every file with its
 * SHA-256: a folder with a sound manifest and sound files is a whole snapshot, and nothing else is.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CommitKey, CommitRecord } from '../../stores/state.ts'
import { type Texts, tallyFrom } from '../../stores/values.ts'
import { SnapshotError } from './errors.ts'
import { SNAPSHOT_LIMITS } from './limits.ts'

export const MANIFEST = 'snapshot.json'

/** One partition: from where its fold goes on, and what was below. */
export interface Place {
  readonly topic: string
  readonly partition: number
  readonly checkpoint: string
  readonly tally: Texts<CommitRecord['tally']>
  /** Of the rows in the snapshot. */
  readonly audit: string
  /** SHA-256 over the records right before the checkpoint; null: there was none. */
  readonly proof: { readonly from: string; readonly records: number; readonly sha256: string } | null
}

export interface SnapshotFile {
  readonly path: string
  readonly kind: 'states' | 'letters' | 'rows'
  readonly rows: number
  readonly bytes: number
  readonly sha256: string
  /** Of rows: where they go. */
  readonly into?: { readonly landing: string; readonly topic: string; readonly partition: number }
}

export interface Manifest {
  readonly format: 1
  readonly madeAt: string
  readonly version: string
  readonly projection: string
  readonly foldVersion: number
  readonly parameters: Readonly<Record<string, number>>
  /** The generation that it was taken of. */
  readonly generation: string
  readonly incarnation: string
  /** False: some states may be further than the checkpoints, as after a crash; what they have taken is skipped. */
  readonly exact: boolean
  readonly places: readonly Place[]
  readonly states: { readonly spec: string; readonly rows: number; readonly digest: string } | null
  /** By landing table: the columns of its rows, in the order of the files. */
  readonly landings: Readonly<Record<string, readonly string[]>>
  readonly files: readonly SnapshotFile[]
}

export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const digest = sha256(JSON.stringify(manifest))
  await writeFile(join(folder, MANIFEST), `${JSON.stringify({ digest, manifest }, undefined, 2)}\n`, { mode: 0o600 })
}

export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, MANIFEST)
  if (!existsSync(path))
    throw new SnapshotError('SNAPSHOT_PLACE', `${folder} holds no snapshot: ${MANIFEST} is missing.`)
  if ((await stat(path)).size > SNAPSHOT_LIMITS.manifestBytesMax) throw damaged(path)
  const { digest, manifest } = parsed(path, await readFile(path, 'utf8'))
  if (sha256(JSON.stringify(manifest)) !== digest) throw damaged(path)
  if (manifest.format !== 1) {
    throw new SnapshotError('SNAPSHOT_UNFIT', `${folder} was made by another release (format ${manifest.format}).`)
  }
  return manifest
}

function parsed(path: string, text: string): { digest: string; manifest: Manifest } {
  try {
    return JSON.parse(text) as { digest: string; manifest: Manifest }
  } catch (error) {
    if (error instanceof SyntaxError) throw damaged(path)
    throw error
  }
}

export function damaged(path: string): SnapshotError {
  return new SnapshotError('SNAPSHOT_DAMAGED', `${path} is damaged: it is not what was written. Take another snapshot.`)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

export function placeOf({ topic, partition, record }: CommitKey & { readonly record: CommitRecord }) {
  const { read, folded, duplicates, parked, undecryptable } = record.tally
  return {
    ...{ topic, partition, checkpoint: `${record.checkpoint}` },
    tally: {
      ...{ read: `${read}`, folded: `${folded}`, duplicates: `${duplicates}` },
      ...{ parked: `${parked}`, undecryptable: `${undecryptable}` },
    },
  }
}

/** What a new generation begins with: nobody owned it but who loaded it. */
export function recordOf({ checkpoint, tally, audit }: Place): CommitRecord {
  return {
    ...{ term: 1n, revision: 1n, checkpoint: BigInt(checkpoint), audit: BigInt(audit) },
    tally: tallyFrom(tally),
  }
}
