/** A log as it was when it was looked at first: many generations ask for the ends of the same topics. */
import type { EventLog, PartitionBounds } from '../../log/log.ts'
import { guarded } from './gate.ts'

export function lookedAt(log: EventLog): EventLog {
  const found = new Map<string, Promise<readonly PartitionBounds[]>>()
  return {
    ...guarded(log),
    bounds: (topic) => {
      const bounds = found.get(topic) ?? log.bounds(topic)
      found.set(topic, bounds)
      return bounds
    },
  }
}
