/** `playhead compare`: what another product measured beside what we did, and which definition makes them differ. */
import { readBook } from '../../consumers/book.ts'
import { generationOf } from '../../consumers/generation.ts'
import { importedViewsV1 } from '../../projections/imported-views/v1.ts'
import { type Args, UsageError } from '../args.ts'
import { type Command, JSON_FLAG } from '../command.ts'
import { COMPARE_LIMITS } from '../compare/limits.ts'
import { COMPARED, type ComparedMetric } from '../compare/metrics.ts'
import { type By, GROUPS, importedDays, readComparison, type Tables } from '../compare/read.ts'
import { comparisonText } from '../compare/show.ts'
import { loadConfig } from '../config.ts'
import { openAnalytics, openLog, openState } from '../engines.ts'
import { dayRange } from '../export/days.ts'
import { toJson } from '../json.ts'
import { keysPath, readKeyFile } from '../keys.ts'
import type { Config } from '../settings.ts'
import { DEFINITION_FLAG, viewsGroup } from '../views-group.ts'

const NAME = 'compare'
const METRICS = COMPARED.map(({ name }) => name)

export const compare: Command = {
  name: NAME,
  about: `Takes the views that were imported (\`playhead import views\`) and ours of the same days, and shows both: theirs, ours by
their definition, ours by CTA-2066; and says for each number that differs which definition makes it so.
Metrics: ${METRICS.join(', ')}.`,
  flags: [
    { name: 'from', value: 'DAY', help: 'First day of UTC [the first that was imported]' },
    { name: 'to', value: 'DAY', help: 'Last day [the last that was imported]' },
    { name: 'by', value: 'DIMENSION', help: `One of ${Object.keys(GROUPS).join(', ')}; without it, all together.` },
    { name: 'metric', value: 'METRIC', help: 'Only this one; may be repeated.', many: true },
    { name: 'app', value: 'APP', help: 'Only views of this application, theirs and ours.' },
    { name: 'environment', value: 'ENV', help: 'Only those of this environment.' },
    { name: 'top', value: 'N', help: `How many groups, those with most views first [${COMPARE_LIMITS.groups}]` },
    DEFINITION_FLAG,
    JSON_FLAG,
  ],
  examples: ['playhead compare', 'playhead compare --from 2026-11-01 --by country --metric rebuffer_percent'],
  run: async (args, io) => {
    const given = dayRange(args.value('from'), args.value('to'), NAME)
    const by = byOf(args.value('by'))
    const metrics = metricsOf(args.values('metric'))
    const groupsMax = topOf(args)
    const { config } = loadConfig(io.env)
    const { tables, close } = await openTables(config, args.value('definition'))
    try {
      const imported = await importedDays(tables)
      if (imported === undefined) {
        io.err('Nothing was imported yet: `playhead import views FILE` brings the views of another product.\n')
        return 1
      }
      const range = { from: given.from ?? imported.from, to: given.to ?? imported.to }
      const [app, environment] = [args.value('app'), args.value('environment')]
      const groups = await readComparison(tables, { range, by, app, environment, groupsMax, metrics })
      if (args.has('json')) {
        const definitions = metrics.map(({ name, unit, why }) => ({ name, unit, why }))
        io.out(`${toJson({ ...range, by: by ?? null, groups, definitions }, 2)}\n`)
        return 0
      }
      io.out(`Views that began from ${range.from} to ${range.to} (UTC)\n\n`)
      io.out(groups.length === 0 ? 'Neither side has any.\n' : comparisonText(groups, metrics, by))
      return 0
    } finally {
      await close()
    }
  },
}

function byOf(text: string | undefined): By | undefined {
  if (text === undefined || text in GROUPS) return text as By | undefined
  throw new UsageError(`--by: "${text}" is none of ${Object.keys(GROUPS).join(', ')}.`, NAME)
}

function metricsOf(names: readonly string[]): readonly ComparedMetric[] {
  if (names.length === 0) return COMPARED
  return names.map((name) => {
    const found = COMPARED.find((metric) => metric.name === name)
    if (found === undefined) throw new UsageError(`--metric: "${name}" is none of ${METRICS.join(', ')}.`, NAME)
    return found
  })
}

function topOf(args: Args): number {
  const top = args.integer('top', COMPARE_LIMITS.groups)
  if (top >= 1 && top <= COMPARE_LIMITS.groupsMax) return top
  throw new UsageError(`--top: 1 to ${COMPARE_LIMITS.groupsMax}.`, NAME)
}

async function openTables(
  config: Config,
  definition: string | undefined,
): Promise<{ readonly tables: Tables; close(): Promise<void> }> {
  const admin = config.analytics.engine === 'embedded' ? readKeyFile(keysPath(config)).admin : ''
  const analytics = openAnalytics(config, admin)
  try {
    const log = await openLog(config)
    const incarnation = await log.incarnation()
    await log.close()
    const state = await openState(config)
    const book = await readBook(state, incarnation)
    await state.close()
    const databaseOf = async (generation: string, table: string) => {
      const database = `${analytics.database}_${generation}`
      const sql = 'SELECT 1 FROM system.tables WHERE database = {database:String} AND name = {table:String}'
      if ((await analytics.query(sql, { database, table })).length > 0) return database
      throw new UsageError(`There is no table ${table} yet: start the consumers (\`playhead up\`) and try again.`, NAME)
    }
    const ours = viewsGroup(config, book, incarnation, definition, NAME).generation
    const theirs = generationOf(importedViewsV1(), incarnation)
    const views = await databaseOf(ours.id, 'views')
    const importedViews = await databaseOf(theirs.id, 'imported_view_rows')
    return { tables: { analytics, views, importedViews }, close: () => analytics.close() }
  } catch (error) {
    await analytics.close()
    throw error
  }
}
