/** Dead letters for the API's routes. */
import { REPLAY_ROUTE_LIMITS } from '../../api/replay/limits.ts'
import type {
  Asker,
  LetterShown,
  LettersActed,
  LettersChosen,
  LettersWanted,
  LetterWhole,
  Plain,
} from '../../api/replay/ports.ts'
import { discardLetter, type Letter, letterAt, lettersOf, nameOf, recordOf, replayLetter } from './letters.ts'
import { groupsOf, mendedEvent } from './letters-shown.ts'
import type { ReplayPorts } from './open.ts'
import { Refused } from './operator.ts'
import { plainEvent } from './plain.ts'

const { lettersGroupedMax, lettersActedMax, letterBytesShown } = REPLAY_ROUTE_LIMITS

export async function listLetters(replay: ReplayPorts, wanted: LettersWanted, limit: number) {
  const { letters, more } = await gathered(replay, wanted, limit)
  return { letters: letters.map(shown), more }
}

export async function groupLetters(replay: ReplayPorts, wanted: LettersWanted) {
  const { letters, more } = await gathered(replay, wanted, lettersGroupedMax)
  const groups = groupsOf(letters).map((each) => {
    const { projection, cause, detail } = each[0]!
    return { projection, cause, letters: each.length, first: nameOf(each[0]!), detail }
  })
  return { groups, more }
}

export async function wholeLetter(replay: ReplayPorts, name: string): Promise<LetterWhole> {
  const letter = await letterAt(replay, name)
  const value = (await recordOf(replay, letter))?.value ?? letter.value
  const decoded = replay.codec.decode(value)
  return {
    ...shown(letter),
    event: decoded.ok ? plainEvent(decoded.event) : null,
    bytes: value.length,
    hex: value.subarray(0, letterBytesShown).toString('hex'),
  }
}

export async function replayLetters(
  replay: ReplayPorts,
  chosen: LettersChosen,
  mended: Plain | undefined,
  who: Asker,
): Promise<LettersActed> {
  const event = mended === undefined ? undefined : mendedEvent(replay.codec, mended, 'The event')
  return await each(replay, chosen, (letter) => replayLetter(replay, letter, event, who))
}

export async function discardLetters(replay: ReplayPorts, chosen: LettersChosen, who: Asker): Promise<LettersActed> {
  return await each(replay, chosen, (letter) => discardLetter(replay, letter, who))
}

async function each(
  replay: ReplayPorts,
  chosen: LettersChosen,
  act: (letter: Letter) => Promise<void>,
): Promise<LettersActed> {
  if ('letter' in chosen) {
    const letter = await letterAt(replay, chosen.letter)
    await act(letter)
    return { letters: [nameOf(letter)], left: [], more: false }
  }
  const { letters, more } = await gathered(replay, { ...chosen.wanted, all: false }, lettersActedMax)
  const done: string[] = []
  const left: { letter: string; problem: string }[] = []
  for (const letter of letters) {
    try {
      await act(letter)
      done.push(nameOf(letter))
    } catch (error) {
      // One that can't be is told of; the others are not held up by it.
      if (!(error instanceof Refused)) throw error
      left.push({ letter: nameOf(letter), problem: error.message })
    }
  }
  return { letters: done, left, more }
}

async function gathered(replay: ReplayPorts, wanted: LettersWanted, limit: number) {
  const letters: Letter[] = []
  for await (const letter of lettersOf(replay, wanted)) {
    if (letters.length >= limit) return { letters, more: true }
    letters.push(letter)
  }
  return { letters, more: false }
}

function shown(letter: Letter): LetterShown {
  const { projection, generation, status, cause, detail, key, timestampMs: receivedAtMs } = letter
  return { letter: nameOf(letter), projection, generation, status, cause, detail, key, receivedAtMs }
}
