/** Which snapshots there are in a folder: the folder itself, or those right inside it. */
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { SnapshotError } from './errors.ts'
import { SNAPSHOT_LIMITS } from './limits.ts'
import { MANIFEST, type Manifest, readManifest } from './manifest.ts'

export interface Listed {
  readonly folder: string
  /** Undefined: its manifest is damaged. */
  readonly manifest: Manifest | undefined
}

export async function listSnapshots(target: string): Promise<readonly Listed[]> {
  const folder = resolve(target)
  if (!existsSync(folder)) throw new SnapshotError('SNAPSHOT_PLACE', `There is no folder ${folder}.`)
  const inside = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory() && !entry.name.endsWith('.partial'))
    .map(({ name }) => join(folder, name))
    .sort()
  const holding = [folder, ...inside].filter((one) => existsSync(join(one, MANIFEST)))
  return await Promise.all(
    holding.slice(0, SNAPSHOT_LIMITS.listedMax).map(async (one) => ({ folder: one, manifest: await readable(one) })),
  )
}

async function readable(folder: string): Promise<Manifest | undefined> {
  try {
    return await readManifest(folder)
  } catch (error) {
    if (error instanceof SnapshotError) return undefined
    throw error
  }
}
