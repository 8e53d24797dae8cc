/** Files that are there whole or not at all, also after a crash or a power cut. */
import { createWriteStream } from 'node:fs'
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** `draft` is in the same file system as `path`, and is gone afterwards, whatever happens; answers the length. */
export async function replaceFile(
  path: string,
  draft: string,
  content: Readable | string,
  check: (draft: string) => Promise<boolean> = async () => true,
): Promise<number> {
  try {
    if (typeof content === 'string') await writeFile(draft, content, { mode: 0o600 })
    else await pipeline(content, createWriteStream(draft, { mode: 0o600 }))
    const bytes = await sync(draft)
    if (!(await check(draft))) throw new Error(`what ClickHouse answered for ${path} is not whole`)
    await mkdir(dirname(path), { recursive: true })
    await rename(draft, path)
    await sync(dirname(path))
    return bytes
  } finally {
    await rm(draft, { force: true })
  }
}

async function sync(path: string): Promise<number> {
  const file = await open(path, 'r')
  try {
    await file.sync()
    return (await file.stat()).size
  } finally {
    await file.close()
  }
}
