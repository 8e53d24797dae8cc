/** The engines behind an export: ClickHouse for the rows, the log and the commit records for how far they have come. */
import { openBook } from '../../consumers/book.ts'
import { ClickHouseDump } from '../../stores/clickhouse/dump.ts'
import { analyticsAccess, openAnalytics, openLog, openState } from '../engines.ts'
import { keysPath, readKeyFile } from '../keys.ts'
import type { Config } from '../settings.ts'
import { viewsGroup } from '../views-group.ts'
import { keptFrom } from './days.ts'
import { type ViewsSource, viewsSource } from './source.ts'

/** `definition`: the name of one beside the usual ones. */
export async function openSource(
  config: Config,
  definition: string | undefined,
  command: string,
): Promise<{ readonly source: ViewsSource; close(): Promise<void> }> {
  const opened: { close(): Promise<void> }[] = []
  const close = async () => {
    for (const engine of opened.reverse()) await engine.close()
  }
  try {
    const log = await openLog(config)
    opened.push(log)
    const state = await openState(config)
    opened.push(state)
    const admin = config.analytics.engine === 'embedded' ? readKeyFile(keysPath(config)).admin : ''
    const analytics = openAnalytics(config, admin)
    opened.push(analytics)
    const dump = new ClickHouseDump(analyticsAccess(config, admin))
    opened.push(dump)
    const incarnation = await log.incarnation()
    const book = await (await openBook(state, incarnation))()
    const group = viewsGroup(config, book, incarnation, definition, command)
    const { id, projection } = group.generation
    const readThrough = async () => {
      const places = (await Promise.all(projection.topics.map((topic) => log.bounds(topic)))).flat()
      const read = async ({ topic, partition }: (typeof places)[number]) => {
        const record = await state.commits.read({ generation: id, topic, partition })
        return [`${topic}/${partition}`, String(record?.checkpoint ?? 0n)] as const
      }
      return Object.fromEntries(await Promise.all(places.map(read)))
    }
    const kept = keptFrom(config.viewsDays, Date.now())
    return { source: viewsSource({ generation: id, analytics, dump, keptFrom: kept, readThrough }), close }
  } catch (error) {
    await close()
    throw error
  }
}
