/** What one may filter and break down by. Nothing else ever stands in SQL as a name. */
import { nearest } from '../../schemas/nearest.ts'
import { fieldProblem } from '../validation.ts'

interface DimensionSource {
  /** The smallest cube that has it. */
  readonly cube: 'minute' | 'hour'
  /** Its value in views and slices, where that is not the column as it is. */
  readonly sql?: string
  /** Has so many values that they are ranked by few columns first. */
  readonly many?: true
  readonly help: string
}

const minute = (help: string): DimensionSource => ({ cube: 'minute', help })
const hour = (help: string, sql?: string): DimensionSource => ({
  cube: 'hour',
  help,
  ...(sql !== undefined && { sql }),
})

const many = (help: string, sql?: string): DimensionSource => ({ ...hour(help, sql), many: true })

export const QOE_DIMENSIONS = {
  app_id: minute('Application whose key sent the reports'),
  country: minute('ISO 3166-1, as DE'),
  cdn: minute('Network that delivered the media'),
  device_type: minute('phone, tablet, desktop, tv, console, …'),
  os: minute('Operating system'),
  player: minute('hls.js, dash.js, shaka, …'),
  player_version: minute("The player's version"),
  app_version: minute("The application's version"),
  network_type: minute('wifi, cellular, ethernet, …'),
  protocol: minute('hls, dash, progressive, …'),
  stream_type: minute('vod, live, dvr or unknown'),
  content_type: minute('movie, episode, clip, live, …'),
  region: hour(
    'ISO 3166-2 with its country, as DE-BY',
    "if(region = '' OR country = '', region, concat(country, '-', region))",
  ),
  isp: many("Name of the viewer's network"),
  asn: many("Number of the viewer's network", "if(asn = 0, '', toString(asn))"),
  browser: hour('Browser'),
  title_id: many('Title'),
  series_id: many('Series of an episode'),
  error_code: hour('Code of the failure that ended the view'),
  environment: hour('production, staging, …'),
  source: hour('Who reported: sdk, cmcd, api, import, simulator'),
} as const satisfies Readonly<Record<string, DimensionSource>>

export type QoeDimension = keyof typeof QOE_DIMENSIONS
export const DIMENSION_NAMES = Object.keys(QOE_DIMENSIONS) as readonly QoeDimension[]

/** Short names that people try first. */
const ALSO: Readonly<Record<string, QoeDimension>> = {
  app: 'app_id',
  title: 'title_id',
  series: 'series_id',
  device: 'device_type',
  error: 'error_code',
  network: 'network_type',
}

export function isInMinutes(dimension: QoeDimension): boolean {
  return QOE_DIMENSIONS[dimension].cube === 'minute'
}

export function hasMany(dimension: QoeDimension): boolean {
  const source: DimensionSource = QOE_DIMENSIONS[dimension]
  return source.many === true
}

/** Its value in `views` and `view_slices`. */
export function valueSql(dimension: QoeDimension): string {
  const source: DimensionSource = QOE_DIMENSIONS[dimension]
  return source.sql ?? dimension
}

/** Throws the Problem for a name that is none. */
export function dimensionOf(name: string, field: string): QoeDimension {
  const known = Object.hasOwn(ALSO, name) ? ALSO[name] : name
  if (known !== undefined && Object.hasOwn(QOE_DIMENSIONS, known)) return known as QoeDimension
  const meant = nearest(name, [...DIMENSION_NAMES, ...Object.keys(ALSO)])
  const shown = JSON.stringify(name.slice(0, 40))
  throw fieldProblem(
    {
      field,
      problem: `names the dimension ${shown}, which there is not`,
      remedy: meant === undefined ? `There are ${DIMENSION_NAMES.join(', ')}.` : `Did you mean ${meant}?`,
    },
    'query',
  )
}
