/** The life of a breaker on a clock of its own, and readers behind one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { Breaker, type BreakerState, Breakers, guard } from '../../api/breaker.ts'
import { guardedReaders, isStale, type Readers } from '../../api/guarded.ts'
import { BREAKER_LIMITS } from '../../api/limits.ts'
import { Problem } from '../../api/problems.ts'
import type { ProgressRow } from '../../projections/progress/row.ts'
import { StoreRefused, StoreUnavailable } from '../../stores/errors.ts'
import { Clock } from './callers.ts'

const AWAY = new StoreUnavailable('no host answers')

function life() {
  const clock = new Clock()
  const states: BreakerState[] = []
  const breaker = new Breaker({
    name: 'progress',
    nowMs: clock.now,
    isFailure: (error) => error instanceof StoreUnavailable,
    onChange: (state) => states.push(state),
  })
  const fail = () => guard(breaker, () => Promise.reject(AWAY), { fallback: () => 'instead' })
  const work = () => guard(breaker, () => Promise.resolve('fresh'), { fallback: () => 'instead' })
  const open = async () => {
    for (let i = 0; i < 5; i++) await fail()
  }
  return { clock, states, breaker, fail, work, open }
}

test('five failures within a minute open it; then nothing is asked for half a minute', async () => {
  const { clock, breaker, fail, work } = life()
  for (let i = 0; i < 4; i++) assert.equal(await fail(), 'instead')
  assert.equal(breaker.state, 'closed')
  assert.equal(await work(), 'fresh')
  await fail()
  assert.equal(breaker.state, 'open')
  let asked = 0
  const ask = () => guard(breaker, async () => asked++, { fallback: () => -1 })
  clock.ms += 29_999
  assert.equal(await ask(), -1)
  assert.equal(asked, 0)
})

test('failures that are spread over more than a minute do not open it', async () => {
  const { clock, breaker, fail } = life()
  for (let i = 0; i < 40; i++) {
    await fail()
    clock.ms += 15_001
  }
  assert.equal(breaker.state, 'closed')
})

test('half-open lets one probe through: its success closes, its failure opens for another half minute', async () => {
  const { clock, states, breaker, fail, work, open } = life()
  await open()
  clock.ms += 30_000
  assert.equal(breaker.state, 'half-open')
  let finish: (answer: string) => void = () => undefined
  const probe = guard(breaker, () => new Promise<string>((resolve) => (finish = resolve)))
  assert.equal(breaker.state, 'half-open')
  assert.equal(await work(), 'instead', 'a second call must not follow the probe')
  finish('fresh')
  assert.equal(await probe, 'fresh')
  assert.equal(breaker.state, 'closed')
  for (let i = 0; i < 4; i++) await fail()
  assert.equal(breaker.state, 'closed', 'what was before is forgotten')
  await fail()
  clock.ms += 30_000
  await fail()
  assert.equal(breaker.state, 'open')
  clock.ms += 29_999
  assert.equal(await work(), 'instead')
  clock.ms += 1
  assert.equal(await work(), 'fresh')
  assert.deepEqual(states, ['open', 'half-open', 'closed', 'open', 'half-open', 'open', 'half-open', 'closed'])
})

test('a call that began before it opened changes nothing when it ends', async () => {
  const { clock, breaker, open } = life()
  const endings: ((failed: boolean) => void)[] = []
  const late = Array.from({ length: 6 }, () => {
    const call = () =>
      new Promise<string>((resolve, reject) => endings.push((failed) => (failed ? reject(AWAY) : resolve('fresh'))))
    return guard(breaker, call, { fallback: () => 'instead' })
  })
  await open()
  endings[0]!(false)
  assert.equal(await late[0], 'fresh')
  assert.equal(breaker.state, 'open')
  clock.ms += 20_000
  for (const end of endings.slice(1)) end(true)
  await Promise.all(late)
  clock.ms += 10_000
  assert.equal(breaker.state, 'half-open', 'late failures must not prolong it')
})

test('an error that speaks against the call is passed on, and is no failure of the store', async () => {
  const { clock, breaker, open } = life()
  const refused = () =>
    guard(breaker, () => Promise.reject(new StoreRefused('a bad value')), { fallback: () => 'instead' })
  for (let i = 0; i < 10; i++) await assert.rejects(refused, StoreRefused)
  assert.equal(breaker.state, 'closed')
  await open()
  clock.ms += 30_000
  await assert.rejects(refused, StoreRefused)
  assert.equal(breaker.state, 'closed', 'a store that answers is there')
})

test('a call that takes too long counts as a failure, and its late end is of no interest', async () => {
  const { breaker } = life()
  let fail: (error: Error) => void = () => undefined
  const slow = () => new Promise<string>((_resolve, reject) => (fail = reject))
  for (let i = 0; i < 5; i++) {
    const problem = await guard(breaker, slow, { timeoutMs: 5 }).catch((error: unknown) => error)
    assert.ok(problem instanceof Problem && problem.code === 'STORE_UNAVAILABLE')
    fail(new Error('too late to matter'))
  }
  assert.equal(breaker.state, 'open')
})

test('without a fallback it is a 503 that says when to come back', async () => {
  const { clock, breaker, open } = life()
  const ask = () => guard(breaker, () => Promise.reject(AWAY)).catch((error: unknown) => error as Problem)
  assert.deepEqual([(await ask()).code, (await ask()).retryAfterMs], ['STORE_UNAVAILABLE', BREAKER_LIMITS.retryAfterMs])
  await open()
  clock.ms += 10_000
  assert.equal((await ask()).retryAfterMs, 20_000)
})

test('the gauge is 0 closed, 1 half-open, 2 open, and needs no call to change', async () => {
  const clock = new Clock()
  const registry = new Registry()
  const breakers = new Breakers(registry)
  const breaker = breakers.add({ name: 'progress', nowMs: clock.now, isFailure: () => true })
  breakers.add({ name: 'titles', nowMs: clock.now, isFailure: () => true })
  const shown = async () => /circuit_breaker_state\{service="progress"\} (\d)/.exec(await registry.metrics())?.[1]
  assert.equal(await shown(), '0')
  for (let i = 0; i < 5; i++) await guard(breaker, () => Promise.reject(AWAY), { fallback: () => 1 })
  assert.equal(await shown(), '2')
  clock.ms += 30_000
  assert.equal(await shown(), '1')
  assert.match(await registry.metrics(), /service="titles"\} 0/)
})

function row(profileId: string, titleId: string): ProgressRow {
  return { profileId, titleId, positionMs: 5_000 } as ProgressRow
}

/** Readers of a store that the test takes away. */
function store(clock: Clock) {
  const state = { down: false, calls: 0 }
  const answer = async <T>(value: T): Promise<T> => {
    state.calls++
    if (state.down) throw AWAY
    return value
  }
  const readers: Readers = {
    progress: {
      get: (profile, titles) => answer(titles.map((title) => (title === 'none' ? undefined : row(profile, title)))),
      all: (profile) =>
        answer(
          profile === 'large' ? Array.from({ length: 501 }, (_, i) => row(profile, `t${i}`)) : [row(profile, 't1')],
        ),
    },
    titles: { get: (ids) => answer(ids.map(() => undefined)), episodes: () => answer([]) },
    streams: { get: () => answer(undefined) },
    checkpoints: { next: () => answer(7n as never) },
  }
  const breakers = new Breakers(new Registry())
  return { state, readers: guardedReaders(readers, { breakers, nowMs: clock.now }) }
}

const code = (answer: Promise<unknown>) =>
  answer.then(
    () => 'answered',
    (error: unknown) => (error as Problem).code,
  )

test('while progress is away, rows that were seen lately stand in for it, marked as stale', async () => {
  const clock = new Clock()
  const { state, readers } = store(clock)
  const { progress } = readers
  assert.equal(isStale(await progress.get('ann', ['t1', 'none'])), false)
  await progress.all('bob')
  state.down = true
  const rows = await progress.get('ann', ['none', 't1'])
  assert.deepEqual(rows, [undefined, row('ann', 't1')])
  assert.ok(isStale(rows))
  const list = await progress.all('bob')
  assert.deepEqual(list, [row('bob', 't1')])
  assert.ok(isStale(list))
  assert.deepEqual(await progress.get('bob', ['t1', 't9']), [row('bob', 't1'), undefined])
  assert.equal(await code(progress.get('ann', ['t1', 't2'])), 'STORE_UNAVAILABLE')
  assert.equal(await code(progress.all('ann')), 'STORE_UNAVAILABLE')
  const { calls } = state
  assert.ok(isStale(await progress.get('ann', ['t1'])))
  assert.equal(state.calls, calls, 'an open breaker asks nobody')
  clock.ms += 30_000
  state.down = false
  assert.equal(isStale(await progress.get('ann', ['t1'])), false)
})

test('what stands in is no older than ten minutes, and bounded', async () => {
  const clock = new Clock()
  const { state, readers } = store(clock)
  await readers.progress.get('ann', ['t1'])
  await readers.progress.all('large')
  for (let i = 0; i <= BREAKER_LIMITS.staleListsMax; i++) await readers.progress.all(`p${i}`)
  state.down = true
  assert.equal(await code(readers.progress.all('large')), 'STORE_UNAVAILABLE')
  assert.equal(await code(readers.progress.all('p0')), 'STORE_UNAVAILABLE')
  assert.equal(await code(readers.progress.all(`p${BREAKER_LIMITS.staleListsMax}`)), 'answered')
  clock.ms += BREAKER_LIMITS.staleAgeMaxMs
  assert.equal(await code(readers.progress.get('ann', ['t1'])), 'answered')
  clock.ms += 1
  assert.equal(await code(readers.progress.get('ann', ['t1'])), 'STORE_UNAVAILABLE')
})

test('titles, streams and checkpoints that are away are a 503 at once, and no one breaker for all', async () => {
  const { state, readers } = store(new Clock())
  state.down = true
  for (let i = 0; i < 8; i++) {
    assert.equal(await code(readers.titles.get(['t1'])), 'STORE_UNAVAILABLE')
    assert.equal(await code(readers.streams.get('smith')), 'STORE_UNAVAILABLE')
    assert.equal(await code(readers.checkpoints.next('progress', { topic: 'x', partition: 0 })), 'STORE_UNAVAILABLE')
  }
  assert.equal(state.calls, 15)
  assert.equal(await code(readers.titles.episodes('s1')), 'STORE_UNAVAILABLE')
  assert.equal(state.calls, 15)
})
