/** What the page shows, as the address says it: a link to it shows the same to somebody else. Pure. */

export const WINDOWS = [
  { name: '30m', says: '30 min', ms: 30 * 60_000, grain: 'minute' },
  { name: '1h', says: '1 hour', ms: 3_600_000, grain: 'minute' },
  { name: '6h', says: '6 hours', ms: 6 * 3_600_000, grain: 'minute' },
  { name: '24h', says: '24 hours', ms: 24 * 3_600_000, grain: 'hour' },
  { name: '7d', says: '7 days', ms: 7 * 24 * 3_600_000, grain: 'hour' },
  { name: '30d', says: '30 days', ms: 30 * 24 * 3_600_000, grain: 'day' },
] as const

export const DIMENSIONS = [
  { name: 'cdn', says: 'CDN' },
  { name: 'country', says: 'Country' },
  { name: 'title', says: 'Title' },
  { name: 'device', says: 'Device' },
  { name: 'player', says: 'Player' },
  { name: 'app_version', says: 'App version' },
] as const

export const VIEW_STATES = [
  { name: 'all', says: 'All' },
  { name: 'open', says: 'Open' },
  { name: 'stalled', says: 'Stalled' },
  { name: 'failed', says: 'Failed' },
  { name: 'ended', says: 'Ended' },
] as const

export const TILES = ['views', 'startup', 'failures', 'exits', 'rebuffer', 'bitrate', 'score'] as const

type Named<T extends readonly { readonly name: string }[]> = T[number]['name']
export type WindowName = Named<typeof WINDOWS>
export type DimensionName = Named<typeof DIMENSIONS>
export type ViewStateName = Named<typeof VIEW_STATES>
export type TileName = (typeof TILES)[number]

export interface Choice {
  /** One session's story in place of the overview. */
  readonly session: string | undefined
  readonly window: WindowName
  readonly tile: TileName
  readonly by: DimensionName
  readonly sort: string
  readonly views: ViewStateName
  readonly filters: readonly string[]
}

const FIRST: Choice = {
  session: undefined,
  window: '1h',
  tile: 'startup',
  by: 'cdn',
  sort: '-views',
  views: 'all',
  filters: [],
}
const FILTERS_MAX = 10

export function readChoice(hash: string): Choice {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  const search = new URLSearchParams(query)
  const of = <T extends string>(name: string, all: readonly T[], otherwise: T): T =>
    all.find((one) => one === search.get(name)) ?? otherwise
  const names = <T extends string>(all: readonly { readonly name: T }[]) => all.map(({ name }) => name)
  const sort = search.get('sort') ?? ''
  return {
    session: path.startsWith('view/') ? decoded(path.slice(5)) : undefined,
    window: of('window', names(WINDOWS), FIRST.window),
    tile: of('metric', TILES, FIRST.tile),
    by: of('by', names(DIMENSIONS), FIRST.by),
    sort: /^-?[a-z_0-9]{1,40}$/.test(sort) ? sort : FIRST.sort,
    views: of('views', names(VIEW_STATES), FIRST.views),
    filters: search.getAll('filter').slice(0, FILTERS_MAX),
  }
}

export function hashOf(choice: Choice): string {
  const search = new URLSearchParams()
  if (choice.window !== FIRST.window) search.set('window', choice.window)
  if (choice.tile !== FIRST.tile) search.set('metric', choice.tile)
  if (choice.by !== FIRST.by) search.set('by', choice.by)
  if (choice.sort !== FIRST.sort) search.set('sort', choice.sort)
  if (choice.views !== FIRST.views) search.set('views', choice.views)
  for (const filter of choice.filters) search.append('filter', filter)
  const query = search.toString()
  const path = choice.session === undefined ? '' : `view/${encodeURIComponent(choice.session)}`
  return `#/${path}${query === '' ? '' : `?${query}`}`
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return text
    throw error
  }
}

/** A value of a dimension, in and out again. */
export function toggled(choice: Choice, dimension: string, value: string): Choice {
  const filter = `${dimension}:${value}`
  const filters = choice.filters.includes(filter)
    ? choice.filters.filter((one) => one !== filter)
    : [...choice.filters, filter].slice(-FILTERS_MAX)
  return { ...choice, filters }
}

export function windowOf(choice: Choice) {
  return WINDOWS.find(({ name }) => name === choice.window) ?? WINDOWS[1]
}

/** An empty value is one that nobody said. */
export function shownValue(value: string): string {
  return value === '' ? 'not known' : value
}
