/**
 * A play for the tests that kill real processes: a log that is written to, consumers as child processes, and the check
 * that everything stands exactly once when they have come to rest.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { DeadLetters } from '../../consumers/dead-letters.ts'
import type { Failpoint } from '../../consumers/failpoints.ts'
import { type Generation, generationOf, stateTableOf } from '../../consumers/generation.ts'
import { mayPass } from '../../consumers/retry.ts'
import type { NewRecord } from '../../log/log.ts'
import type { CommitKey, CommitRecord } from '../../stores/state.ts'
import { type ChildEngines, type ChildOrders, openEngines } from './child-engines.ts'
import { clickHouseViews, EVENTS_PROJECTION } from './engine-set.ts'
import { heartbeat, idOf } from './events.ts'
import { POISON_MS, TALLY } from './tally.ts'
import { readAll, truthOf } from './truth.ts'

export const TOPIC = 'playback-events'
const PARTITIONS = 2
const REST_TIMEOUT_MS = 90_000

export interface Play {
  readonly engines: ChildEngines
  /** Appends some events: most good, some twice, one poison, one garbage. */
  post(count: number): Promise<void>
  start(orders?: {
    readonly dieAt?: Failpoint
    readonly times?: number
    readonly slowMs?: number
  }): Promise<ChildProcess>
  /** Waits until everything is folded and checks that it stands exactly once. */
  assertExactlyOnce(): Promise<void>
  /** Records that some projection has not folded yet. */
  behind(): Promise<bigint>
  close(): Promise<void>
}

export async function openPlay(orders: ChildOrders): Promise<Play> {
  const engines = await openEngines(orders)
  const { log, state, clickhouse, codec } = engines
  await clickhouse.prepare()
  await log.ensureTopics([{ topic: TOPIC, partitions: PARTITIONS }])
  const incarnation = await log.incarnation()
  const views = clickHouseViews(clickhouse, incarnation)
  const generations = [EVENTS_PROJECTION, TALLY].map((p) => generationOf(p, incarnation))
  const children = new Set<ChildProcess>()
  let posted = 0

  async function start(how: Partial<ChildOrders> = {}): Promise<ChildProcess> {
    const path = fileURLToPath(new URL('./consumers-child.ts', import.meta.url))
    const child = fork(path, [JSON.stringify({ ...orders, ...how })], { execArgv: ['--import', 'tsx'] })
    children.add(child)
    child.once('exit', () => children.delete(child))
    await Promise.race([once(child, 'message'), once(child, 'exit')])
    return child
  }

  return {
    engines,
    post: async (count) => {
      const records = Array.from({ length: count }, (_, i) => record(posted + i))
      posted += count
      await log.append([...records, records[0]!, garbage()])
    },
    start,
    assertExactlyOnce: async () => {
      const records = await atRest(engines, generations)
      await assertStands(engines, views, generations, records)
    },
    behind: async () => {
      const ends = new Map((await log.bounds(TOPIC)).map((b) => [b.partition, b.end]))
      const committed = (await Promise.all(generations.map((g) => state.commits.list(g.id)))).flat()
      return committed.reduce((n, { partition, record }) => n + (ends.get(partition) ?? 0n) - record.checkpoint, 0n)
    },
    close: async () => {
      for (const child of [...children]) await end(child, 'SIGKILL')
      await Promise.all([log.close(), state.close(), clickhouse.close()])
    },
  }

  function record(n: number): NewRecord {
    const profileId = `profile-${n % 7}`
    const positionMs = n % 40 === 39 ? POISON_MS : n
    const value = codec.encode(heartbeat({ profileId, eventId: idOf(n), positionMs, atMs: 1_700_000_000_000 + n }))
    return { topic: TOPIC, key: profileId, value, timestampMs: 1_700_000_000_000 + n }
  }
  function garbage(): NewRecord {
    return { topic: TOPIC, key: 'garbage', value: Buffer.from('not an event'), timestampMs: 1_700_000_000_000 }
  }
}

export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}

/** Dies by itself: a failpoint that was armed and never came up is a failure of the test. */
export async function death(child: ChildProcess, what: string, timeoutMs = 30_000): Promise<void> {
  if (child.signalCode !== null) return
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    await once(child, 'exit', { signal: timeout })
  } catch (error) {
    throw new Error(`not exercised: ${what} never came`, { cause: error })
  }
  assert.equal(child.signalCode, 'SIGKILL', what)
}

type Committed = CommitKey & { readonly record: CommitRecord }

async function atRest({ log, state }: ChildEngines, generations: readonly Generation[]): Promise<Committed[]> {
  const deadline = Date.now() + REST_TIMEOUT_MS
  for (;;) {
    const bounds = await untilThere(() => log.bounds(TOPIC))
    const records = await untilThere(async () => {
      return (await Promise.all(generations.map((g) => state.commits.list(g.id)))).flat()
    })
    const rested = records.filter(({ partition, record }) => {
      const end = bounds.find((b) => b.partition === partition)?.end
      return record.intent === undefined && record.checkpoint === end
    })
    if (rested.length === generations.length * bounds.length) return rested
    if (Date.now() > deadline) {
      const shown = records.map(
        ({ generation, partition, record }) => `${generation}/${partition} at ${record.checkpoint}`,
      )
      assert.fail(
        `not at rest after ${REST_TIMEOUT_MS} ms: ${shown.join(', ')}; ends ${bounds.map((b) => b.end).join()}`,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** A server that was away may need a moment to be found again. */
async function untilThere<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if (!mayPass(error) || tries === 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
  }
}

async function assertStands(
  { log, state, clickhouse, codec }: ChildEngines,
  views: ReturnType<typeof clickHouseViews>,
  generations: readonly Generation[],
  committed: readonly Committed[],
): Promise<void> {
  const partitions = await readAll(log, TOPIC)
  const truth = truthOf(partitions, codec)
  for (const { record, generation, topic, partition } of committed) {
    const { read, folded, duplicates, parked, undecryptable } = record.tally
    assert.equal(read, folded + duplicates + parked + undecryptable, 'conservation')
    assert.equal(read, BigInt(partitions[partition]!.length), `everything was read: ${generation}/${partition}`)
    const found = generations.find((g) => g.id === generation)!
    const target = `${await views.prepare(found.projection)}.${found.projection.landings[0]!.target}`
    const key = { generation, topic, partition }
    assert.equal((await clickhouse.audit(target, key, 0n, record.checkpoint)).sum, record.audit, 'the audit')
  }
  const database = await views.prepare(EVENTS_PROJECTION)
  const counts = await clickhouse.query<{ n: string; places: string }>(
    `SELECT toString(count()) AS n, toString(uniqExact(partition, position)) AS places FROM ${database}.events`,
  )
  assert.deepEqual(counts[0], { n: String(truth.records), places: String(truth.records) }, 'one row for each position')
  await assertTallies(state, views, generations[1]!, truth)
  const letters = await (await DeadLetters.open(state)).list(generations[1]!.id, 10_000)
  assert.deepEqual(new Set(letters.map((l) => `${l.partition}/${l.position}`)), truth.parked, 'dead letters')
}

async function assertTallies(
  state: ChildEngines['state'],
  views: ReturnType<typeof clickHouseViews>,
  generation: Generation,
  truth: ReturnType<typeof truthOf>,
): Promise<void> {
  const rows = await views.tallies(await views.prepare(TALLY), TOPIC)
  const table = await state.table(stateTableOf(generation)!)
  for (const [profileId, { events, positionsMs }] of truth.tallies) {
    assert.deepEqual(rows.get(profileId), { rows: 1, events }, `rows of ${profileId}`)
    const [held] = await table.get([[profileId]])
    assert.deepEqual(held?.columns.slice(0, 2), [events, positionsMs], `state of ${profileId}`)
  }
  assert.equal(rows.size, truth.tallies.size, 'no row too many')
}
