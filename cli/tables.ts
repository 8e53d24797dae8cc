/** A generation's tables in ClickHouse as this release wants them: made, kept so long, and shown under plain names. */
import type { Generation } from '../consumers/generation.ts'
import { applyAliases } from '../stores/clickhouse/aliases.ts'
import type { ClickHouse } from '../stores/clickhouse/clickhouse.ts'
import { applyRetention, type RetentionDays } from '../stores/clickhouse/retention.ts'
import type { Config } from './settings.ts'

export type RetentionSettings = Pick<Config, 'eventsDays' | 'viewsDays' | 'minutesDays'>

/** `definition`: the name of one beside the usual ones; its tables are shown under names that end with it. */
export async function prepareTables(
  analytics: ClickHouse,
  { id, projection: { name, foldVersion } }: Generation,
  settings: RetentionSettings,
  definition: string | undefined,
): Promise<string> {
  const database = await analytics.prepareGeneration(id, `${name}_v${foldVersion}`)
  await applyRetention(analytics, database, retentionOf(settings))
  if (definition !== undefined) await applyAliases(analytics, name, database, definition)
  return database
}

/** Makes people's plain names show these tables: those of the generation that is read. */
export async function showTables(analytics: ClickHouse, { id, projection: { name } }: Generation): Promise<void> {
  await applyAliases(analytics, name, `${analytics.database}_${id}`, undefined)
}

export function forgets({ projection }: Generation, settings: RetentionSettings): boolean {
  const days: Readonly<Record<string, number>> = retentionOf(settings)
  return projection.landings.some(({ target }) => (days[target] ?? 0) > 0)
}

function retentionOf({ eventsDays, viewsDays, minutesDays }: RetentionSettings): RetentionDays {
  return {
    events: eventsDays,
    cdn_requests: eventsDays,
    views: viewsDays,
    view_keys: viewsDays,
    viewer_days: viewsDays,
    qoe_hour: viewsDays,
    view_slices: minutesDays,
    qoe_minute: minutesDays,
  }
}
