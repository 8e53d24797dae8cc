/** The engines behind an export: ClickHouse for the rows, the log and the commit records for how far they have come. */
import { readBook } from '../../consumers/book.ts'
import { ClickHouseDump } from '../../stores/clickhouse/dump.ts'
import { analyticsAccess, openAnalytics, openLog, openState } from '../engines.ts'
import { keysPath, readKeyFile } from '../keys.ts'
import { openTogether } from '../opened.ts'
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
  return await openTogether(async (opened) => {
    const log = opened.keep(await openLog(config))
    const state = opened.keep(await openState(config))
    const admin = config.analytics.engine === 'embedded' ? readKeyFile(keysPath(config)).admin : ''
    const analytics = opened.keep(openAnalytics(config, admin))
    const dump = opened.keep(new ClickHouseDump(analyticsAccess(config, admin)))
    const incarnation = await log.incarnation()
    const book = await readBook(state, incarnation)
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
    return { source: viewsSource({ generation: id, analytics, dump, keptFrom: kept, readThrough }) }
  })
}
