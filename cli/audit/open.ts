/** The audit as it runs here: on the engines that the consumers have open. */
import { DeadLetters } from '../../consumers/dead-letters.ts'
import type { Consumers } from '../../consumers/index.ts'
import type { ReplayPorts } from '../replay/open.ts'
import { Operator } from '../replay/operator.ts'
import type { RoleContext } from '../roles/role.ts'
import { type Auditor, startAuditor } from './auditor.ts'

type Engines = Pick<ReplayPorts, 'codec' | 'log' | 'state'> & {
  readonly vault: Awaited<ReturnType<ReplayPorts['vault']>>
  readonly analytics: ReturnType<ReplayPorts['analytics']>
  readonly consumers: Pick<Consumers, 'status'>
}

/** Undefined: it is off, or can't tell, because ClickHouse forgets events: it finds a key's events there. */
export async function openAuditor(
  { config, logger, metrics }: Pick<RoleContext, 'config' | 'logger' | 'metrics'>,
  { codec, log, state, vault, analytics, consumers }: Engines,
): Promise<Auditor | undefined> {
  const { verifyKeysPerHour: keysPerHour, eventsDays } = config
  if (keysPerHour === 0) return undefined
  if (eventsDays > 0) {
    logger.info('nothing is verified beside the folds: PLAYHEAD_EVENTS_DAYS drops the events that it needs')
    return undefined
  }
  const operator = await Operator.open({ settings: config, log, state, codec, nowMs: Date.now })
  const replay: ReplayPorts = {
    ...{ codec, log, state, operator },
    analytics: () => analytics,
    vault: async () => vault,
    deadLetters: () => DeadLetters.open(state),
  }
  return await startAuditor({ replay, keysPerHour, consumers, logger, metrics })
}
