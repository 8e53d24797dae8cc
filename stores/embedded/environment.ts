/**
 * One LMDB environment, shared by every process that opens its folder.
 *
 * States: *open* → (close) *closed*; a closed one refuses every call. A write is done when its commit is on the disk:
 * LMDB shows a commit to readers, here and in other processes, only then (`overlappingSync` is off). Writes that wait
 * at the same time share one commit. One process writes at a time; readers never wait.
 *
 * What can fail: a commit that did not fit on the disk changed nothing (StoreFull), and the same write works once there
 * is space. An action that throws has the rest of its commit go on without it, so an action checks first, writes last.
 */
import { constants } from 'node:os'
import { join } from 'node:path'
import { type Database, open } from 'lmdb'
import { StoreFull, StoreRefused, StoreUnavailable } from '../errors.ts'
import { EMBEDDED_LIMITS } from './limits.ts'

export type Bytes = Database<Buffer, Buffer>

export interface Environment {
  /** Table specs, table ids, drops under way. */
  readonly meta: Bytes
  readonly commits: Bytes
  /** Row key → version (8 bytes), body. */
  readonly rows: Bytes
  /** A partition's key prefix → version and time of its erasure. */
  readonly erasures: Bytes
  /** Time, kind, key in `rows` or `erasures` → one byte: what stops mattering when. */
  readonly sweeps: Bytes
  /** Runs `action` in a write transaction; resolves when the commit is durable. `rows` is what it adds to the queue. */
  write<T>(rows: number, action: () => T): Promise<T>
  /** Reads after this see every commit of every process so far. Throws StoreRefused when closed. */
  latest(): void
  close(): Promise<void>
}

const encoding = { keyEncoding: 'binary', encoding: 'binary' } as const

export function openEnvironment(dir: string): Environment {
  const root = open<Buffer, Buffer>({
    ...encoding,
    path: join(dir, 'state.mdb'),
    maxDbs: 8,
    overlappingSync: false,
    // With it on, lmdb makes a promise of its own for every turn, and nobody can catch the rejection of that one.
    eventTurnBatching: false,
  })
  const part = (name: string): Bytes => root.openDB<Buffer, Buffer>({ ...encoding, name })
  let waitingRows = 0
  let closing: Promise<void> | undefined

  function latest(): void {
    if (closing !== undefined) throw new StoreRefused('this state store is closed')
    root.resetReadTxn()
  }

  return {
    meta: part('meta'),
    commits: part('commits'),
    rows: part('rows'),
    erasures: part('erasures'),
    sweeps: part('sweeps'),
    latest,
    async write(rows, action) {
      latest()
      if (waitingRows > 0 && waitingRows + rows > EMBEDDED_LIMITS.waitingRowsMax) {
        throw new StoreUnavailable(`${waitingRows} rows wait to be written (waitingRowsMax); try again`)
      }
      waitingRows += rows
      try {
        return await root.transaction(action)
      } catch (error) {
        throw await explain(error)
      } finally {
        waitingRows -= rows
      }
    },
    close() {
      closing ??= root.close()
      return closing
    },
  }
}

const { ENOSPC, EFBIG, EDQUOT, EIO } = constants.errno
const mapFull = -30792
/** LMDB reports a write that was cut short by a full disk as EIO. */
const noSpace: ReadonlySet<unknown> = new Set([ENOSPC, EFBIG, EDQUOT, EIO, mapFull])

/** lmdb hides the reason of a failed commit in a promise that rejects with it. */
export async function explain(error: unknown): Promise<unknown> {
  const reason = error instanceof Error && 'commitError' in error ? await rejection(error.commitError, error) : error
  return storeFailure(reason, error)
}

/** As an error of stores/, if it is the disk's: `otherwise` if not. */
export function storeFailure(reason: unknown, otherwise: unknown = reason): unknown {
  if (!(reason instanceof Error)) return otherwise
  const { code, errno } = reason as { code?: unknown; errno?: unknown }
  // Node's own errors have a name for their code, and its number beside it, negative.
  const number = typeof code === 'number' ? code : typeof errno === 'number' ? -errno : undefined
  if (number === undefined) return otherwise
  if (noSpace.has(number)) {
    return new StoreFull(`the state store could not write: the disk is full or failing (${reason.message})`, {
      cause: reason,
    })
  }
  return new StoreUnavailable(`the state store could not write: ${reason.message}`, { cause: reason })
}

async function rejection(promise: unknown, otherwise: Error): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, EMBEDDED_LIMITS.commitErrorTimeoutMs, otherwise)
  })
  const reason = Promise.resolve(promise).then(
    () => otherwise,
    (cause: unknown) => cause,
  )
  return Promise.race([reason, late]).finally(() => clearTimeout(timer))
}
