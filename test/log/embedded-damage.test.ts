/** Full disks and damaged bytes. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { open } from 'lmdb'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { LogCorrupt, LogError, LogFull } from '../../log/errors.ts'
import { playground } from './children.ts'
import { readAll, record, texts, until } from './contract-support.ts'

async function inFolder(play: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'playhead-log-'))
  try {
    await play(dir)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Changes the nth stored batch behind the log's back. */
async function damage(dir: string, nth: number, change: (batch: Buffer) => Buffer): Promise<void> {
  const raw = open({ path: dir, noSubdir: false, overlappingSync: false, maxDbs: 8 })
  const batches = raw.openDB<Buffer, Buffer>('batches', { encoding: 'binary', keyEncoding: 'binary' })
  const { key, value } = [...batches.getRange()][nth]!
  await batches.put(Buffer.from(key), change(Buffer.from(value)))
  await raw.close()
}

describe('an embedded log that was damaged', () => {
  for (const [what, change] of Object.entries({
    'a flipped bit': (batch: Buffer) => {
      batch[batch.length - 3]! ^= 1
      return batch
    },
    'a lost tail': (batch: Buffer) => batch.subarray(0, batch.length - 5),
    zeros: (batch: Buffer) => Buffer.alloc(batch.length),
  })) {
    test(`${what}: reading stops there with a clear word, and passes over nothing`, () =>
      inFolder(async (dir) => {
        const first = await openEmbeddedLog({ dir })
        await first.ensureTopics([{ topic: 'events', partitions: 1 }])
        for (const value of ['0', '1', '2', '3', '4', '5'])
          await first.append([record('events', 'k', `${value}a`), record('events', 'k', `${value}b`)])
        await first.close()
        await damage(dir, 2, change)
        const log = await openEmbeddedLog({ dir })
        const read = (from: bigint, to: bigint) =>
          log.read({ topic: 'events', partition: 0, from, to, bytesMax: 1e6, recordsMax: 100, waitMs: 0 })
        const clear = (error: unknown) =>
          error instanceof LogCorrupt &&
          error.code === 'LOG_CORRUPT' &&
          /positions 4 to 5 of events\/0/.test(error.message)
        try {
          assert.deepEqual(texts((await read(0n, 3n)).records), ['0a', '0b', '1a', '1b'])
          assert.deepEqual(await read(3n, 11n), { records: (await read(3n, 3n)).records, next: 4n, end: 12n })
          for (const from of [4n, 5n]) await assert.rejects(read(from, 11n), clear)
          assert.deepEqual(texts((await read(6n, 11n)).records).slice(0, 2), ['3a', '3b'])
        } finally {
          await log.close()
        }
      }))
  }

  test('a folder of another format is refused', () =>
    inFolder(async (dir) => {
      await (await openEmbeddedLog({ dir })).close()
      const raw = open({ path: dir, noSubdir: false, overlappingSync: false, maxDbs: 8 })
      await raw.openDB('meta', { encoding: 'json' }).put('format', '2')
      await raw.close()
      await assert.rejects(openEmbeddedLog({ dir }), (e) => e instanceof LogError && e.code === 'LOG_FORMAT')
    }))
})

describe('an embedded log on a full disk', () => {
  test(
    'says LogFull, has stored nothing of what it refused, and goes on when there is room',
    { skip: noUlimit() },
    () =>
      playground(async ({ dir, fill }) => {
        const log = await openEmbeddedLog({ dir })
        try {
          await log.ensureTopics([{ topic: 'events', partitions: 1 }])
          const child = await fill('events', 6_000_000)
          await until('the disk is full', 20_000, () => child.said.some((s) => s.say === 'full'))
          const said = child.said.find((s) => s.say === 'full')
          assert.ok(said?.say === 'full')
          assert.equal(said.code, 'LOG_FULL')
          assert.ok(said.acknowledged > 4, 'it was not full from the start')
          assert.equal(said.readBack, said.acknowledged)
          assert.equal((await readAll(log, 'events')).length, said.acknowledged)
          // There is room for us: the limit was the child's.
          const [placed] = await log.append([record('events', 'k', 'goes on')])
          assert.equal(placed!.position, BigInt(said.acknowledged))
          assert.equal(texts(await readAll(log, 'events')).at(-1), 'goes on')
        } finally {
          await log.close()
        }
      }),
  )

  test('the same log goes on when space is back', (t) =>
    inFolder(async (dir) => {
      const disk = join(dir, 'disk')
      await mkdir(disk)
      if (!mounted(disk)) {
        t.skip('NOT TESTED: a small tmpfs can be mounted by root only')
        return
      }
      const ballast = join(disk, 'ballast')
      try {
        await writeFile(ballast, Buffer.alloc(4_000_000))
        const log = await openEmbeddedLog({ dir: join(disk, 'log') })
        await log.ensureTopics([{ topic: 'events', partitions: 1 }])
        const value = Buffer.alloc(300_000)
        let stored = 0
        const tryOne = () => log.append([record('events', 'k', value), record('events', 'k', value)])
        await assert.rejects(async () => {
          for (;;) {
            await tryOne()
            stored += 2
          }
        }, LogFull)
        await assert.rejects(tryOne(), LogFull)
        assert.equal((await readAll(log, 'events')).length, stored)
        await rm(ballast)
        await tryOne()
        assert.equal((await readAll(log, 'events')).length, stored + 2)
        await log.close()
      } finally {
        // Lazily, so that a log that a failure left open does not keep the mount.
        execFileSync('umount', ['-l', disk])
      }
    }))
})

function noUlimit(): string | false {
  return process.platform === 'win32' ? 'NOT TESTED: file sizes are limited by ulimit, which Windows has not' : false
}

function mounted(at: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'playhead-test', at], { stdio: 'ignore' })
    return true
  } catch (error) {
    return error === undefined
  }
}
