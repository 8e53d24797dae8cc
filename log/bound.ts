/** A log's methods bound to it, for whoever hands on a log of which some methods are others. */
import type { EventLog } from './log.ts'

export function boundTo(log: EventLog): EventLog {
  return {
    engine: log.engine,
    incarnation: () => log.incarnation(),
    ensureTopics: (specs) => log.ensureTopics(specs),
    topics: () => log.topics(),
    append: (records) => log.append(records),
    read: (request) => log.read(request),
    bounds: (topic) => log.bounds(topic),
    trim: (place, before) => log.trim(place, before),
    join: (group, topics, listener) => log.join(group, topics, listener),
    mirror: (group, checkpoints) => log.mirror(group, checkpoints),
    mirrored: (group) => log.mirrored(group),
    close: () => log.close(),
  }
}
