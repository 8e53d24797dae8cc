/**
 * ClickHouse as the API reads it: as the user that may only read. On one machine its password is the data key, which an
 * operator may change at any time: the next query goes out with the new one.
 */
import type { AnalyticsReader } from '../api/ports.ts'
import { analyticsReader } from '../api/readers/analytics.ts'
import { ClickHouseReader } from '../stores/clickhouse/reader.ts'
import { ANALYTICS_READER, analyticsAccess } from './engines.ts'
import type { Keys } from './keys.ts'
import type { Pointers } from './pointers.ts'
import type { Config } from './settings.ts'

export interface OpenAnalyticsReader {
  /** As the API's routes read, in problems that a caller is told. */
  readonly reader: AnalyticsReader
  /** The same in the store's own errors. */
  readonly query: ClickHouseReader['query']
  close(): Promise<void>
}

export function openAnalyticsReader(config: Config, keys: Keys, pointers: Pointers): OpenAnalyticsReader {
  const access = () => analyticsAccess(config, keys.current().data, ANALYTICS_READER)
  let now = access()
  let client = new ClickHouseReader(now)
  const query: ClickHouseReader['query'] = async (sql, parameters, timeoutMs) => {
    if (access().password !== now.password) {
      const before = client
      now = access()
      client = new ClickHouseReader(now)
      await before.close()
    }
    return await client.query(sql, parameters, timeoutMs)
  }
  const { database: shared } = now
  return {
    query,
    reader: analyticsReader({ query }, () => {
      const { generation } = pointers.read('views')
      const { parameters } = generation.projection
      return { shared, views: `${shared}_${generation.id}`, ...(parameters && { parameters }) }
    }),
    close: () => client.close(),
  }
}
