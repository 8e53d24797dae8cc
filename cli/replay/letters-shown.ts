/** Dead letters as people are shown them, and what a person says one should have been. */
import { type EventCodec, isEventType, type NewEvent } from '../../schemas/index.ts'
import { type Letter, nameOf } from './letters.ts'
import { Refused } from './operator.ts'

export const CAUSES = ['frame', 'unknown-schema', 'body', 'fold'] as const

export function isCause(text: string): boolean {
  return CAUSES.some((known) => known === text)
}

export function shownLetter(letter: Letter) {
  const { value: _, ...rest } = letter
  return { letter: nameOf(letter), ...rest }
}

/** Those of one projection with one cause and one kind of detail together; the most first. */
export function groupsOf(letters: readonly Letter[]): readonly (readonly Letter[])[] {
  const groups = new Map<string, Letter[]>()
  for (const letter of letters) {
    // Numbers in a detail tell one event from another, not one cause.
    const name = [letter.projection, letter.cause, letter.detail.replace(/\d+/g, 'N').slice(0, 80)].join('\0')
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [letter])
    else group.push(letter)
  }
  return [...groups.values()].sort((a, b) => b.length - a.length)
}

/** `what` names where it came from, for who has to mend it. */
export function mendedEvent(codec: EventCodec, given: Readonly<Record<string, unknown>>, what: string): NewEvent {
  const { type, ...fields } = given
  if (typeof type !== 'string' || !isEventType(type)) {
    throw new Refused('INVALID', `${what}: "type" is no type of event.`, 'event')
  }
  const checked = codec.validate(type, fields)
  if (checked.ok) return checked.event as NewEvent
  throw new Refused('INVALID', `${what}: ${checked.field} ${checked.problem}. ${checked.remedy}`, 'event')
}
