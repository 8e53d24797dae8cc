/** What time it was by a device's clock: late reports keep their time, wrong clocks are corrected, absurd ones harm nobody. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Moment, SessionClocks } from '../../api/cmcd/clocks.ts'
import { cmcdEvents, post } from './cmcd-support.ts'
import { startHarness } from './harness.ts'
import { NOW_MS, PUBLISHABLE } from './support.ts'

const at = (tsMs: number, sequence?: number): Moment => ({ tsMs, writtenMs: tsMs, sequence })
const YEAR_MS = 365 * 86_400_000

test('a clock that is right is trusted, however late its reports are', () => {
  const clocks = new SessionClocks()
  const read = clocks.read('s', [at(NOW_MS - 800, 0)], NOW_MS)
  assert.deepEqual(read, { times: [NOW_MS - 800], sentAtMs: undefined })
  assert.equal(clocks.read('s', [at(NOW_MS - 800, 1)], NOW_MS + 60_000).sentAtMs, undefined)
})

test('a wrong clock is corrected by the smallest lag that was seen', () => {
  const clocks = new SessionClocks()
  assert.equal(clocks.read('s', [at(NOW_MS - YEAR_MS - 900, 0)], NOW_MS).sentAtMs, NOW_MS - YEAR_MS - 900)
  assert.equal(clocks.read('s', [at(NOW_MS - YEAR_MS, 1)], NOW_MS + 100).sentAtMs, NOW_MS - YEAR_MS)
  // This one is late by 5 s: by the clock that is known it is 5.1 s old.
  assert.equal(clocks.read('s', [at(NOW_MS - YEAR_MS, 2)], NOW_MS + 5_100).sentAtMs, NOW_MS - YEAR_MS + 5_000)
})

test('a clock that is ahead is corrected at once', () => {
  const read = new SessionClocks().read('s', [at(NOW_MS + 5_000, 0), at(NOW_MS + 5_400, 1)], NOW_MS)
  assert.equal(read.sentAtMs, NOW_MS + 5_400)
})

test('an absurd time in a batch moves none of its neighbours', () => {
  const clocks = new SessionClocks()
  const good = [at(NOW_MS - 300), at(NOW_MS - 200), at(NOW_MS - 100)]
  assert.equal(clocks.read('s', [...good, at(NOW_MS + 100 * YEAR_MS)], NOW_MS).sentAtMs, undefined)
})

test('a small step back between two records in the order of sn is mended, a large one is left', () => {
  const clocks = new SessionClocks()
  const times = (moments: readonly Moment[]) => clocks.read('s', moments, NOW_MS).times
  assert.deepEqual(times([at(NOW_MS - 500, 1), at(NOW_MS - 900, 2)]), [NOW_MS - 500, NOW_MS - 500])
  assert.deepEqual(times([at(NOW_MS - 700, 3)]), [NOW_MS - 500], 'across batches')
  assert.deepEqual(times([at(NOW_MS - 60_000, 4)]), [NOW_MS - 60_000])
  assert.deepEqual(times([at(NOW_MS - 8_000, 2)]), [NOW_MS - 8_000], 'what comes late by its number is no step back')
})

test('records without a time are of the moment of receipt', () => {
  const none = { tsMs: undefined, writtenMs: undefined, sequence: 1 }
  assert.deepEqual(new SessionClocks().read('s', [none], NOW_MS), { times: [undefined], sentAtMs: undefined })
})

test('a response that took long says nothing of the clock, and puts no other record at another time', async (t) => {
  const h = await startHarness(t, { folding: false })
  const begun = NOW_MS - 20_000
  const response = `cid="f",e=rr,rc=200,sid="s",sn=1,sta=r,ts=${begun},ttlb=19900,url="/a",v=2`
  await post(h, '/v1/cmcd', response, PUBLISHABLE)
  await post(h, '/v1/cmcd', `cid="f",e=ps,sid="s",sn=2,sta=p,ts=${NOW_MS - 50},v=2`, PUBLISHABLE)
  const reports = (await cmcdEvents(h)).filter(({ type }) => type === 'CmcdReport')
  assert.deepEqual(
    reports.map(({ meta }) => [meta.occurredAt, meta.clock]),
    [
      [begun, 'trusted'],
      [NOW_MS - 50, 'trusted'],
    ],
  )
})

test('a clock that is a century ahead is corrected, and a record of no time at all is of now', async (t) => {
  const h = await startHarness(t, { folding: false })
  const ahead = NOW_MS + 100 * YEAR_MS
  const lines = [`cid="f",e=t,sid="s",sn=1,ts=${ahead - 4_000},v=2`, `cid="f",e=t,sid="s",sn=2,ts=${ahead},v=2`]
  await post(h, '/v1/cmcd', [...lines, 'cid="f",e=t,sid="s",sn=3,v=2'].join('\n'), PUBLISHABLE)
  const events = await cmcdEvents(h)
  assert.deepEqual(
    events.map(({ meta }) => [meta.occurredAt - NOW_MS, meta.clock]),
    [
      [-4_000, 'corrected'],
      [0, 'corrected'],
      [0, 'unknown'],
    ],
  )
})
