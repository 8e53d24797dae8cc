/**
 * The fold of views on one core: key → fold → rows, driven as the runtime drives it (a batch's last states and the ones
 * before them asked for their rows). 10,000 sessions at once, mostly heartbeats in order; some pauses, seeks, stalls and
 * changes of rendition, and one event in a hundred a batch late. Per second of CPU time, with what collecting garbage costs.
 */
import type { View } from '../projections/views/state.ts'
import { viewsV1 } from '../projections/views/v1.ts'
import { createCodec, type NewEvent, type PlayheadEvent } from '../schemas/index.ts'
import { type Fields, Story } from '../test/projections/views-events.ts'
import { type BenchOptions, type Measured, median } from './bench.ts'

const HEARTBEAT_MS = 10_000
const START_MS = Date.UTC(2026, 0, 1, 12)

interface Item {
  /** Which session. */
  readonly of: number
  readonly event: PlayheadEvent
}

interface Session {
  readonly who: { readonly profileId: string; readonly sessionId: string; readonly titleId: string }
  readonly beginsMs: number
  sequence: number
  positionMs: number
}

export async function run({ quick }: BenchOptions): Promise<Measured[]> {
  const sessions = Array.from({ length: quick ? 200 : 10_000 }, (_, i) => sessionOf(i))
  const rounds = quick ? 3 : 40
  const warm = quick ? 1 : 10
  const { keyed } = viewsV1()
  const codec = await createCodec({})
  // As the runtime has them: events of one type are objects of one shape.
  const decoded = (event: PlayheadEvent): PlayheadEvent => {
    const read = codec.decode(codec.encode(event as NewEvent))
    if (!read.ok) throw new Error('an event that can be written can be read')
    return read.event
  }
  /** By session: looking a state up by its key is the runtime's part. */
  const states: (View | undefined)[] = []
  const random = randomly(7)
  let late: Item[] = []
  const rates: number[] = []
  let rows = 0
  for (let round = 0; round < rounds; round++) {
    const batch = late
    late = []
    for (const [of, session] of sessions.entries()) {
      for (const event of eventsOf(session, round, random)) {
        const item = { of, event: decoded(event) }
        if (random() < 0.01) late.push(item)
        else batch.push(item)
      }
    }
    const began = process.cpuUsage()
    rows += foldBatch(batch)
    const { user, system } = process.cpuUsage(began)
    if (round >= warm) rates.push((batch.length * 1_000_000) / (user + system))
  }
  return [
    {
      name: `fold of views, ${sessions.length} at once`,
      ours: median(rates),
      unit: 'events/s',
      bar: { atLeast: 150_000, of: 'ours' },
      note: `${(rows / rounds / sessions.length).toFixed(2)} changed rows for each view and batch`,
    },
  ]

  function foldBatch(batch: readonly Item[]): number {
    const after: (View | undefined)[] = []
    const touched: number[] = []
    for (const { of, event } of batch) {
      if (keyed.key(event) === undefined) throw new Error('not a view')
      if (after[of] === undefined) touched.push(of)
      after[of] = keyed.fold(after[of] ?? states[of], event)
    }
    let changed = 0
    for (const of of touched) {
      const before = states[of]
      const state = after[of]!
      const now = keyed.rows(state)
      const then = before === undefined ? [] : keyed.rows(before)
      if (now !== then) for (let i = 0; i < now.length; i++) if (now[i] !== then[i]) changed++
      states[of] = state
    }
    return changed
  }
}

function sessionOf(i: number): Session {
  const who = { profileId: `profile-${i}`, sessionId: `session-${i}`, titleId: `title-${i % 500}` }
  return { who, beginsMs: START_MS + ((i * 7_919) % HEARTBEAT_MS), sequence: 0, positionMs: 0 }
}

function eventsOf(session: Session, round: number, random: () => number): PlayheadEvent[] {
  const story = new Story(START_MS)
  const at = session.beginsMs + round * HEARTBEAT_MS + Math.round(random() * 40)
  const say = (type: Parameters<Story['say']>[0], afterMs: number, fields: Fields<'Heartbeat'> = {}): void => {
    const common = { ...session.who, sequence: session.sequence++, positionMs: session.positionMs }
    story.say(type, (at + afterMs - START_MS) / 1_000, { ...common, ...fields } as never)
  }
  if (round === 0) {
    say('PlaybackStarted', 0)
    say('FirstFrame', 600, { videoBitrateKbps: 3_000, width: 1_280, height: 720 })
    return story.events
  }
  const dice = random()
  if (dice < 0.01) {
    say('StallStarted', -2_000)
    say('StallEnded', -1_200)
  } else if (dice < 0.02) {
    say('PlaybackPaused', -3_000)
    say('PlaybackResumed', -100)
  } else if (dice < 0.03) {
    say('SeekStarted', -900)
    say('SeekEnded', -400)
  } else if (dice < 0.06) say('RenditionChanged', -500, { videoBitrateKbps: dice < 0.045 ? 3_000 : 6_000 })
  const fromMs = session.positionMs
  session.positionMs += HEARTBEAT_MS - (dice < 0.03 ? 2_900 : 0)
  const delivery = {
    requests: 5 * round,
    failures: 0,
    bytes: 4e6 * round,
    transferMs: 2e3 * round,
    firstByteMs: 90 * round,
  }
  const played = [{ fromMs, toMs: session.positionMs }]
  const numbers = { videoBitrateKbps: 3_000, width: 1_280, height: 720, playerWidth: 1_920, playerHeight: 1_080 }
  say('Heartbeat', 0, { state: 'playing', played, delivery, droppedFrames: round, stallMs: 0, ...numbers })
  return story.events
}

/** Repeatable. */
function randomly(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
