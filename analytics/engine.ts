/**
 * The engine in this process: chDB on one data directory.
 *
 * States: open → draining (no new query; running ones may finish, then they are cancelled) → closed. One root
 * connection lives as long as the engine, holds the directory and sends KILL QUERY; every query has a connection of
 * its own (0.1 ms), because settings stay on a connection and because `readonly` can't be undone. Connections are
 * closed only when nothing runs on them: closing a busy one takes the whole engine down.
 *
 * What can fail: the directory belongs to another process (says so); a query (a ClickHouseError with the engine's code).
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { drainPending, Session } from 'chdb'
import { fromEngine, refuse } from './errors.ts'
import { literal } from './settings.ts'

export interface Engine {
  readonly version: string
  readonly timezone: string
  readonly displayName: string
  readonly tableFunctions: readonly string[]
  connect(): Connection
  /** Asks the query that carries `id` as its log_comment to stop; it ends, soon, by itself. */
  cancel(id: string): void
  close(): Promise<void>
}

export interface QueryResult {
  readonly text: Uint8Array
  readonly elapsedSeconds: number
  readonly rows: number
  readonly bytes: number
}

/** One query at a time. */
export interface Connection {
  run(sql: string, format: string): Promise<QueryResult>
  close(): void
}

/** Small caches and pools: about 250 MB idle instead of a server's gigabytes. */
const CONNECTION_ARGS = [
  '--mark_cache_size=67108864',
  '--index_mark_cache_size=8388608',
  '--uncompressed_cache_size=0',
  '--index_uncompressed_cache_size=0',
  '--mmap_cache_size=100',
  '--compiled_expression_cache_size=8388608',
  '--query_cache.max_size_in_bytes=0',
  '--background_pool_size=2',
  '--background_merges_mutations_concurrency_ratio=1',
  '--background_move_pool_size=1',
  '--background_fetches_pool_size=1',
  '--background_common_pool_size=1',
  '--background_buffer_flush_schedule_pool_size=1',
  '--background_schedule_pool_size=4',
  '--background_message_broker_schedule_pool_size=1',
  '--background_distributed_schedule_pool_size=1',
  '--tables_loader_foreground_pool_size=2',
  '--tables_loader_background_pool_size=1',
  '--max_thread_pool_size=200',
  '--os_threads_nice_value_merge_mutate=10',
]

/** `report` hears of failures that belong to no request. */
export async function openEngine(directory: string, report: (error: unknown) => void): Promise<Engine> {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const root = openRoot(directory)
  try {
    const about = await root.queryAsync(
      'SELECT version() AS version, timezone() AS timezone, hostName() AS name, (SELECT groupArray(name) FROM system.table_functions) AS functions',
      { format: 'JSONEachRow' },
    )
    const { version, timezone, name, functions } = about.json<{
      version: string
      timezone: string
      name: string
      functions: string[]
    }>()
    return createEngine(root, directory, report, { version, timezone, displayName: name, tableFunctions: functions })
  } catch (error) {
    root.close()
    throw error
  }
}

function openRoot(directory: string): Session {
  try {
    return new Session(directory, { connectionArgs: CONNECTION_ARGS })
  } catch (error) {
    // The engine says why on stderr only; its lock file names the owner.
    const owner = ownerOf(directory)
    const reason = owner === undefined ? "can't be opened" : `is in use by another process (${owner})`
    throw new Error(`the analytics data in ${directory} ${reason}`, { cause: error })
  }
}

/** The living process that holds the directory. */
function ownerOf(directory: string): number | undefined {
  try {
    const pid = Number(/^PID: (\d+)/.exec(readFileSync(join(directory, 'status'), 'utf8'))?.[1])
    if (!Number.isInteger(pid) || pid === process.pid) return undefined
    process.kill(pid, 0)
    return pid
  } catch {
    // No such file, or no such process: nobody to name.
    return undefined
  }
}

function createEngine(
  root: Session,
  directory: string,
  report: (error: unknown) => void,
  about: Pick<Engine, 'version' | 'timezone' | 'displayName' | 'tableFunctions'>,
): Engine {
  let isOpen = true
  let cancelling: Promise<void> = Promise.resolve()

  const cancel = (id: string): void => {
    // The root connection takes one query at a time; one that fails must not stop those behind it.
    cancelling = cancelling.then(async () => {
      if (isOpen) await root.queryAsync(`KILL QUERY WHERE Settings['log_comment'] = ${literal(id)} ASYNC`)
    })
    cancelling = cancelling.catch(report)
  }

  return {
    ...about,
    connect() {
      if (!isOpen) throw refuse('ABORTED', 'Server is shutting down')
      return openConnection(directory)
    },
    cancel,
    async close() {
      if (!isOpen) return
      isOpen = false
      await cancelling
      await drainPending()
      root.close()
      await drainPending()
    },
  }
}

function openConnection(directory: string): Connection {
  const session = new Session(directory)
  return {
    async run(sql, format) {
      try {
        const result = await session.queryAsync(sql, { format })
        return { text: result.bytes(), elapsedSeconds: result.elapsed, rows: result.rowsRead, bytes: result.bytesRead }
      } catch (error) {
        throw fromEngine(error)
      }
    },
    close: () => session.close(),
  }
}
