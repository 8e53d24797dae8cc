/** One export at a time writes to a folder: two would take each other's files away. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../args.ts'
import { lockDataFolder } from '../lock.ts'

export async function holdingFolder<T>(dir: string, command: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(dir, { recursive: true })
  const lock = await lockDataFolder(join(dir, '_playhead'), Date.now)
  if (!lock.ok) {
    const { pid, host } = lock.holder
    throw new UsageError(
      `Another export writes to ${dir} (process ${pid} on ${host}). Wait for it, or stop it.`,
      command,
    )
  }
  try {
    return await work()
  } finally {
    await lock.release()
  }
}
