/**
 * The evaluator dies at every call that it makes to the outside, before it and after it, and another goes on: the log
 * says in the end what it would have said if nobody had died, each event once.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Evaluator } from '../../consumers/alerts/evaluator.ts'
import { NO_COUNTS } from '../../consumers/alerts/metrics.ts'
import type { Query } from '../../consumers/alerts/roll-ups.ts'
import { StoreUnavailable } from '../../stores/errors.ts'
import { rule } from '../projections/incident-rules.ts'
import { MINUTE_MS, type Scene, START_MS, startScene } from './alerts-scene.ts'

/** Start success by minute: a breach that does not last, and one that does. */
const SERIES = [90, 90, 99, 91, 91, 91, 98, 98]
const LOOKS = [1, 6, 8]

/** Counts the calls; the one with this number is its last. */
class Fate {
  calls = 0
  readonly #last: number
  readonly #when: 'before' | 'after'
  constructor(last: number, when: 'before' | 'after') {
    this.#last = last
    this.#when = when
  }

  async call<T>(what: () => Promise<T>): Promise<T> {
    const dies = ++this.calls === this.#last
    if (this.calls > this.#last || (dies && this.#when === 'before')) throw new StoreUnavailable('dead')
    const answer = await what()
    if (dies) throw new StoreUnavailable('dead')
    return answer
  }
}

/** Each run has an hour and a rule of its own. */
function evaluatorOf(scene: Scene, run: number, fate: Fate): Evaluator {
  const startMs = START_MS + run * 60 * MINUTE_MS
  const query: Query = async (_sql, { from, to }) =>
    SERIES.flatMap((percent, minute) => {
      const at = startMs / 1_000 + minute * 60
      return at >= Number(from) && at < Number(to) ? [{ at, of: '', n: percent, d: 100, s: 100, h: {} }] : []
    })
  const { codec, world, incidents } = scene
  const { commits } = scene.state
  return new Evaluator({
    ...{
      codec,
      world,
      endpoints: [],
      counts: NO_COUNTS,
      views: 'v',
      requests: 'r',
      rules: [rule({ name: `run-${run}` })],
    },
    ...{ generations: { views: 'views_v1_test' }, origin: { appId: 'a', environment: 'e' } },
    logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
    incidents: { ...incidents, table: { ...incidents.table, scan: () => incidents.table.scan() } },
    query: (sql, parameters) => fate.call(() => query(sql, parameters)),
    log: {
      ...scene.log,
      bounds: (topic) => fate.call(() => scene.log.bounds(topic)),
      append: (records) => fate.call(() => scene.log.append(records)),
    },
    state: {
      ...scene.state,
      commits: {
        list: (generation) => commits.list(generation),
        read: (key) => fate.call(() => commits.read(key)),
        swap: (key, expected, next) => fate.call(() => commits.swap(key, expected, next)),
      },
    },
  })
}

/** Looks at the clock's moments in turn; whoever dies is replaced by one that does not. Answers the calls of the first. */
async function live(scene: Scene, run: number, fate: Fate): Promise<number> {
  let current = fate
  let evaluator = evaluatorOf(scene, run, fate)
  let holds = false
  for (const look of LOOKS) {
    scene.clock.ms = START_MS + (run * 60 + look + 1) * MINUTE_MS
    for (let done = false; !done; ) {
      try {
        if (!holds) await evaluator.takeOver()
        holds = true
        done = (await evaluator.round()) === 'done'
        if (!done) await new Promise((resolve) => setTimeout(resolve, 30))
      } catch (error) {
        assert.ok(error instanceof StoreUnavailable)
        current = new Fate(Number.POSITIVE_INFINITY, 'after')
        evaluator = evaluatorOf(scene, run, current)
        holds = false
      }
    }
  }
  return fate.calls
}

async function written(scene: Scene, run: number): Promise<readonly string[]> {
  const seen = new Set<string>()
  const told: string[] = []
  for (const event of await scene.events()) {
    if (event.type !== 'IncidentOpened' && event.type !== 'IncidentResolved') continue
    if (event.rule !== `run-${run}` || seen.has(event.meta.eventId)) continue
    seen.add(event.meta.eventId)
    const minute = (event.meta.occurredAt - START_MS) / MINUTE_MS - run * 60
    told.push(`${event.type} ${minute} ${event.observed}`)
  }
  return told
}

test('a death at any call loses no incident and adds none', async (t) => {
  const scene = await startScene(t)
  const calls = await live(scene, 0, new Fate(Number.POSITIVE_INFINITY, 'after'))
  const unharmed = await written(scene, 0)
  assert.deepEqual(unharmed, ['IncidentOpened 6 91', 'IncidentResolved 8 98'])
  let run = 1
  let deaths = 0
  for (let last = 1; last <= calls; last++) {
    for (const when of ['before', 'after'] as const) {
      const fate = new Fate(last, when)
      await live(scene, run, fate)
      if (fate.calls >= last) deaths++
      assert.deepEqual(await written(scene, run), unharmed, `died ${when} call ${last}`)
      run++
    }
  }
  assert.ok(deaths > 40, `${deaths} deaths were tried`)
})
