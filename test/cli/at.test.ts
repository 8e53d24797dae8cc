/**
 * What `at T` answers is what stood in the tables at T: a log is written record by record, the tables are read after each
 * of them, and every moment is asked for afterwards. The journal that the question is asked of lags behind as it likes.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { askHistory } from '../../cli/replay/ask.ts'
import type { Moment } from '../../cli/replay/index-of-events.ts'
import { progressV1 } from '../../projections/progress/v1.ts'
import type { StateCell } from '../../projections/projection.ts'
import { startAnalyticsProcess } from '../consumers/analytics-process.ts'
import { numbers, START_MS } from '../projections/support.ts'
import { type Asked, play, type Scene, type Seen, type Stood } from './at-scene.ts'

const SEEDS = [1, 2]
const FIRST = { topic: 'playback-events', from: 0n, recordsMax: 1, bytesMax: 1_000_000, waitMs: 0 } as const

describe('at T', () => {
  const closing: (() => Promise<unknown>)[] = []
  const scenes = new Map<number, Scene>()
  before(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'playhead-at-'))
    const engine = await startAnalyticsProcess(join(dir, 'analytics'))
    closing.push(async () => {
      await engine.stop()
      await rm(dir, { recursive: true, force: true })
    })
    await Promise.all(
      SEEDS.map(async (seed) => {
        const scene = await play(seed, dir, engine.access, seed === SEEDS[0])
        closing.push(scene.close)
        scenes.set(seed, scene)
      }),
    )
  })
  after(async () => {
    for (const close of closing.reverse()) await close()
  })

  const answers = async ({ replay }: Scene, { projection, of }: Asked, moment: Moment): Promise<Stood> => {
    const { shown } = await askHistory(replay, { projection, of, moment, steps: false })
    assert.ok(shown.length <= 1, `${shown.length} rows of one key`)
    return shown[0] && { state: shown[0].state, rows: shown[0].rows }
  }
  const sameKey = (a: Asked, b: Asked) => JSON.stringify(a) === JSON.stringify(b)
  const lastOf = (scene: Scene, asked: Asked, fits: (seen: Seen) => boolean): Stood =>
    scene.seen.filter((one) => sameKey(one.asked, asked) && fits(one)).at(-1)?.stood

  for (const seed of SEEDS) {
    test(`of the log ${seed} is what stood at T, for random T, and for moments in which several records came`, async () => {
      const scene = scenes.get(seed)!
      const next = numbers(100 + seed)
      const endMs = Math.max(...scene.times.flat())
      let found = 0
      for (let n = 0; n < 40; n++) {
        const { asked, clockMs } = scene.seen[next(scene.seen.length)]!
        // Any moment, or the very millisecond of a record, the one before and the one after it.
        const untilMs = n % 2 === 0 ? START_MS + next(endMs - START_MS) : clockMs - 1 + next(3)
        const expected = lastOf(scene, asked, (one) => one.clockMs <= untilMs)
        assert.deepEqual(await answers(scene, asked, { untilMs }), expected, `${JSON.stringify(asked)} at ${untilMs}`)
        if (expected !== undefined) found++
      }
      assert.ok(found > 15, `only ${found} moments had a row`)
    })

    test(`of the log ${seed} is what stood after a position, also between records of one millisecond`, async () => {
      const scene = scenes.get(seed)!
      const next = numbers(200 + seed)
      const shared = scene.seen.filter(({ partition, position }) => {
        const times = scene.times[partition]!
        return times[Number(position)] === times[Number(position) + 1]
      })
      assert.ok(shared.length > 20, `only ${shared.length} records share their millisecond with the next`)
      for (let n = 0; n < 30; n++) {
        const from = n % 2 === 0 ? shared : scene.seen
        const { asked, position, partition } = from[next(from.length)]!
        const expected = lastOf(scene, asked, (one) => one.partition === partition && one.position <= position)
        const found = await answers(scene, asked, { untilPosition: position })
        assert.deepEqual(found, expected, `${JSON.stringify(asked)} at ${partition}@${position}`)
      }
    })

    test(`of the log ${seed} is nothing before its first record, and what stands now after its last`, async () => {
      const scene = scenes.get(seed)!
      const endMs = Math.max(...scene.times.flat())
      const everyKey = [...new Map(scene.seen.map(({ asked }) => [JSON.stringify(asked), asked])).values()]
      for (const asked of everyKey) {
        assert.equal(await answers(scene, asked, { untilMs: START_MS - 1_000_000 }), undefined)
        const now = lastOf(scene, asked, () => true)
        assert.deepEqual(await answers(scene, asked, { untilMs: endMs + 1 }), now)
      }
    })
  }

  test('tells which records were copies, also of those that the table has not taken yet', async () => {
    for (const { replay, seen } of scenes.values()) {
      const ofProgress = seen.filter(({ asked }) => asked.projection === 'progress')
      assert.ok(ofProgress.some(({ again }) => again))
      for (const profile_id of new Set(ofProgress.map(({ asked }) => asked.of.profile_id!))) {
        const asked = { projection: 'progress', of: { profile_id }, moment: {}, steps: true }
        const { steps } = await askHistory(replay, asked)
        const told = steps.filter(({ fate }) => fate === 'duplicate').map(({ position }) => position)
        const copies = ofProgress.filter((one) => one.again && one.asked.of.profile_id === profile_id)
        assert.deepEqual(
          told,
          copies.map(({ position }) => position),
        )
      }
    }
  })

  test('says of a view what its row in ClickHouse says', async () => {
    const scene = scenes.get(SEEDS[0]!)!
    const { asked, stood } = scene.seen.findLast(({ asked: { projection } }) => projection === 'views')!
    const said = stood!.rows.views![0]!
    const numbersOf = Object.keys(said).filter((column) => /_ms$|^stalls$|^reports$|^views$/.test(column))
    assert.ok(numbersOf.length > 10, `${numbersOf}`)
    const [row] = await scene.clickhouse.query<Record<string, string>>(
      `SELECT ${numbersOf.map((column) => `toString(sum(${column} * sign)) AS \`${column} \``).join(', ')}
       FROM ${scene.viewsDatabase}.views WHERE session_id = {session_id:String} AND title_id = {title_id:String}`,
      asked.of,
    )
    assert.deepEqual(
      Object.fromEntries(numbersOf.map((column) => [column, row?.[`${column} `]])),
      Object.fromEntries(numbersOf.map((column) => [column, String(said[column])])),
    )
  })

  test('leaves out what had been kept long enough by then, by time and by position', async () => {
    const { replay, seen } = scenes.get(SEEDS[1]!)!
    const { asked, stood, partition } = seen.findLast((one) => one.asked.projection === 'progress' && one.stood)!
    const ask = (moment: Moment) =>
      askHistory(replay, { projection: 'progress', of: asked.of, moment, steps: false }).then(
        ({ shown, expired }) => [shown.length, expired] as const,
      )
    const { shape, fromColumns, expiresAtMs } = progressV1().keyed!
    const cells = shape.columns.map(({ name }) => (stood!.state[name] ?? null) as StateCell)
    const goneMs = expiresAtMs!(fromColumns(cells, Object.values(asked.of)))!
    assert.deepEqual(await ask({ untilMs: goneMs - 1 }), [1, 0])
    assert.deepEqual(await ask({ untilMs: goneMs }), [0, 1])
    const { key, value } = (await replay.log.read({ ...FIRST, partition })).records[0]!
    const [late] = await replay.log.append([{ topic: FIRST.topic, key: key!, value, timestampMs: goneMs + 1 }])
    assert.equal(late!.partition, partition)
    assert.deepEqual(await ask({ untilPosition: late!.position }), [0, 1])
    assert.deepEqual(await ask({ untilPosition: late!.position - 1n }), [1, 0])
  })
})
