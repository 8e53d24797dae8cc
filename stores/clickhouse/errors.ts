/** ClickHouse's errors and the network's, as the errors of stores/. */
import { ClickHouseError } from '@clickhouse/client'
import { type StoreError, StoreFull, StoreRefused, StoreUnavailable } from '../errors.ts'

const STALE_OWNER = '395'
const NO_SPACE = new Set(['243', '226'])
/** Codes after which the same request may succeed: timeouts, overload, memory, network, a server that starts or stops. */
const PASSING = new Set([
  '159',
  '160',
  '164',
  '202',
  '209',
  '210',
  '236',
  '241',
  '242',
  '252',
  '279',
  '394',
  '425',
  '999',
  '1000',
])

export function isStaleOwner(error: unknown): boolean {
  return error instanceof ClickHouseError && error.code === STALE_OWNER && error.message.includes('stale owner')
}

export function storeErrorOf(error: unknown, what: string, where: string): StoreError {
  const cause = { cause: error }
  if (!(error instanceof ClickHouseError)) {
    const reason = error instanceof Error ? error.message || (error as NodeJS.ErrnoException).code : String(error)
    return new StoreUnavailable(`ClickHouse at ${where} can't be reached (${what}): ${reason}`, cause)
  }
  const { code, message } = error
  if (NO_SPACE.has(code) || message.includes('No space left')) {
    return new StoreFull(`ClickHouse at ${where} has no disk space left (${what})`, cause)
  }
  if (PASSING.has(code)) return new StoreUnavailable(`ClickHouse at ${where} is busy (${what}, code ${code})`, cause)
  return new StoreRefused(`ClickHouse at ${where} refuses (${what}, code ${code}): ${message.slice(0, 500)}`, cause)
}
