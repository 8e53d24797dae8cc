/** One process at a time writes an archive, and none restores it meanwhile. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../args.ts'
import { lockDataFolder } from '../lock.ts'

export async function holdingArchive<T>(folder: string, command: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const lock = await lockDataFolder(join(folder, '_playhead'), Date.now)
  if (!lock.ok) {
    const { pid, host } = lock.holder
    throw new UsageError(`Process ${pid} on ${host} works on ${folder} already. Wait for it, or stop it.`, command)
  }
  try {
    return await work()
  } finally {
    await lock.release()
  }
}
