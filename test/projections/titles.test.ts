/** The catalogue: the last registration counts, by client time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { episodeRow, episodesV1 } from '../../projections/titles/episodes-v1.ts'
import type { TitleRow } from '../../projections/titles/row.ts'
import { titleRow, titlesV1 } from '../../projections/titles/v1.ts'
import type { EventOf, PlayheadEvent } from '../../schemas/index.ts'
import { canonicalRow } from '../../stores/canonical.ts'
import { checkRow } from '../../stores/values.ts'
import { rearranged } from './arbitrary-progress.ts'
import { after, meta, rowsAfter, START_MS, specOf } from './support.ts'
import { registered, withdrawn } from './titles.ts'

const titles = titlesV1()
const episodes = episodesV1()

function title(...events: readonly PlayheadEvent[]): TitleRow | undefined {
  const [row] = after(titles, events)
  return row && titleRow(row.columns, row.key, 7n)
}

test('a title is what was registered last by its time, all of it', () => {
  const first = registered(START_MS, 1, { name: 'Dune', genres: ['sf'], seriesId: 's', season: 1, episode: 1 })
  const second = registered(START_MS + 1, 2, {
    name: 'Dune: Part One',
    durationMs: 9_300_000,
    images: { poster: 'https://img/p', hero: 'https://img/h' },
    regionsBlocked: ['AQ'],
  })
  for (const order of [
    [first, second],
    [second, first],
  ]) {
    assert.deepEqual(title(...order), {
      ...{ titleId: 'dune', kind: 'movie', name: 'Dune: Part One', description: null, durationMs: 9_300_000 },
      ...{ creditsStartMs: null, seriesId: null, season: null, episode: null, releaseYear: null, rating: null },
      ...{ genres: [], regionsAvailable: [], regionsBlocked: ['AQ'], externalIds: {}, manifests: {} },
      ...{ images: { poster: 'https://img/p', hero: 'https://img/h' }, updatedAtMs: START_MS + 1 },
      ...{ withdrawn: false, version: 7n },
    })
  }
})

test('the same map is the same row, whatever the order of its names', () => {
  const of = (externalIds: Record<string, string>) => after(titles, [registered(START_MS, 1, { externalIds })])
  assert.deepEqual(of({ imdb: 'tt1', eidr: '10.5240' }), of({ eidr: '10.5240', imdb: 'tt1' }))
})

test('a title that was withdrawn stays, marked, until it is registered again', () => {
  const first = registered(START_MS, 1)
  const gone = withdrawn(START_MS + 1, 2)
  assert.deepEqual([title(first, gone)?.withdrawn, title(gone, first)?.withdrawn], [true, true])
  assert.equal(title(gone, first)?.updatedAtMs, START_MS + 1)
  assert.equal(title(first, gone, registered(START_MS + 2, 3))?.withdrawn, false)
  assert.equal(title(gone), undefined, 'never registered')
})

test('a series has its episodes; a film, or an episode without its numbers, is none', () => {
  const events = [
    registered(START_MS, 1, { titleId: 'e2', name: 'Two', seriesId: 's', season: 1, episode: 2 }),
    registered(START_MS, 2, { titleId: 'e1', name: 'One', seriesId: 's', season: 1, episode: 1 }),
    registered(START_MS + 5, 4, { titleId: 'e1', name: 'The First', seriesId: 's', season: 1, episode: 1 }),
    registered(START_MS, 3, { titleId: 'extra', seriesId: 's', season: 1 }),
    registered(START_MS, 5, { titleId: 'film' }),
    withdrawn(START_MS + 9, 6, 'e2'),
  ]
  for (const order of [events, events.toReversed()]) {
    const rows = after(episodes, order).map(({ columns, key }) => episodeRow(columns, key))
    assert.deepEqual(
      rows.sort((a, b) => a.episode - b.episode),
      [
        { seriesId: 's', season: 1, episode: 1, titleId: 'e1', name: 'The First' },
        { seriesId: 's', season: 1, episode: 2, titleId: 'e2', name: 'Two' },
      ],
    )
  }
})

test('the longest record that the API takes fits a row', () => {
  const list = (items: number) => Array.from({ length: items }, () => '\u2603'.repeat(1_024))
  const map = (items: number, length: number) =>
    Object.fromEntries(Array.from({ length: items }, (_, i) => [`${i}${'n'.repeat(1_000)}`, 'u'.repeat(length)]))
  const longest = registered(START_MS, 1, {
    ...{ name: '\u2603'.repeat(512), description: '\u2603'.repeat(8_192), rating: '\u2603'.repeat(1_024) },
    ...{ genres: list(64), cast: list(500), directors: list(64), regionsAvailable: list(300) },
    ...{ regionsBlocked: list(300), audioLanguages: list(200), textLanguages: list(200) },
    ...{ images: map(64, 2_048), externalIds: map(64, 256), manifests: map(16, 2_048) },
  })
  const [row] = after(titles, [longest])
  checkRow(specOf(titles), row!)
  assert.ok(titleRow(row!.columns, row!.key, 0n)!.genres.length > 10)
})

const facts = fc.record({
  titleId: fc.constantFrom('dune', 'heat'),
  name: fc.constantFrom('A', 'B', 'C'),
  seriesId: fc.constantFrom(null, 's'),
  season: fc.constantFrom(null, 1),
  episode: fc.constantFrom(null, 1, 2),
  images: fc.constantFrom({}, { a: '1', b: '2' }, { b: '2', a: '1' }),
})
const at = fc.integer({ min: 0, max: 5 }).map((n) => START_MS + n)
const id = fc.integer({ min: 1, max: 12 })
const someTitles: fc.Arbitrary<PlayheadEvent[]> = fc.array(
  fc.oneof(
    fc.tuple(at, id, facts).map(([atMs, n, fields]) => registered(atMs, n, fields)),
    fc.tuple(at, id, facts).map(([atMs, n, { titleId }]) => withdrawn(atMs, n, titleId)),
  ),
  { minLength: 1, maxLength: 12 },
)

for (const projection of [titles, episodes]) {
  test(`any order, duplication and batching of the same events ends in the same ${projection.name}, byte for byte`, () => {
    const bytes = (batches: Parameters<typeof rowsAfter>[1]) =>
      [...rowsAfter(projection, batches).values()]
        .map((row) => canonicalRow(specOf(projection), row, { version: 'without' }).toString('hex'))
        .sort()
    fc.assert(
      fc.property(
        someTitles.chain((events) => rearranged(events).map((batches) => ({ events, batches }))),
        ({ events, batches }) => assert.deepEqual(bytes(batches), bytes([{ events, readBack: false }])),
      ),
      { numRuns: 2_000 },
    )
  })
}

test('other events say nothing of titles', () => {
  const other = { type: 'ProfileErased', meta: meta(START_MS, 1), profileId: 'p', reason: null, by: null } as const
  const asEvent: EventOf<'ProfileErased'> = other
  assert.equal(titles.keyed?.key(asEvent), undefined)
  assert.equal(episodes.keyed?.key(asEvent), undefined)
})
