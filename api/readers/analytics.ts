/** ClickHouse as the API reads it: one generation of views, and the problems that a caller is told. */
import { type ClickHouseReader, QueryTooHeavy, ReadersBusy, TablesMissing } from '../../stores/clickhouse/reader.ts'
import { API_LIMITS } from '../limits.ts'
import type { AnalyticsReader } from '../ports.ts'
import { Problem } from '../problems.ts'

export interface AnalyticsNames {
  /** The database of the views generation that is read. */
  readonly views: string
  /** Parameters of its fold, where they are not the fold's own. */
  readonly parameters?: Readonly<Record<string, number>>
  /** The database that people query. */
  readonly shared: string
}

const AGAIN = { retryAfterMs: API_LIMITS.retryAfterUnavailableMs }

/** `names` is asked anew for each answer: what is read may change. */
export function analyticsReader(reader: Pick<ClickHouseReader, 'query'>, names: () => AnalyticsNames): AnalyticsReader {
  const { shared } = names()
  const query = queryOf(reader)
  return {
    get views() {
      return names().views
    },
    shared,
    query,
    pinned: () => ({ ...names(), query }),
  }
}

function queryOf(reader: Pick<ClickHouseReader, 'query'>): AnalyticsReader['query'] {
  return async <T>(
    sql: string,
    parameters: Readonly<Record<string, unknown>>,
    budget?: { readonly timeoutMs: number },
  ) => {
    try {
      return await reader.query<T>(sql, parameters, budget?.timeoutMs)
    } catch (error) {
      if (error instanceof QueryTooHeavy) throw tooHeavy()
      if (error instanceof ReadersBusy) throw busy()
      if (error instanceof TablesMissing) throw missing()
      throw error
    }
  }
}

function tooHeavy(): Problem {
  return new Problem(
    'QUERY_TOO_HEAVY',
    'A limit of time, memory or rows ended it. Ask for a shorter window, fewer metrics, or one dimension at a time.',
    AGAIN,
  )
}

function busy(): Problem {
  return new Problem('ANALYTICS_BUSY', 'As many questions as this process takes are being answered: ask again.', AGAIN)
}

/** As a problem of its own, so that a breaker does not take a new installation for a ClickHouse that is away. */
function missing(): Problem {
  return new Problem(
    'STORE_UNAVAILABLE',
    'Its tables are not made yet: the consumers make them when they start.',
    AGAIN,
  )
}
