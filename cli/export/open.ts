/** The engines behind an export: ClickHouse for the rows, the log and the commit records for how far they have come. */
import { ClickHouseDump } from '../../stores/clickhouse/dump.ts'
import { analyticsAccess, openAnalytics, openLog, openState } from '../engines.ts'
import { keysPath, readKeyFile } from '../keys.ts'
import { groupsOf } from '../projections.ts'
import type { Config } from '../settings.ts'
import { type ViewsSource, viewsSource } from './source.ts'

export async function openSource(config: Config): Promise<{ readonly source: ViewsSource; close(): Promise<void> }> {
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
    const found = groupsOf(config, await log.incarnation()).find(
      ({ generation }) => generation.projection.name === 'views',
    )
    if (found === undefined) throw new Error('this release runs no projection views')
    const { id, projection } = found.generation
    const readThrough = async () => {
      const places = (await Promise.all(projection.topics.map((topic) => log.bounds(topic)))).flat()
      const read = async ({ topic, partition }: (typeof places)[number]) => {
        const record = await state.commits.read({ generation: id, topic, partition })
        return [`${topic}/${partition}`, String(record?.checkpoint ?? 0n)] as const
      }
      return Object.fromEntries(await Promise.all(places.map(read)))
    }
    return { source: viewsSource({ generation: id, analytics, dump, readThrough }), close }
  } catch (error) {
    await close()
    throw error
  }
}
