/**
 * Every projection there is, rebuilt at once beside what is read: events of every kind go on coming in, of the first
 * release and of this one, and the process that folds all of it is killed again and again. In the end each new
 * generation is what is read. (The same by an operator's commands, with `playhead up`, is in replay-suite.ts.)
 */
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { usualProjections } from '../../cli/projections.ts'
import { compareGenerations, type Found } from '../../cli/replay/compare-generations.ts'
import { standingOf } from '../../cli/replay/standing.ts'
import { type Generation, generationOf } from '../../consumers/generation.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import type { EventLog } from '../../log/log.ts'
import {
  createCodec,
  EVENT_TYPES,
  type EventCodec,
  keyOf,
  type NewEvent,
  TOPICS,
  topicOf,
} from '../../schemas/index.ts'
import { ClickHouse, type ClickHouseOptions } from '../../stores/clickhouse/clickhouse.ts'
import { openEmbeddedState } from '../../stores/embedded/index.ts'
import type { StateStore } from '../../stores/state.ts'
import { startAnalyticsProcess } from '../consumers/analytics-process.ts'
import { anyFact, encodeAsFirst, encodeAsNewest, type Fact } from '../schemas/history-facts.ts'

const CHILD = fileURLToPath(new URL('./rebuild-all-child.ts', import.meta.url))
const SETTINGS = { positionDays: 90, historyDays: 365, definitions: [] }
const BUILD = 'again'
const PARTITIONS = 2
const FACTS_A_TYPE = 20
const DEATHS = 3
/** There is always something new; but where everything takes long, it does not become ever more. */
const TRAFFIC = { pauseMs: 100, manyEvents: 2_000, laterPauseMs: 2_000 }
const PATIENCE_MS = 240_000

export interface Order {
  readonly dir: string
  readonly access: Pick<ClickHouseOptions, 'url' | 'username' | 'password'>
  readonly settings: typeof SETTINGS
  readonly build: string
}

type Pair = readonly [Generation, Generation]

interface Stores {
  readonly log: EventLog
  readonly state: StateStore
}

type Closing = (() => Promise<unknown>)[]

async function main(t: TestContext): Promise<void> {
  // The last that was opened is closed first.
  const closing: Closing = []
  t.after(async () => {
    for (const close of closing.reverse()) await close()
  })
  const dir = await mkdtemp(join(tmpdir(), 'playhead-rebuild-all-'))
  closing.push(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }))
  const engine = await startAnalyticsProcess(join(dir, 'analytics'))
  closing.push(() => engine.stop())
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  const state = await openEmbeddedState({ dir: join(dir, 'state'), clock: Date.now })
  const analytics = new ClickHouse({ ...engine.access, database: 'playhead' })
  closing.push(() => Promise.all([log.close(), state.close(), analytics.close()]))
  await analytics.prepare()
  await log.ensureTopics(Object.keys(TOPICS).map((topic) => ({ topic, partitions: PARTITIONS })))
  const stores = { log, state }
  const pairs = await pairsOf(log)
  assert.ok(pairs.length >= 12, `${pairs.length}`)
  const order: Order = { dir, access: engine.access, settings: SETTINGS, build: BUILD }
  const traffic = startTraffic(closing, log, await createCodec())
  let folder = await startFolder(closing, order, 'reads')
  await traffic.moreThan(300)
  for (let death = 0; death < DEATHS; death++) {
    await kill(folder)
    folder = await startFolder(closing, order, 'builds')
    await traffic.moreThan(100)
    await until(async () => (await doneOf(stores, pairs)) > BigInt(death), 'something is built')
  }
  await traffic.stop()
  for (const pair of pairs) for (const one of pair) await atEnd(stores, one)
  const replay = { log, state, analytics: () => analytics } as unknown as Parameters<typeof compareGenerations>[0]
  for (const pair of pairs) {
    const signal = AbortSignal.timeout(PATIENCE_MS)
    assertSame(pair[0].projection.name, await compareGenerations(replay, pair, { signal, looked: () => undefined }))
  }
  await kill(folder)
}

test('every projection that is rebuilt under traffic of every kind, while its folder dies, is what is read', main)

async function pairsOf(log: EventLog): Promise<readonly Pair[]> {
  const incarnation = await log.incarnation()
  return usualProjections(SETTINGS).map((projection): Pair => {
    return [generationOf(projection, incarnation), generationOf(projection, incarnation, { name: BUILD })]
  })
}

function assertSame(name: string, { equal, states, tables }: Found): void {
  const shown = JSON.stringify({ states, tables }, (_, value) => (typeof value === 'bigint' ? String(value) : value))
  assert.ok(equal, `${name}: ${shown}`)
  assert.equal(states?.moving ?? 0, 0, `${name}: ${shown}`)
  assert.ok(
    tables.every((one) => one.equal),
    `${name}: ${shown}`,
  )
  const rows = [...(states === undefined ? [] : [states.rows]), ...tables.map((table) => table.rows)]
  assert.ok(
    rows.some(([ours]) => ours > 0n),
    `${name} has no rows: nothing was compared`,
  )
}

async function atEnd({ log, state }: Stores, generation: Generation): Promise<void> {
  await until(async () => (await standingOf(log, state.commits, generation)).complete, `${generation.id} is at the end`)
}

/** Records that are folded into what is built. */
async function doneOf({ log, state }: Stores, pairs: readonly Pair[]): Promise<bigint> {
  const standings = await Promise.all(pairs.map(([, built]) => standingOf(log, state.commits, built)))
  return standings.reduce((sum, { done }) => sum + done, 0n)
}

async function startFolder(closing: Closing, order: Order, what: 'reads' | 'builds'): Promise<ChildProcess> {
  const child = fork(CHILD, [JSON.stringify(order), what], { execArgv: ['--import', 'tsx'] })
  closing.push(() => kill(child))
  const failed = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the folder ended with ${code ?? signal} before it ran`)
  })
  await Promise.race([once(child, 'message'), failed])
  failed.catch(() => undefined)
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const over = once(child, 'exit')
  child.kill('SIGKILL')
  await over
}

async function until(there: () => Promise<boolean>, what: string): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; !(await there()); await delay(50)) {
    assert.ok(Date.now() < deadline, `waited in vain: ${what}`)
  }
}

interface Traffic {
  /** Resolves when so many more events are in the log. */
  moreThan(events: number): Promise<void>
  stop(): Promise<void>
}

/** A record of every type each time, by turns as the first release and as this one would write it. */
function startTraffic(closing: Closing, log: EventLog, codec: EventCodec): Traffic {
  // A replay means something with another record inside only.
  const types = EVENT_TYPES.filter((type) => type !== 'ReplayedEvent')
  const facts = types.map((type) => fc.sample(anyFact(type), { numRuns: FACTS_A_TYPE, seed: 7 }))
  const stopping = new AbortController()
  let n = 0
  let sent = 0
  let failed: unknown
  const running = (async () => {
    for (let round = 0; !stopping.signal.aborted; round++) {
      const records = facts.map((list) => recordOf(list[round % list.length]!, n++, codec))
      await log.append(records)
      sent += records.length
      await delay(sent < TRAFFIC.manyEvents ? TRAFFIC.pauseMs : TRAFFIC.laterPauseMs)
    }
  })().catch((error: unknown) => {
    failed = error
  })
  const stop = async () => {
    stopping.abort()
    await running
    if (failed !== undefined) throw failed
  }
  closing.push(stop)
  return {
    stop,
    moreThan: async (events) => {
      const from = sent
      await until(async () => failed !== undefined || sent - from > events, 'traffic')
      if (failed !== undefined) throw failed
    },
  }
}

function recordOf({ type, facts }: Fact, n: number, codec: EventCodec) {
  const receivedAt = Date.now()
  const eventId = `01900000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`
  const meta = { ...(facts.meta as object), eventId, receivedAt, occurredAt: receivedAt - (n % 60_000) }
  const fact = { type, facts: { ...facts, meta } }
  const event = { type, ...fact.facts } as NewEvent
  const value = n % 2 === 0 ? encodeAsFirst(fact) : encodeAsNewest(codec, fact)
  return { topic: topicOf(event), key: keyOf(event), value, timestampMs: receivedAt }
}
