/**
 * `at T` of one key in a log of ten million events: the same question that `playhead at` asks, without the command's own
 * start. The log is real, but only records of the keys that are asked for are events; the table `events` is filled by
 * ClickHouse itself. Viewers come and go: each watches twice, a hundred reports each time, beside two thousand others.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { askHistory } from '../cli/replay/ask.ts'
import type { ReplayPorts } from '../cli/replay/open.ts'
import { Operator } from '../cli/replay/operator.ts'
import { DeadLetters } from '../consumers/dead-letters.ts'
import { generationOf } from '../consumers/generation.ts'
import { openEmbeddedLog } from '../log/embedded/index.ts'
import type { EventLog, NewRecord } from '../log/log.ts'
import { eventsV1 } from '../projections/events/v1.ts'
import { createCodec, type EventCodec, TOPICS } from '../schemas/index.ts'
import { ClickHouse } from '../stores/clickhouse/clickhouse.ts'
import { openEmbeddedState } from '../stores/embedded/index.ts'
import { startAnalyticsProcess } from '../test/consumers/analytics-process.ts'
import { heartbeat, idOf } from '../test/consumers/events.ts'
import { simVault } from '../test/sim/vault.ts'
import { type BenchOptions, type Measured, median } from './bench.ts'

const TOPIC = 'playback-events'
const FROM_MS = Date.UTC(2026, 9, 1)
const EVENT_EVERY_MS = 10
const REPORTS_A_SESSION = 100
const SESSIONS_A_PROFILE = 2
const WINDOWS = 50
const KEYS_ASKED = 12

interface Crowd {
  readonly events: number
  /** Positions in which the same viewers watch. */
  readonly window: number
  readonly viewers: number
  readonly profiles: number
}

export async function runAt({ quick }: BenchOptions): Promise<readonly Measured[]> {
  const crowd = crowdOf(quick ? 100_000 : 10_000_000)
  const dir = await mkdtemp(join(tmpdir(), 'playhead-bench-at-'))
  const engine = await startAnalyticsProcess(join(dir, 'analytics'))
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  const state = await openEmbeddedState({ dir: join(dir, 'state'), clock: Date.now })
  const store = new ClickHouse({ ...engine.access, database: 'playhead', requestTimeoutMs: 600_000 })
  const codec = await createCodec()
  try {
    await log.ensureTopics(Object.keys(TOPICS).map((topic) => ({ topic, partitions: 1 })))
    const generation = generationOf(eventsV1(Object.keys(TOPICS)), await log.incarnation())
    await store.prepare()
    await fillTable(store, await store.prepareGeneration(generation.id, 'events_v1'), crowd)
    await fillLog(log, codec, crowd)
    const key = { generation: generation.id, topic: TOPIC, partition: 0 }
    const tally = { read: 0n, folded: 0n, duplicates: 0n, parked: 0n, undecryptable: 0n }
    const record = { term: 1n, revision: 1n, checkpoint: BigInt(crowd.events), tally, audit: 0n }
    await state.commits.swap(key, undefined, record)
    const settings = { positionDays: 90, historyDays: 3_650, definitions: [] }
    const operator = await Operator.open({ settings, log, state, codec, nowMs: Date.now })
    const [vault, deadLetters] = [simVault(), await DeadLetters.open(state)]
    const replay: ReplayPorts = {
      ...{ operator, log, state, codec, analytics: () => store },
      ...{ vault: async () => vault, deadLetters: async () => deadLetters },
    }
    return [await progressAt(replay, crowd), await viewsAt(replay, crowd)]
  } finally {
    await Promise.all([store.close(), log.close(), state.close()])
    await engine.stop()
    await rm(dir, { recursive: true, force: true })
  }
}

function crowdOf(events: number): Crowd {
  const window = events / WINDOWS
  const viewers = window / REPORTS_A_SESSION
  return { events, window, viewers, profiles: (viewers * WINDOWS) / SESSIONS_A_PROFILE }
}

/** Who reports at a position; the table's SQL says the same. */
function viewerAt(position: number, { window, viewers, profiles }: Crowd) {
  const [n, seat] = [Math.floor(position / window), position % viewers]
  const profile = (n * viewers + seat) % profiles
  return { profile, session: `session-${n}-${seat}`, report: Math.floor((position % window) / viewers) }
}

async function fillTable(store: ClickHouse, database: string, crowd: Crowd): Promise<void> {
  const { events, window, viewers, profiles } = crowd
  const portion = Math.min(events, 1_000_000)
  for (let first = 0; first < events; first += portion) {
    await store.command(
      `INSERT INTO ${database}.events (topic, partition, position, fate, type, event_id, occurred_at, received_at, source,
        app_id, environment, key, profile_id, session_id, title_id, schema_id, payload)
       SELECT '${TOPIC}', 0, number AS position, 'folded', 'Heartbeat', generateUUIDv4(),
        fromUnixTimestamp64Milli(toInt64(${FROM_MS} + number * ${EVENT_EVERY_MS}), 'UTC') AS at, at, 'sdk', 'demo', 'production',
        concat('profile-', toString((intDiv(number, ${window}) * ${viewers} + number % ${viewers}) % ${profiles})) AS who, who,
        concat('session-', toString(intDiv(number, ${window})), '-', toString(number % ${viewers})), 'title-1', 1,
        concat('{"sequence":', toString(number % 997), ',"positionMs":', toString(number), ',"state":"playing"}')
       FROM numbers(${first}, ${portion})
       SETTINGS max_insert_threads = 1, max_execution_time = 0, insert_deduplicate = 0`,
    )
  }
}

async function fillLog(log: EventLog, codec: EventCodec, crowd: Crowd): Promise<void> {
  const asked = new Set(askedProfiles(crowd))
  const nothing = Buffer.alloc(40)
  for (let first = 0; first < crowd.events; first += 2_000) {
    const records = Array.from({ length: 2_000 }, (_, i): NewRecord => {
      const { profile, session, report } = viewerAt(first + i, crowd)
      const atMs = FROM_MS + (first + i) * EVENT_EVERY_MS
      const profileId = `profile-${profile}`
      const plain = { topic: TOPIC, key: profileId, value: nothing, timestampMs: atMs }
      if (!asked.has(profile)) return plain
      const positionMs = report * 10_000
      const more = { sessionId: session, sequence: report, durationMs: 7_200_000 }
      const said = { ...heartbeat({ profileId, eventId: idOf(first + i), positionMs, atMs }), ...more }
      return { ...plain, value: codec.encode(said) }
    })
    await log.append(records)
  }
}

function askedProfiles({ profiles }: Crowd): readonly number[] {
  return Array.from({ length: KEYS_ASKED }, (_, n) => Math.floor(((n + 0.37) * profiles) / KEYS_ASKED))
}

/** From the first moments to the last, another profile each time. */
async function progressAt(replay: ReplayPorts, crowd: Crowd): Promise<Measured> {
  const asked = askedProfiles(crowd).map((profile, n) => {
    const untilMs = FROM_MS + Math.floor((crowd.events * EVENT_EVERY_MS * (n + 1)) / KEYS_ASKED) - 1
    const of = { profile_id: `profile-${profile}` }
    return { projection: 'progress', of, moment: { untilMs }, steps: false }
  })
  return await measured('at T progress --profile', replay, asked, crowd)
}

async function viewsAt(replay: ReplayPorts, crowd: Crowd): Promise<Measured> {
  const { viewers } = crowd
  const asked = askedProfiles(crowd).map((profile, n) => {
    const untilMs = FROM_MS + Math.floor((crowd.events * EVENT_EVERY_MS * (n + 1)) / KEYS_ASKED) - 1
    const of = { session_id: `session-${Math.floor(profile / viewers)}-${profile % viewers}` }
    return { projection: 'views', of, moment: { untilMs }, steps: false }
  })
  return await measured('at T views --session', replay, asked, crowd)
}

async function measured(
  what: string,
  replay: ReplayPorts,
  asked: readonly Parameters<typeof askHistory>[1][],
  { events }: Crowd,
): Promise<Measured> {
  const seconds: number[] = []
  let shown = 0
  for (const one of asked) {
    const began = performance.now()
    shown += (await askHistory(replay, one)).shown.length
    seconds.push((performance.now() - began) / 1_000)
  }
  if (shown === 0) throw new Error(`${what}: nothing was found`)
  const note = `the slowest of ${asked.length}, middle ${median(seconds).toFixed(3)} s`
  const name = `${what}, ${events.toLocaleString('en')} events in the log`
  return { name, ours: Math.max(...seconds), unit: 's', bar: { atMost: 1, of: 'ours' }, note }
}
