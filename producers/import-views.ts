/**
 * A view as another product measured it, as an event. Its id is derived from what its line says: the same line in the
 * same file or in another is one event, and a line that the vendor corrected is another, which counts by its import.
 */
import type { NewEventOf } from '../schemas/index.ts'
import { type ImportSource, importMeta } from './import.ts'

export type ImportedView = Omit<NewEventOf<'ViewImported'>, 'meta' | 'type'>

export function viewEvent(source: ImportSource, view: ImportedView): NewEventOf<'ViewImported'> {
  const endedAt = view.endedAt ?? view.startedAt
  const meta = importMeta(source, ['view', JSON.stringify(view)], Math.max(0, Math.min(endedAt, source.receivedAtMs)))
  return { type: 'ViewImported', meta, ...view }
}
