/** The alerts as they run here: which rules are in force, and what they are judged by. */
import { type Alerts, startAlerts } from '../consumers/alerts/index.ts'
import type { Judged } from '../consumers/alerts/ports.ts'
import { readRules } from '../consumers/alerts/rules-file.ts'
import type { EventLog } from '../log/log.ts'
import type { Rule } from '../projections/incidents/rule.ts'
import { RuleInvalid } from '../projections/incidents/rules.ts'
import type { EventCodec } from '../schemas/index.ts'
import type { StateStore } from '../stores/state.ts'
import { openAnalyticsReader } from './analytics-reader.ts'
import { Incurable } from './incurable.ts'
import { openPointers, type Pointers } from './pointers.ts'
import type { RoleContext } from './roles/role.ts'
import { type Config, SETTINGS } from './settings.ts'

/** Throws Incurable, with the setting and the field. */
export async function rulesOf({ alertRules }: Pick<Config, 'alertRules'>): Promise<readonly Rule[]> {
  try {
    return await readRules(alertRules)
  } catch (error) {
    const fileTrouble = error instanceof Error && 'syscall' in error
    if (!(error instanceof RuleInvalid) && !fileTrouble) throw error
    throw new Incurable(`${SETTINGS.alertRules.key}=${alertRules}: ${error.message}`, { cause: error })
  }
}

export interface AlertEngines {
  readonly log: EventLog
  readonly state: StateStore
  readonly codec: EventCodec
}

export async function openAlerts(context: RoleContext, engines: AlertEngines): Promise<Alerts> {
  const { config, keys, logger, metrics } = context
  const incarnation = await engines.log.incarnation()
  const rules = await rulesOf(config)
  const pointers = await openPointers(config, engines.state, incarnation)
  pointers.follow({
    wentOver: (projection, from, to) => logger.info({ projection, from, to }, 'alerts read another generation'),
    failed: (error) => logger.warn({ err: error }, 'the book of generations: looked at again'),
  })
  const analytics = openAnalyticsReader(config, keys(), pointers)
  const { shared } = analytics.reader
  const alerts = await startAlerts({
    ...engines,
    query: (sql, parameters) => analytics.query(sql, parameters),
    judged: () => judgedOf(pointers, shared),
    rules,
    webhooks: config.webhooks ?? [],
    logger,
    metrics,
  })
  return {
    status: () => alerts.status(),
    close: async () => {
      await alerts.close()
      await pointers.close()
      await analytics.close()
    },
  }
}

/** `shared`: the database whose name those of the generations begin with. */
function judgedOf(pointers: Pointers, shared: string): Judged {
  const [views, requests, incidents] = [
    pointers.read('views'),
    pointers.read('cdn_requests'),
    pointers.read('incidents'),
  ]
  return {
    views: `${shared}_${views.generation.id}`,
    requests: `${shared}_${requests.generation.id}`,
    generations: { views: views.generation.id, cdn_requests: requests.generation.id },
    incidents: { table: incidents.table!, generation: incidents.generation.id },
  }
}
