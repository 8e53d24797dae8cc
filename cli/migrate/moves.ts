/**
 * Whether a log takes appends, as the log itself says it: small records in a topic of their own, folded in their order.
 *
 * States: *open* (there are no records, or the last migration let it go) · *filling* (a migration copies another log into
 * it) · *sealed* (a migration copies its last records; until a moment, then any writer may open it again) · *moved* (it
 * lives elsewhere, for good).
 *
 * Who owns what: the migration named by `id` moves a log through these states. The order of the records decides, and
 * nobody's clock: *open* and *move* both count only while the log is sealed, so of a writer that opens an overdue log
 * and a migration that closes it for good, the first to be in the log wins, and both read who that was.
 */
import type { EventLog, LogRecord, NewRecord } from '../../log/log.ts'
import { MIGRATE_LIMITS } from './limits.ts'

export const MOVES_TOPIC = 'playhead-moves'

export type MoveKind = 'fill' | 'seal' | 'open' | 'move'

export interface Move {
  readonly kind: MoveKind
  /** Of the migration. */
  readonly id: string
  /** Where the other log is, for people; without passwords. */
  readonly place: string
  /** Of a seal. */
  readonly untilMs: number
}

export type LogState =
  | { readonly is: 'open'; readonly sealedUntilMs: number }
  | { readonly is: 'filling'; readonly id: string; readonly place: string }
  | { readonly is: 'sealed'; readonly id: string; readonly place: string; readonly untilMs: number }
  | { readonly is: 'moved'; readonly id: string; readonly place: string }

type Step = (state: LogState, move: Move) => LogState

const OPEN: LogState = { is: 'open', sealedUntilMs: 0 }
const stays: Step = (state) => state
const ifSame =
  (next: (move: Move, state: LogState) => LogState): Step =>
  (state, move) =>
    state.is !== 'open' && state.id === move.id ? next(move, state) : state

const STEPS: Readonly<Record<LogState['is'], Readonly<Record<MoveKind, Step>>>> = {
  open: {
    fill: (_, { id, place }) => ({ is: 'filling', id, place }),
    // A second copy of a seal that was lifted, by a late retry, must not make its migration believe that it holds.
    seal: (state, { id, place, untilMs }) =>
      state.is === 'open' && untilMs <= state.sealedUntilMs ? state : { is: 'sealed', id, place, untilMs },
    open: stays,
    move: stays,
  },
  filling: { fill: stays, seal: stays, open: ifSame(() => OPEN), move: stays },
  sealed: {
    fill: stays,
    seal: stays,
    open: ifSame((_, state) => ({ is: 'open', sealedUntilMs: state.is === 'sealed' ? state.untilMs : 0 })),
    move: ifSame(({ id, place }) => ({ is: 'moved', id, place })),
  },
  moved: { fill: stays, seal: stays, open: stays, move: stays },
}

export function fold(moves: readonly Move[]): LogState {
  return moves.reduce<LogState>((state, move) => STEPS[state.is][move.kind](state, move), OPEN)
}

/** What the log says now. A log that never was part of a migration has no such topic. */
export async function stateOf(log: EventLog): Promise<LogState> {
  if (!(await log.topics()).some(({ topic }) => topic === MOVES_TOPIC)) return OPEN
  const incarnation = await log.incarnation()
  const moves: Move[] = []
  for (const { partition, start, end } of await log.bounds(MOVES_TOPIC)) {
    for (let from = start; from < end; ) {
      const { records, next } = await log.read({
        ...{ topic: MOVES_TOPIC, partition, from, to: end - 1n, waitMs: 0 },
        ...{ recordsMax: MIGRATE_LIMITS.readRecordsMax, bytesMax: MIGRATE_LIMITS.readBytesMax },
      })
      moves.push(...records.flatMap((record) => read(record, incarnation) ?? []))
      if (next <= from) throw new Error(`${MOVES_TOPIC} can't be read beyond ${from}`)
      from = next
    }
  }
  return fold(moves)
}

/** The topic alone, well before it is needed: a broker may not know of a new topic for a moment. */
export async function prepareMoves(log: EventLog): Promise<void> {
  await log.ensureTopics([{ topic: MOVES_TOPIC, partitions: 1 }])
}

/** Writes it down, and answers what the log says then. */
export async function say(log: EventLog, move: Move, nowMs: number): Promise<LogState> {
  const value = Buffer.from(JSON.stringify({ log: await log.incarnation(), ...move }))
  const record: NewRecord = { topic: MOVES_TOPIC, key: move.id, value, timestampMs: nowMs }
  await prepareMoves(log)
  await log.append([record])
  return await stateOf(log)
}

/** A copy of the log is another log: what this one says is not said of it. */
function read({ value }: LogRecord, incarnation: string): Move | undefined {
  const said = JSON.parse(value.toString('utf8')) as Move & { log: string }
  return said.log === incarnation ? said : undefined
}
