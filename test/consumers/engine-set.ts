/**
 * One set of engines for the tests of the delivery runtime: the log, the state store, ClickHouse, and how to look at what
 * stands in them. The same tests run on every set.
 */
import { generationOf } from '../../consumers/generation.ts'
import type { EventLog } from '../../log/log.ts'
import { eventsV1 } from '../../projections/events/v1.ts'
import type { Projection } from '../../projections/projection.ts'
import type { EventCodec } from '../../schemas/index.ts'
import type { AnalyticsStore } from '../../stores/analytics.ts'
import type { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import type { StateStore } from '../../stores/state.ts'
import type { KeyVault } from '../../stores/vault.ts'

export interface EngineSet {
  readonly name: string
  readonly log: EventLog
  readonly state: StateStore
  readonly analytics: AnalyticsStore
  readonly codec: EventCodec
  readonly vault: KeyVault
  /** Makes a projection's tables and answers their database. */
  prepare(projection: Projection): Promise<string>
  /** Rows of `events` that stand, by position. */
  journal(database: string, topic: string): Promise<Map<bigint, number>>
  /** Rows of `tally` that stand: how many, and the events they say. */
  tallies(database: string, topic: string): Promise<Map<string, { rows: number; events: number }>>
  close(): Promise<void>
}

export const EVENTS_PROJECTION = eventsV1(['playback-events'])

/** The parts that a real ClickHouse has in common, embedded or not. */
export function clickHouseViews(clickhouse: ClickHouse, incarnation: string) {
  return {
    prepare: async (projection: Projection): Promise<string> => {
      const { id } = generationOf(projection, incarnation)
      const { name, foldVersion } = projection
      // What only tests have writes into the tally's table.
      const shipped = name === 'events' || name === 'views'
      const folder = shipped ? `${name}_v${foldVersion}` : new URL('./sql/tally_v1/', import.meta.url)
      return clickhouse.prepareGeneration(id, folder)
    },
    journal: async (database: string, topic: string): Promise<Map<bigint, number>> => {
      const rows = await clickhouse.query<{ position: string; n: string }>(
        `SELECT toString(position) AS position, toString(count()) AS n FROM ${database}.events
         WHERE topic = {topic:String} GROUP BY position`,
        { topic },
      )
      return new Map(rows.map((r) => [BigInt(r.position), Number(r.n)]))
    },
    tallies: async (database: string, topic: string) => {
      const rows = await clickhouse.query<{ row_key: string; n: string; total: string }>(
        `SELECT row_key, toString(sum(sign)) AS n, toString(sum(sign * events)) AS total FROM ${database}.tally
         WHERE topic = {topic:String} GROUP BY row_key`,
        { topic },
      )
      return new Map(rows.map((r) => [r.row_key, { rows: Number(r.n), events: Number(r.total) }]))
    },
  }
}
