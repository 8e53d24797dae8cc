/** The projections that this release runs: what the consumers role starts and what the tools look at. */
import { type Generation, generationOf, groupOf } from '../consumers/generation.ts'
import { cdnRequestsV1 } from '../projections/cdn-requests/v1.ts'
import { erasuresV1 } from '../projections/erasures/v1.ts'
import { eventsV1 } from '../projections/events/v1.ts'
import { importedViewsV1 } from '../projections/imported-views/v1.ts'
import { incidentsV1 } from '../projections/incidents/v1.ts'
import { progressV1, RETENTION } from '../projections/progress/v1.ts'
import { progressRowsV1 } from '../projections/progress-rows/v1.ts'
import type { Projection } from '../projections/projection.ts'
import { streamsV1 } from '../projections/streams/v1.ts'
import { titleRowsV1 } from '../projections/title-rows/v1.ts'
import { episodesV1 } from '../projections/titles/episodes-v1.ts'
import { titlesV1 } from '../projections/titles/v1.ts'
import { VIEWS_PARAMETERS } from '../projections/views/limits.ts'
import { viewsV1 } from '../projections/views/v1.ts'
import { TOPICS } from '../schemas/index.ts'
import type { Config } from './settings.ts'

/** What of the configuration is a parameter of a fold: another value means another generation. */
export type FoldSettings = Pick<Config, 'positionDays' | 'historyDays' | 'definitions'>

type Fold = (parameters: Readonly<Record<string, number>>, settings: FoldSettings) => Projection

/** Every fold that this release has, by name and version. An old one goes when no generation needs it. */
const FOLDS: Readonly<Record<string, Readonly<Record<number, Fold>>>> = {
  events: { 1: () => eventsV1(Object.keys(TOPICS)) },
  views: { 1: (parameters) => viewsV1(parameters) as Projection },
  cdn_requests: { 1: () => cdnRequestsV1() as Projection },
  imported_views: { 1: () => importedViewsV1() as Projection },
  progress: { 1: (parameters) => progressV1(parameters) },
  progress_rows: { 1: (parameters) => progressRowsV1(parameters) },
  titles: { 1: () => titlesV1() as Projection },
  title_rows: { 1: () => titleRowsV1() as Projection },
  episodes: { 1: () => episodesV1() as Projection },
  streams: { 1: () => streamsV1() as Projection },
  erasures: { 1: () => erasuresV1() as Projection },
  incidents: { 1: () => incidentsV1() as Projection },
}

/** Undefined: this release has no such fold. */
export function foldOf(
  name: string,
  foldVersion: number,
  parameters: Readonly<Record<string, number>>,
  settings: FoldSettings,
): Projection | undefined {
  return FOLDS[name]?.[foldVersion]?.(parameters, settings)
}

/** What a fold of this name can be given. */
export function parameterNames(name: string): readonly string[] {
  if (name === 'views') return Object.keys(VIEWS_PARAMETERS)
  return name === 'progress' || name === 'progress_rows' ? Object.keys(RETENTION) : []
}

/** The newest fold of each projection, with the parameters of the settings. */
export function usualProjections(settings: FoldSettings): readonly Projection[] {
  const { positionDays, historyDays } = settings
  const retention = { positionDays, historyDays }
  const given: Readonly<Record<string, Readonly<Record<string, number>>>> = {
    progress: retention,
    progress_rows: retention,
  }
  return Object.entries(FOLDS).map(([name, versions]) => {
    const newest = Math.max(...Object.keys(versions).map(Number))
    return versions[newest]!(given[name] ?? {}, settings)
  })
}

export interface LiveGroup {
  readonly generation: Generation
  readonly group: string
  readonly definition: string | undefined
}

/** Generations of definitions beside the usual ones. */
export function definedGroups({ definitions }: FoldSettings, incarnation: string): readonly LiveGroup[] {
  return definitions.map(({ name, parameters }) => {
    const generation = generationOf(viewsV1(parameters) as Projection, incarnation)
    return { generation, group: groupOf(generation), definition: name }
  })
}
