/**
 * The LMDB environment under a log's folder, and every way in which it can fail.
 *
 * A process opens a folder once, however many logs it opens on it: two environments of one process on one folder would
 * wait for each other's write lock for ever. `acquire` counts; the last `release` closes.
 *
 * A transaction here is durable when its promise resolves (`overlappingSync` off: it is visible only once it is on
 * disk), so what a reader sees is always durable, in every process. LMDB's lock makes writers of all processes take
 * turns; a process that is killed while it holds the lock leaves its transaction undone.
 */
import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import { LogError, LogFull, LogUnavailable } from '../errors.ts'
import { Wake, type Warn } from './wake.ts'

/** What `write` may leave in the database besides batches is JSON; keys are text, or bytes (keys.ts). */
type Table<V> = Database<V, string>
type ByteTable = Database<Buffer, Buffer>

export interface TopicEntry {
  readonly id: number
  readonly partitions: number
}

interface Shared {
  readonly environment: Environment
  holders: number
}

const environments = new Map<string, Shared>()
const closing = new Map<string, Promise<void>>()

export async function acquire(dir: string, warn: Warn): Promise<Environment> {
  mkdirSync(dir, { recursive: true })
  const path = realpathSync(dir)
  await closing.get(path)
  const shared = environments.get(path) ?? { environment: new Environment(path, warn), holders: 0 }
  shared.holders += 1
  environments.set(path, shared)
  return shared.environment
}

export async function release({ path }: Environment): Promise<void> {
  const shared = environments.get(path)
  if (shared === undefined) throw new Error(`${path} is not open`)
  shared.holders -= 1
  if (shared.holders > 0) return
  environments.delete(path)
  const closed = shared.environment.close().finally(() => closing.delete(path))
  closing.set(path, closed)
  await closed
}

export class Environment {
  readonly path: string
  readonly meta: Table<string>
  readonly topics: Table<TopicEntry>
  readonly batches: ByteTable
  /** Per partition, the position that the next record will get. */
  readonly ends: ByteTable
  /** Per partition that was trimmed, the position of the oldest record that is kept. */
  readonly starts: ByteTable
  readonly groups: Table<unknown>
  readonly mirrors: Table<Record<string, string>>
  /** Goes off when records were appended, by any process. */
  readonly appended: Wake
  /** Goes off when a group changed, by any process. */
  readonly regrouped: Wake
  readonly #root: RootDatabase
  /** Groups are apart from records: a consumer that is busy or stopped must not hold the lock that appends wait for. */
  readonly #side: RootDatabase

  constructor(path: string, warn: Warn) {
    this.path = path
    try {
      // Without turn batching: with it, a failed commit leaves a rejected promise that nobody can reach.
      this.#root = open({ path, noSubdir: false, overlappingSync: false, eventTurnBatching: false, maxDbs: 8 })
      const json = { encoding: 'json' } as const
      const bytes = { encoding: 'binary', keyEncoding: 'binary' } as const
      this.meta = this.#root.openDB('meta', json)
      this.topics = this.#root.openDB('topics', json)
      this.#side = open({ path: join(path, 'groups'), noSubdir: false, overlappingSync: false, maxDbs: 4 })
      this.groups = this.#side.openDB('groups', json)
      this.mirrors = this.#side.openDB('mirrors', json)
      this.batches = this.#root.openDB('batches', bytes)
      this.ends = this.#root.openDB('ends', bytes)
      this.starts = this.#root.openDB('starts', bytes)
    } catch (error) {
      throw new LogUnavailable(`the log in ${path} can't be opened: ${String(error)}`, { cause: error })
    }
    this.appended = new Wake(join(path, 'appended.wake'), warn)
    this.regrouped = new Wake(join(path, 'regrouped.wake'), warn)
  }

  /** Makes the next reads see all that is committed by now, in every process. */
  latest(): void {
    this.#root.resetReadTxn()
    this.#side.resetReadTxn()
  }

  /** All of `change` is durable when this resolves, or nothing of it is stored. If `change` throws, nothing is. */
  async write<T>(what: string, change: () => T): Promise<T> {
    try {
      return await this.#root.childTransaction(change)
    } catch (error) {
      throw storageError(await causeOf(error), `${what} failed in ${this.path}`)
    }
  }

  /** As `write`, faster, for a `change` that throws only before its first put: what was put would be stored. */
  async writeFast(what: string, change: () => void): Promise<void> {
    try {
      await this.#root.transaction(change)
    } catch (error) {
      throw storageError(await causeOf(error), `${what} failed in ${this.path}`)
    }
  }

  /** For groups: the lock is held for no longer than `change` and its commit take. If `change` throws, nothing is stored. */
  writeGroups<T>(what: string, change: () => T): T {
    try {
      return this.#side.transactionSync(change)
    } catch (error) {
      throw storageError(error, `${what} failed in ${this.path}`)
    }
  }

  async close(): Promise<void> {
    this.appended.close()
    this.regrouped.close()
    await this.#root.close()
    await this.#side.close()
  }
}

/** A failed commit says only that it failed; the reason is in a promise beside it. */
async function causeOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error
  return Promise.resolve(error.commitError).then(
    () => error,
    (cause: unknown) => cause,
  )
}

/** EFBIG, ENOSPC, EDQUOT, Windows' ERROR_DISK_FULL, MDB_MAP_FULL; and EIO, which LMDB says when a write was cut short. */
const FULL = new Set<unknown>([27, 28, 122, 112, -30792, 5, 'ENOSPC', 'EDQUOT', 'EFBIG'])

function storageError(error: unknown, what: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  // Not LMDB's: a refusal made inside the transaction, or a mistake of ours, which must not pass as a full disk.
  if (error instanceof LogError || code === undefined) return error
  if (FULL.has(code)) {
    return new LogFull(`${what}, nothing was stored: the disk is full (${String(error)})`, { cause: error })
  }
  return new LogUnavailable(`${what}: ${String(error)}`, { cause: error })
}
