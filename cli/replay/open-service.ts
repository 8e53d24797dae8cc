/** Replay over the engines that the API has open: it reads ClickHouse as the user that may only read. */
import type { AnalyticsReader } from '../../api/ports.ts'
import { DeadLetters } from '../../consumers/dead-letters.ts'
import type { EventLog } from '../../log/log.ts'
import type { EventCodec } from '../../schemas/index.ts'
import type { StateStore } from '../../stores/state.ts'
import type { KeyVault } from '../../stores/vault.ts'
import type { FoldSettings } from '../projections.ts'
import { Operator } from './operator.ts'
import type { RollbackLogger } from './rollbacks.ts'
import { type ReplayService, replayService } from './service.ts'

export interface ServiceParts {
  readonly config: FoldSettings
  readonly codec: EventCodec
  readonly log: EventLog
  readonly state: StateStore
  readonly vault: KeyVault
  readonly analytics: AnalyticsReader
  readonly logger: RollbackLogger
  readonly nowMs: () => number
}

export async function openService(parts: ServiceParts): Promise<ReplayService> {
  const { config: settings, codec, log, state, vault, analytics, logger, nowMs } = parts
  const operator = await Operator.open({ settings, log, state, codec, nowMs })
  let letters: Promise<DeadLetters> | undefined
  const deadLetters = async () => {
    // A store that was away is asked again.
    letters ??= DeadLetters.open(state).catch((error: unknown) => {
      letters = undefined
      throw error
    })
    return await letters
  }
  const reads = {
    database: analytics.shared,
    query: <T>(sql: string, parameters: Record<string, unknown> = {}) => analytics.query<T>(sql, parameters),
  }
  const engines = { operator, codec, log, state, vault: async () => vault, deadLetters, analytics: () => reads }
  return replayService(engines, logger, nowMs)
}
