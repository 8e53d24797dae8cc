/** Whatever reader is asked, it reads the generation that is read by then, not the one that was when it was opened. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pinned, Pointers } from '../../cli/pointers.ts'
import { openReaders } from '../../cli/readers.ts'
import { generationOf, stateTableOf } from '../../consumers/generation.ts'
import { progressV1 } from '../../projections/progress/v1.ts'
import type { Projection } from '../../projections/projection.ts'
import type { StateTable } from '../../stores/state.ts'
import { TALLY } from '../consumers/tally.ts'

test('every reader goes over with the pointer', async () => {
  const read: string[] = []
  let now = 'first'
  const pointers: Pointers = {
    read: () => pinned(now),
    next: async () => undefined,
    follow: () => undefined,
    close: async () => undefined,
  }
  const { progress, titles, streams, incidents } = openReaders(pointers)
  const looks: Readonly<Record<string, () => Promise<unknown>>> = {
    'a row of progress': () => progress.get('ann', ['t1']),
    'rows of progress': () => progress.all('ann'),
    'a title': () => titles.get(['t1']),
    episodes: () => titles.episodes('s1'),
    streams: () => streams.get('home'),
    'an incident': () => incidents.get('i1'),
    incidents: () => incidents.list({ state: undefined, rule: undefined, fromMs: 0, toMs: 1, limit: 1 }),
  }
  for (const [name, look] of Object.entries(looks)) {
    for (const generation of ['first', 'second']) {
      now = generation
      read.length = 0
      await look()
      assert.deepEqual([...new Set(read)], [generation], name)
    }
  }

  function pinned(name: string): Pinned {
    const nothing = async () => {
      read.push(name)
      return []
    }
    const table: StateTable = {
      spec: stateTableOf(generationOf(progressV1() as Projection, 'test'))!,
      get: nothing,
      list: nothing,
      upsert: async () => undefined,
      erase: async () => undefined,
      scan: async function* () {
        read.push(name)
        yield* []
      },
    }
    return { generation: generationOf(TALLY, 'test'), table }
  }
})
