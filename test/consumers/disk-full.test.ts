/** A disk that is really full: a small tmpfs, filled up, and freed again. Needs root for the mount. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startAnalyticsProcess } from './analytics-process.ts'
import { end, openPlay } from './play.ts'

const SIZE_MB = 96

/** A folder with room for so much; undefined where mounting isn't allowed. */
function smallDisk(): { dir: string; release(): void } | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'playhead-small-disk-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MB}m`, 'tmpfs', dir])
  if (mounted.status !== 0) {
    rmSync(dir, { recursive: true })
    return undefined
  }
  return {
    dir,
    release: () => {
      spawnSync('umount', ['-l', dir])
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function fill(path: string): void {
  const file = openSync(path, 'w')
  try {
    for (let size = 1 << 20; size >= 512; size >>= 1) {
      for (let written = size; written === size; ) written = writeSome(file, size)
    }
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function writeSome(file: number, size: number): number {
  try {
    return writeSync(file, Buffer.alloc(size))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return 0
    throw error
  }
}

test('a full disk under states and ClickHouse: consumers wait, go on once there is space, and nothing is lost or doubled', async (t) => {
  const disk = smallDisk()
  if (disk === undefined) return t.skip('NOT EXERCISED: mounting a tmpfs needs root')
  const logDir = mkdtempSync(join(tmpdir(), 'playhead-log-'))
  const analytics = await startAnalyticsProcess(join(disk.dir, 'analytics'))
  const play = await openPlay({
    log: { dir: logDir },
    state: { dir: join(disk.dir, 'state') },
    analytics: analytics.access,
  })
  try {
    const child = await play.start()
    await play.post(100)
    await play.assertExactlyOnce()
    fill(join(disk.dir, 'ballast'))
    await play.post(500)
    await play.post(500)
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    const behind = await play.behind()
    assert.ok(behind > 0n, 'not exercised: the full disk stopped nobody')
    await rm(join(disk.dir, 'ballast'))
    await play.assertExactlyOnce()
    await end(child, 'SIGTERM')
  } finally {
    await play.close()
    await analytics.stop()
    disk.release()
    rmSync(logDir, { recursive: true, force: true })
  }
})
