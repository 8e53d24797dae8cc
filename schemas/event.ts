/** What callers know of events: their types, where each goes and by which key. */
import { ROUTES } from './generated/routes.ts'
import { SUBJECTS } from './generated/sources.ts'
import type { EventType, PlayheadEvent } from './generated/types.ts'
import type { TopicName } from './topics.ts'

export type EventOf<T extends EventType> = Extract<PlayheadEvent, { type: T }>

/** What a producer must say: whatever may be null may also be left out. Decoded events have every field. */
export type Draft<T> = T extends string | number | boolean | null | undefined | Uint8Array
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Draft<Item>[]
    : { readonly [K in keyof T as null extends T[K] ? never : K]: Draft<T[K]> } & {
        readonly [K in keyof T as null extends T[K] ? K : never]?: Draft<T[K]> | undefined
      }

export type NewEventOf<T extends EventType> = T extends EventType ? Draft<EventOf<T>> : never
export type NewEvent = NewEventOf<EventType>

export interface EventInfo {
  readonly type: EventType
  readonly subject: string
  /** Null for a replayed event, which goes where its original was: ask `topicOf`. */
  readonly topic: TopicName | null
  keyOf(event: NewEvent): string
}

export const EVENTS: Readonly<Record<EventType, EventInfo>> = Object.fromEntries(
  (Object.keys(ROUTES) as EventType[]).map((type): [EventType, EventInfo] => {
    const { topic, key } = ROUTES[type]
    return [type, { type, subject: SUBJECTS[type], topic, keyOf: (event) => textField(event, key) }]
  }),
) as Record<EventType, EventInfo>

export const EVENT_TYPES = Object.keys(ROUTES) as readonly EventType[]

export function isEventType(name: string): name is EventType {
  return Object.hasOwn(ROUTES, name)
}

export function topicOf(event: NewEvent): string {
  const route = ROUTES[event.type]
  return route.topic ?? textField(event, route.topicFrom)
}

export function keyOf(event: NewEvent): string {
  return textField(event, ROUTES[event.type].key)
}

function textField(event: NewEvent, name: string): string {
  return (event as unknown as Record<string, string>)[name] as string
}
