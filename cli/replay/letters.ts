/** Dead letters as operators handle them: found, shown, replayed, discarded. */
import type { DeadLetter } from '../../consumers/dead-letters.ts'
import type { LogRecord, Position } from '../../log/log.ts'
import { type LetterActed, type LetterPlace, letterDiscarded, letterReplayed } from '../../producers/dead-letters.ts'
import type { Arrival } from '../../producers/stamp.ts'
import { keyOf, type NewEvent } from '../../schemas/index.ts'
import { REPLAY_LIMITS } from './limits.ts'
import type { ReplayPorts } from './open.ts'
import { Refused } from './operator.ts'

export interface Letter extends DeadLetter {
  readonly projection: string
}

export interface Wanted {
  readonly projection?: string | undefined
  readonly cause?: string | undefined
  readonly sinceMs?: number | undefined
  readonly untilMs?: number | undefined
  /** Those that were replayed or discarded, too. */
  readonly all?: boolean
}

/** Of the generations that are read, in the order of the log. */
export async function* lettersOf(
  { operator, deadLetters: opened }: ReplayPorts,
  wanted: Wanted,
): AsyncGenerator<Letter> {
  const deadLetters = await opened()
  if (wanted.projection !== undefined) await operator.plan(wanted.projection)
  for (const { name, read } of await operator.plans()) {
    if (wanted.projection !== undefined && name !== wanted.projection) continue
    for (let after: DeadLetter | undefined; ; ) {
      const page = await deadLetters.list(read.id, REPLAY_LIMITS.lettersPage, after)
      for (const letter of page) if (fits(letter, wanted)) yield { ...letter, projection: name }
      if (page.length < REPLAY_LIMITS.lettersPage) break
      after = page.at(-1)
    }
  }
}

/** `views:playback-events/3@1234` */
export function placeOf(text: string): LetterPlace & { readonly projection: string } {
  const [, projection, topic, partition, position] = /^([\w-]+):([\w-]+)\/(\d{1,9})@(\d{1,18})$/.exec(text) ?? []
  if (projection === undefined || topic === undefined || partition === undefined || position === undefined) {
    throw new Refused('INVALID', `"${text}" names no letter: such as views:playback-events/3@1234, as they are listed.`)
  }
  return { projection, topic, partition: Number(partition), position: BigInt(position) }
}

export function nameOf({ projection, topic, partition, position }: Letter): string {
  return `${projection}:${topic}/${partition}@${position}`
}

export async function letterAt({ operator, deadLetters }: ReplayPorts, text: string): Promise<Letter> {
  const { projection, ...place } = placeOf(text)
  const { read } = await operator.plan(projection)
  const letter = await (await deadLetters()).get(read.id, place)
  if (letter === undefined)
    throw new Refused('UNKNOWN', `There is no letter ${text}. \`playhead dead-letters\` lists them.`)
  return { ...letter, projection }
}

/** The whole record, from the log; undefined if it is no longer kept there. */
export async function recordOf(
  { log }: ReplayPorts,
  { topic, partition, position }: LetterPlace,
): Promise<LogRecord | undefined> {
  const read = { recordsMax: 1, bytesMax: 1, waitMs: 0 }
  const { records } = await log.read({ topic, partition, from: position as Position, to: position, ...read })
  return records.find((record) => record.position === position)
}

/** `mended`: what it should have said; without it, the same bytes again. */
export async function replayLetter(
  replay: ReplayPorts,
  letter: Letter,
  mended: NewEvent | undefined,
  who: LetterActed,
): Promise<void> {
  const { codec, log, deadLetters } = replay
  if (letter.status === 'discarded') {
    throw new Refused(
      'NOT_NOW',
      `${nameOf(letter)} is discarded, for good. Send what it should have said as a new event.`,
    )
  }
  const record = await recordOf(replay, letter)
  const key = mended === undefined ? record?.key : keyOf(mended)
  const value = mended === undefined ? record?.value : codec.encode(mended)
  if (key == null || value === undefined) {
    throw new Refused(
      'NOT_NOW',
      `${nameOf(letter)} has no key or is no longer in the log: send a mended event with --edit.`,
    )
  }
  const arrival = arrivalOf()
  const { projection, topic, partition, position } = letter
  await log.append(letterReplayed(codec, arrival, { projection, topic, partition, position, key, value }, who))
  await (await deadLetters()).settle(letter, 'replayed')
}

export async function discardLetter(
  { codec, log, deadLetters }: ReplayPorts,
  letter: Letter,
  who: LetterActed,
): Promise<void> {
  const { projection, topic, partition, position } = letter
  await log.append([letterDiscarded(codec, arrivalOf(), projection, { topic, partition, position }, who)])
  await (await deadLetters()).settle(letter, 'discarded')
}

function fits({ status, cause, timestampMs }: DeadLetter, wanted: Wanted): boolean {
  if (status !== 'parked' && wanted.all !== true) return false
  if (wanted.cause !== undefined && cause !== wanted.cause) return false
  return timestampMs >= (wanted.sinceMs ?? 0) && timestampMs <= (wanted.untilMs ?? Number.POSITIVE_INFINITY)
}

function arrivalOf(): Arrival {
  return { source: 'engine', appId: 'playhead', environment: 'engine', receivedAtMs: Date.now() }
}
