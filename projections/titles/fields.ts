/** Lists and maps of a catalogue record as JSON text that people and programs read, no longer than a row can take. */
import { TITLE_LIMITS } from './limits.ts'

export function listText(items: readonly string[]): string {
  const kept: string[] = []
  let length = 2
  for (const item of items) {
    length += JSON.stringify(item).length + 1
    if (length > TITLE_LIMITS.listLengthMax) break
    kept.push(item)
  }
  return JSON.stringify(kept)
}

/** In the order of the names, so that the same map is the same text. */
export function mapText(map: Readonly<Record<string, string>>): string {
  const kept: string[] = []
  let length = 2
  for (const name of Object.keys(map).sort()) {
    const entry = `${JSON.stringify(name)}:${JSON.stringify(map[name])}`
    length += entry.length + 1
    if (length > TITLE_LIMITS.mapLengthMax) break
    kept.push(entry)
  }
  return `{${kept.join(',')}}`
}
