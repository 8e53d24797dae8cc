/** Label values from small known sets: what a player says of itself must never make a new time series. */
const QUALITIES = new Set(['auto', '240p', '360p', '480p', '540p', '720p', '1080p', '1440p', '2160p', 'sd', 'hd', '4k'])
const CONTENT_TYPES = new Set(['movie', 'series', 'episode', 'clip', 'trailer', 'live', 'audio'])
const DEVICES = new Set(['phone', 'tablet', 'desktop', 'tv', 'console', 'stick', 'watch', 'car'])

export const qualityLabel = (said: string | null | undefined): string => labelOf(QUALITIES, said)
export const contentTypeLabel = (said: string | null | undefined): string => labelOf(CONTENT_TYPES, said)
export const deviceLabel = (said: string | null | undefined): string => labelOf(DEVICES, said)

function labelOf(known: ReadonlySet<string>, said: string | null | undefined): string {
  if (said === null || said === undefined || said === '') return 'unknown'
  const word = said.toLowerCase()
  return known.has(word) ? word : 'other'
}
