/** Which dimensions a rule may filter by and break down by, in each source, and how a filter is written. */
import type { Source } from './metrics.ts'

/** By minute in the cube; the others are read from the rows themselves. */
export const CUBE_DIMENSIONS: ReadonlySet<string> = new Set([
  'app_id',
  'country',
  'cdn',
  'device_type',
  'os',
  'player',
  'player_version',
  'app_version',
  'network_type',
  'protocol',
  'stream_type',
  'content_type',
])

const ROW_DIMENSIONS = [
  ...CUBE_DIMENSIONS,
  ...['environment', 'title_id', 'series_id', 'region', 'isp', 'asn', 'browser', 'error_code', 'source'],
]

export const DIMENSIONS_OF: Readonly<Record<Source, readonly string[]>> = {
  views: ROW_DIMENSIONS,
  slices: ROW_DIMENSIONS,
  cdn_requests: [
    ...['app_id', 'environment', 'cdn', 'edge', 'title_id', 'stream_type', 'protocol', 'object_type'],
    ...['country', 'region', 'isp', 'asn', 'device_type'],
  ],
}

export interface Condition {
  readonly dimension: string
  readonly excluded: boolean
  /** Any of them. */
  readonly values: readonly string[]
}

/** Undefined: it is not written `dim:value` or `!dim:value`. A value may hold colons. */
export function readFilter(text: string): (Omit<Condition, 'values'> & { readonly value: string }) | undefined {
  const match = /^(!?)([a-z_]+):([\s\S]*)$/.exec(text)
  if (match === null) return undefined
  const [, not, dimension = '', value = ''] = match
  return { dimension, excluded: not === '!', value }
}

export function conditionsOf(filter: readonly string[]): readonly Condition[] {
  const conditions = new Map<string, { dimension: string; excluded: boolean; values: string[] }>()
  for (const text of filter) {
    const read = readFilter(text)
    if (read === undefined) throw new Error(`"${text}" is no filter`)
    const { dimension, excluded, value } = read
    const name = `${excluded}/${dimension}`
    const condition = conditions.get(name) ?? { dimension, excluded, values: [] }
    condition.values.push(value)
    conditions.set(name, condition)
  }
  return [...conditions.values()]
}
