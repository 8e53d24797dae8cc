/**
 * The readers behind breakers: a store that is away costs a read 1.5 s at most, and nothing once its breaker is open.
 * Progress has a fallback: what this process read of the profile in the last minutes. Rows that are such leftovers are
 * marked, and a route says so (`isStale`). Everything else is the problem STORE_UNAVAILABLE.
 */
import type { ProgressRow } from '../projections/progress/row.ts'
import { StoreUnavailable } from '../stores/errors.ts'
import { type Breaker, type BreakerOptions, type Breakers, guard } from './breaker.ts'
import type { Sealer } from './context.ts'
import { BREAKER_LIMITS } from './limits.ts'
import type { AnalyticsReader, Checkpoints, ProgressReader, StreamsReader, TitleReader } from './ports.ts'
import { Recent } from './recent.ts'

export interface Readers {
  readonly progress: ProgressReader
  readonly titles: TitleReader
  readonly streams: StreamsReader
  readonly checkpoints: Checkpoints
}

export interface GuardPorts {
  readonly breakers: Breakers
  readonly nowMs: () => number
  readonly onChange?: (service: string, state: string) => void
}

/** Each reader behind a breaker of its own name. */
export function guardedReaders(readers: Readers, ports: GuardPorts): Readers {
  const breaker = (name: string) => ports.breakers.add(storeBreaker(name, ports))
  return {
    progress: guardedProgress(readers.progress, breaker('progress'), ports.nowMs),
    titles: guardedTitles(readers.titles, breaker('titles')),
    streams: guardedStreams(readers.streams, breaker('streams')),
    checkpoints: guardedCheckpoints(readers.checkpoints, breaker('checkpoints')),
  }
}

function storeBreaker(name: string, { nowMs, onChange }: GuardPorts): BreakerOptions {
  const isFailure = (error: unknown) => error instanceof StoreUnavailable
  return { name, nowMs, isFailure, ...(onChange && { onChange: (state) => onChange(name, state) }) }
}

const stale = new WeakSet<object>()

/** Whether the rows that a guarded reader answered are what it remembered, because the store is away. */
export function isStale(rows: readonly unknown[]): boolean {
  return stale.has(rows)
}

export function guardedProgress(reader: ProgressReader, breaker: Breaker, nowMs: () => number): ProgressReader {
  const memory = new ProgressMemory(nowMs)
  return {
    async get(profileId, titleIds) {
      const call = () => reader.get(profileId, titleIds)
      const rows = await guard(breaker, call, { fallback: () => memory.rows(profileId, titleIds) })
      if (!isStale(rows)) memory.keepRows(profileId, titleIds, rows)
      return rows
    },
    async all(profileId) {
      const rows = await guard(breaker, () => reader.all(profileId), { fallback: () => memory.list(profileId) })
      if (!isStale(rows)) memory.keepList(profileId, rows)
      return rows
    },
  }
}

/** Nothing stands in for the vault; but who waits for it waits in bounded time, and not at all once it is known to be away. */
export function guardedSealer(sealer: Sealer, ports: GuardPorts): Sealer {
  const breaker = ports.breakers.add(storeBreaker('vault', ports))
  return { seal: (batch) => guard(breaker, () => sealer.seal(batch)) }
}

/** Its own limits end a query; the breaker waits longer, and is there for a ClickHouse that does not answer at all. */
export function guardedAnalytics(reader: AnalyticsReader, ports: GuardPorts): AnalyticsReader {
  const breaker = ports.breakers.add(storeBreaker('analytics', ports))
  const options = { timeoutMs: BREAKER_LIMITS.analyticsTimeoutMs }
  const pinned = (): AnalyticsReader => {
    const { views, shared, parameters } = reader
    return {
      views,
      shared,
      ...(parameters && { parameters }),
      query: (sql, values, budget) => guard(breaker, () => reader.query(sql, values, budget), options),
    }
  }
  return {
    get views() {
      return reader.views
    },
    shared: reader.shared,
    query: (sql, parameters, budget) => guard(breaker, () => reader.query(sql, parameters, budget), options),
    pinned,
  }
}

export function guardedTitles(reader: TitleReader, breaker: Breaker): TitleReader {
  return {
    get: (titleIds) => guard(breaker, () => reader.get(titleIds)),
    episodes: (seriesId) => guard(breaker, () => reader.episodes(seriesId)),
  }
}

export function guardedStreams(reader: StreamsReader, breaker: Breaker): StreamsReader {
  return { get: (accountId) => guard(breaker, () => reader.get(accountId)) }
}

export function guardedCheckpoints(reader: Checkpoints, breaker: Breaker): Checkpoints {
  return { next: (projection, place) => guard(breaker, () => reader.next(projection, place)) }
}

/** Bounded in rows and in age. An answer needs every row that was asked for. */
class ProgressMemory {
  private readonly single: Aging<ProgressRow | undefined>
  /** Undefined: too long to keep. */
  private readonly lists: Aging<readonly ProgressRow[] | undefined>

  constructor(nowMs: () => number) {
    this.single = new Aging(BREAKER_LIMITS.staleRowsMax, nowMs)
    this.lists = new Aging(BREAKER_LIMITS.staleListsMax, nowMs)
  }

  keepRows(profileId: string, titleIds: readonly string[], rows: readonly (ProgressRow | undefined)[]): void {
    titleIds.forEach((titleId, i) => {
      this.single.put(`${profileId}\0${titleId}`, rows[i])
    })
  }

  keepList(profileId: string, rows: readonly ProgressRow[]): void {
    this.lists.put(profileId, rows.length <= BREAKER_LIMITS.staleListRowsMax ? rows : undefined)
  }

  rows(profileId: string, titleIds: readonly string[]): readonly (ProgressRow | undefined)[] | undefined {
    const list = this.lists.get(profileId)?.value
    const found: (ProgressRow | undefined)[] = []
    for (const titleId of titleIds) {
      const kept = this.single.get(`${profileId}\0${titleId}`)
      if (kept === undefined && list === undefined) return undefined
      found.push(kept === undefined ? list?.find((row) => row.titleId === titleId) : kept.value)
    }
    stale.add(found)
    return found
  }

  list(profileId: string): readonly ProgressRow[] | undefined {
    const kept = this.lists.get(profileId)?.value
    if (kept === undefined) return undefined
    const rows = [...kept]
    stale.add(rows)
    return rows
  }
}

class Aging<T> {
  private readonly entries: Recent<{ readonly value: T; readonly atMs: number }>
  private readonly nowMs: () => number

  constructor(entriesMax: number, nowMs: () => number) {
    this.entries = new Recent(entriesMax)
    this.nowMs = nowMs
  }

  get(key: string): { readonly value: T } | undefined {
    const entry = this.entries.get(key)
    return entry !== undefined && this.nowMs() - entry.atMs <= BREAKER_LIMITS.staleAgeMaxMs ? entry : undefined
  }

  put(key: string, value: T): void {
    this.entries.put(key, { value, atMs: this.nowMs() })
  }
}
