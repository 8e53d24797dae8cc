/** schemas/: every event there is, how it becomes bytes and how old bytes are read. What runs imports from here; the CLI also takes diff.ts and registry-client.ts. */
export { createCodec, type Decoded, type EventCodec } from './codec.ts'
export { EventInvalid, SchemaRegistryRefused, SchemaRegistryUnavailable } from './errors.ts'
export {
  EVENT_TYPES,
  EVENTS,
  type EventOf,
  isEventType,
  keyOf,
  type NewEvent,
  type NewEventOf,
  topicOf,
} from './event.ts'
export { eventIdOf, eventIdWords, FRAME_BYTES, schemaIdOf } from './frame.ts'
export { RELEASED, type ReleasedSchema } from './generated/released.ts'
export type * from './generated/types.ts'
export { nearest } from './nearest.ts'
export { decodePersonal, encodePersonal, PERSONAL_LABEL } from './personal.ts'
export { isTopicName, TOPICS } from './topics.ts'
export type { Invalid } from './validate.ts'
