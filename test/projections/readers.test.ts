/** What the API's readers answer over stored rows. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { streamsReader } from '../../api/readers/streams.ts'
import { titleReader } from '../../api/readers/titles.ts'
import type { Projection } from '../../projections/projection.ts'
import { streamsV1 } from '../../projections/streams/v1.ts'
import { episodesV1 } from '../../projections/titles/episodes-v1.ts'
import { titlesV1 } from '../../projections/titles/v1.ts'
import type { PlayheadEvent } from '../../schemas/index.ts'
import { openEmbeddedState } from '../../stores/embedded/index.ts'
import type { StateStore, StateTable } from '../../stores/state.ts'
import { requested } from './streams.ts'
import { after as rowsOf, START_MS, specOf } from './support.ts'
import { registered, withdrawn } from './titles.ts'

let dir: string
let store: StateStore
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'playhead-readers-'))
  store = await openEmbeddedState({ dir, clock: () => START_MS })
})
after(async () => {
  await store.close()
  await rm(dir, { recursive: true, force: true })
})

async function tableWith(projection: Projection, events: readonly PlayheadEvent[]): Promise<StateTable> {
  const table = await store.table(specOf(projection))
  await table.upsert(rowsOf(projection, events).map((row) => ({ ...row, version: 5n })))
  return table
}

test('titles come in the order asked, with undefined for what was never registered', async () => {
  const episode = (titleId: string, season: number, number: number, id: number) =>
    registered(START_MS, id, { titleId, name: titleId.toUpperCase(), seriesId: 's', season, episode: number })
  const events = [
    ...[episode('c', 2, 1, 1), episode('b', 1, 10, 2), episode('a', 1, 2, 3)],
    ...[
      registered(START_MS, 4, { titleId: 'film' }),
      withdrawn(START_MS + 1, 5, 'film'),
      withdrawn(START_MS, 6, 'gone'),
    ],
  ]
  const reader = titleReader(await tableWith(titlesV1(), events), await tableWith(episodesV1(), events))
  const found = await reader.get(['film', 'nothing', 'a', 'gone'])
  assert.deepEqual(
    found.map((row) => row && [row.titleId, row.withdrawn, row.version]),
    [['film', true, 5n], undefined, ['a', false, 5n], undefined],
  )
  const episodes = await reader.episodes('s')
  assert.deepEqual(
    episodes.map(({ season, episode: number, titleId, name }) => [season, number, titleId, name]),
    [
      [1, 2, 'a', 'A'],
      [1, 10, 'b', 'B'],
      [2, 1, 'c', 'C'],
    ],
  )
  assert.deepEqual(await reader.episodes('none'), [])
})

test("an account's streams are its slots and the verdicts on who asked", async () => {
  const reader = streamsReader(await tableWith(streamsV1(), [requested(0, 'x', { device: 'tv' }), requested(1, 'y')]))
  const row = await reader.get('account')
  assert.deepEqual([row?.accountId, row?.slots.length, row?.version], ['account', 1, 5n])
  assert.deepEqual(
    row?.verdicts.map(({ slotId, granted, holding }) => [slotId, granted, holding.map((slot) => slot.device)]),
    [
      ['x', true, []],
      ['y', false, ['tv']],
    ],
  )
  assert.equal(await reader.get('nobody'), undefined)
})
