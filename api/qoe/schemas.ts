/** What the QoE routes take and answer. */
import { type Static, Type } from '@sinclair/typebox'
import { API_LIMITS } from '../limits.ts'
import { Id } from '../validation.ts'
import { DIMENSION_NAMES } from './dimensions.ts'
import { MINUTE_MS, QOE_LIMITS } from './limits.ts'
import { DEFINITIONS } from './metric-kinds.ts'
import { FLAG_NAMES } from './rows.ts'
import { SEARCH_STATES } from './search.ts'
import { GRAINS } from './window.ts'

const TAGS = ['QoE']
const SECURITY = [{ key: [] }]

const words = <T extends string>(values: readonly T[], description: string) =>
  Type.Union(
    values.map((value) => Type.Literal(value)),
    { description },
  )
const text = (description: string, maxLength: number) => Type.String({ minLength: 1, maxLength, description })
const several = (description: string, maxLength: number) =>
  Type.Union([Type.String({ maxLength }), Type.Array(Type.String({ maxLength }), { maxItems: 100 })], { description })
const moment = (description: string) => Type.String({ minLength: 1, maxLength: 64, description })

const QUESTION = {
  key: Type.Optional(
    Type.String({ maxLength: API_LIMITS.keyCharsMax, description: 'A key, where no header can be sent.' }),
  ),
  from: Type.Optional(moment('Milliseconds since 1970 or RFC 3339; 24 hours before "to" without it.')),
  to: Type.Optional(moment('Exclusive; now without it. Both are rounded outward to whole minutes (or the grain).')),
  filter: Type.Optional(
    several(
      `dimension:value, repeated: any of one dimension's values, all of the dimensions; !dimension:value leaves out. Dimensions: ${DIMENSION_NAMES.join(', ')}.`,
      QOE_LIMITS.filterCharsMax,
    ),
  ),
  definition: Type.Optional(words(DEFINITIONS, 'Whose definition, where they differ; cta-2066 without it.')),
  asOf: Type.Optional(
    moment(
      'Whether an open view has timed out is told as of this moment, or "now"; of the last record read without it.',
    ),
  ),
  timeoutMinutes: Type.Optional(
    Type.Integer({
      minimum: QOE_LIMITS.viewTimeoutMsMin / MINUTE_MS,
      maximum: QOE_LIMITS.viewTimeoutMsMax / MINUTE_MS,
      description: 'An open view times out so long after its last report; 30 without it.',
    }),
  ),
}
const METRIC = {
  metric: Type.Optional(
    several('Repeated; GET /v1/qoe/metrics lists them. A choice of them without it.', QOE_LIMITS.metricCharsMax),
  ),
}
const closed = { additionalProperties: false }

export const OverviewQuery = Type.Object({ ...QUESTION, ...METRIC }, closed)
export type OverviewQuery = Static<typeof OverviewQuery>

export const SeriesQuery = Type.Object(
  {
    ...QUESTION,
    ...METRIC,
    grain: Type.Optional(
      words(
        Object.keys(GRAINS) as (keyof typeof GRAINS)[],
        'Without it, the finest that gives a series one can draw. Days are those of UTC.',
      ),
    ),
  },
  closed,
)
export type SeriesQuery = Static<typeof SeriesQuery>

export const BreakdownQuery = Type.Object(
  {
    ...QUESTION,
    ...METRIC,
    by: text('A dimension.', QOE_LIMITS.metricCharsMax),
    order: Type.Optional(text('A metric; - in front: largest first. -views without it.', QOE_LIMITS.metricCharsMax)),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: QOE_LIMITS.breakdownRowsMax })),
    minViews: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1e9,
        description: 'Leaves out values with fewer views: their ratios are noise.',
      }),
    ),
  },
  closed,
)
export type BreakdownQuery = Static<typeof BreakdownQuery>

export const DistributionQuery = Type.Object(
  { ...QUESTION, of: Type.Optional(words(['startup_ms'], 'What is counted.')) },
  closed,
)
export type DistributionQuery = Static<typeof DistributionQuery>

const ID_CHARS_MAX = 128
export const SearchQuery = Type.Object(
  {
    ...QUESTION,
    session: Type.Optional(text('Of this session.', ID_CHARS_MAX)),
    profile: Type.Optional(text('Of this profile.', ID_CHARS_MAX)),
    title: Type.Optional(text('Of this title.', ID_CHARS_MAX)),
    error: Type.Optional(text('Ended by this error code.', ID_CHARS_MAX)),
    state: Type.Optional(words(SEARCH_STATES, 'What the player did last; open and timed_out as of "asOf".')),
    flag: Type.Optional(words(FLAG_NAMES, 'Why its numbers deserve a second look.')),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: QOE_LIMITS.viewsPageMax })),
    cursor: Type.Optional(text('"next" of the former page.', QOE_LIMITS.cursorCharsMax)),
  },
  closed,
)
export type SearchQuery = Static<typeof SearchQuery>

export const StoryParams = Type.Object({ sessionId: Id('The session, as the player named it.') })
export type StoryParams = Static<typeof StoryParams>
const { key, timeoutMinutes } = QUESTION
const storyAsOf = Type.Optional(
  moment(
    'The story as it was known then, folded again from the log: RFC 3339, milliseconds, or @N, a position; what stands without it, or with "now".',
  ),
)
export const StoryQuery = Type.Object({ key, asOf: storyAsOf, timeoutMinutes }, closed)
export type StoryQuery = Static<typeof StoryQuery>
export const ListQuery = Type.Object({ key }, closed)

const number = Type.Union([Type.Number(), Type.Null()])
const Sample = Type.Object(
  {
    views: Type.Integer(),
    startups: Type.Integer({ description: 'Views whose startup time is known: what percentiles are of.' }),
    reports: Type.Integer(),
    lostReports: Type.Integer(),
  },
  { description: 'What the numbers are based on.' },
)
const Freshness = Type.Object(
  {
    readThrough: Type.Record(Type.String(), Type.String(), {
      description: 'The last position of each partition that is in the numbers.',
    }),
    lag: Type.Union([Type.Integer(), Type.Null()], { description: 'Records of the log that are not yet in them.' }),
    asOf: Type.String(),
  },
  { description: 'How far the projection has read.' },
)
const SHOWN = {
  from: Type.String(),
  to: Type.String(),
  filters: Type.Array(Type.String()),
  definition: Type.String(),
}
const BASIS = { sample: Sample, freshness: Freshness }
const Values = Type.Record(Type.String(), number)
const Definitions = Type.Record(Type.String(), Type.String())
const Row = Type.Object({}, { additionalProperties: true })

function schema(summary: string, description: string, querystring: unknown, response: unknown) {
  return { summary, description, tags: TAGS, security: SECURITY, querystring, response: { 200: response } }
}

export const OverviewSchema = schema(
  'One number for each metric',
  'Over the whole window: ratios are sums over sums, percentiles come from histograms that are added.',
  OverviewQuery,
  Type.Object({ ...SHOWN, values: Values, definitions: Definitions, ...BASIS }),
)
export const SeriesSchema = schema(
  'Metrics over time',
  'A point for each step, without gaps.',
  SeriesQuery,
  Type.Object({ ...SHOWN, grain: Type.String(), points: Type.Array(Row), definitions: Definitions, ...BASIS }),
)
export const BreakdownSchema = schema(
  'Metrics by the values of a dimension',
  'Ranked by a metric. By title_id, names of the catalogue are joined.',
  BreakdownQuery,
  Type.Object({
    ...SHOWN,
    by: Type.String(),
    order: Type.String(),
    rows: Type.Array(Row),
    more: Type.Boolean({ description: 'Whether there are values beyond these.' }),
    definitions: Definitions,
    ...BASIS,
  }),
)
export const DistributionSchema = schema(
  'How startup times are spread',
  'A histogram of at most 60 bins, each above fromMs up to toMs, and percentiles within 1 %.',
  DistributionQuery,
  Type.Object({
    ...SHOWN,
    of: Type.String(),
    bins: Type.Array(Type.Object({ fromMs: Type.Integer(), toMs: Type.Integer(), views: Type.Integer() })),
    percentiles: Values,
    mean: number,
    ...BASIS,
  }),
)
export const SearchSchema = schema(
  'Views one by one',
  'Those that began in the window, newest first; page by page with "cursor".',
  SearchQuery,
  Type.Object({
    ...SHOWN,
    views: Type.Array(Row),
    next: Type.Union([Type.String(), Type.Null()], { description: 'Of the next page; null: there is none.' }),
    ...BASIS,
  }),
)
export const StorySchema = {
  ...schema(
    'The whole story of a session',
    'Its views: every number, minute by minute; its events; and which events made each number, by folding them again. Where that differs from what is stored, it says so.',
    StoryQuery,
    Type.Object({
      sessionId: Type.String(),
      asOf: Type.Optional(Type.String({ description: 'The moment that was asked for.' })),
      views: Type.Array(Row),
      events: Type.Array(Row),
      more: Type.Object({ views: Type.Boolean(), slices: Type.Boolean(), events: Type.Boolean() }),
      ...BASIS,
    }),
  ),
  params: StoryParams,
}
export const ListSchema = schema(
  'Every metric',
  'Its unit, what it tells, its formula by each definition; and the dimensions to filter and break down by.',
  ListQuery,
  Type.Object({ metrics: Type.Array(Row), dimensions: Type.Array(Row), definitions: Type.Array(Type.String()) }),
)
