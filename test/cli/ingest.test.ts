/** What lines of CDNs' logs become, format by format. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { LINE_FIELDS, type LogFormat, PRESETS } from '../../cli/ingest/presets.ts'
import { AT_MS, CMCD, ENCODED, ingestDesk, LINES } from './ingest-support.ts'

const FORMATS = Object.keys(LINES) as readonly LogFormat[]
const SAME = {
  ...{ sessionId: 's-1', titleId: 'film-1', url: 'https://media.example/v/seg1.m4s', method: 'GET', status: 206 },
  ...{ bytes: 1_048_576, firstByteMs: 41, totalMs: 412, cacheStatus: 'hit', raw: CMCD },
  ...{ objectType: 'v', objectDurationMs: 4_004, bitrateKbps: 3_200, topBitrateKbps: 6_000, bufferMs: 21_300 },
  ...{ throughputKbps: 25_400, starved: true, streamType: 'vod', protocol: 'hls', keys: {}, personal: null },
}
const OWN: Readonly<Record<LogFormat, object>> = {
  combined: { cdn: 'mine', edge: null, context: null },
  json: { cdn: 'mine', edge: 'edge-7', context: null },
  cloudfront: { cdn: 'mine', edge: 'FRA56-P1', context: null },
  fastly: { cdn: 'mine', edge: 'cache-fra-1' },
  akamai: { cdn: 'mine', edge: '198.51.100.7' },
}

for (const format of FORMATS) {
  test(`a line of ${format} is known by its looks and says the same request as the others, and nobody's address`, async (t) => {
    const d = await ingestDesk(t)
    const path = d.write('a.log', LINES[format])
    const { outcome } = await d.read(path, { cdn: 'mine' })
    assert.deepEqual([outcome.format, outcome.ended, outcome.counts.events], [format, 'complete', 1])
    const [event] = await d.requests()
    assert.ok(event !== undefined)
    const expected = { ...SAME, ...OWN[format] }
    const found = Object.fromEntries(Object.keys(expected).map((name) => [name, event[name as keyof typeof event]]))
    assert.deepEqual(found, expected)
    const { occurredAt, source, clock } = event.meta
    assert.deepEqual([occurredAt, source, clock], [AT_MS, 'import', 'trusted'])
    assert.doesNotMatch(JSON.stringify(event), /203\.0\.113\.9|Mozilla|secret|player\.example/)
  })
}

test('who served is the format’s own CDN unless the call says otherwise, and the viewer’s country is kept', async (t) => {
  const d = await ingestDesk(t)
  for (const format of ['cloudfront', 'fastly', 'akamai'] as const) {
    await d.read(d.write(`${format}.log`, LINES[format]))
  }
  const requests = await d.requests()
  assert.deepEqual(requests.map(({ cdn }) => cdn).sort(), ['akamai', 'cloudfront', 'fastly'])
  const places = requests.map(({ cdn, context }) => [cdn, context?.country ?? null, context?.asn ?? null])
  assert.deepEqual(places.sort(), [
    ['akamai', 'DE', 64_500],
    ['cloudfront', null, null],
    ['fastly', 'DE', null],
  ])
})

test('CMCD is found in logged headers before the query, in a field of its own, and key by key in real-time logs', async (t) => {
  const d = await ingestDesk(t)
  const header =
    'host=m.example cmcd_session="sid=\\x22h\\xC3\\xA9ad\\x22,st=l" cmcd_object="br=900,ot=a" cmcd_status="bs"'
  await d.read(
    d.write(
      'headers.log',
      `- - - [21/Nov/2026:10:00:01 +0000] "GET /a?CMCD=${ENCODED} HTTP/2" 200 10 "-" "-" ${header}\n`,
    ),
  )
  await d.read(d.write('own.ndjson', `${JSON.stringify({ time: 1_795_255_202, path: '/b', cmcd: ENCODED })}\n`))
  const columns = [
    'timestamp',
    'sc-status',
    'cs-uri-stem',
    'cmcd-session-id',
    'cmcd-encoded-bitrate',
    'cmcd-startup',
    'cmcd-content-id',
  ]
  const values = ['1795255203.456', '200', '/c', 'live', '1200', 'true', 'a "film"']
  await d.read(d.write('real-time.log', `${values.join('\t')}\n`), { wish: { columns } })
  const nested = { time: '2026-11-21T10:00:04Z', path: '/d', cmcd: { sid: 'deep', br: 700, su: false } }
  await d.read(d.write('nested.ndjson', `${JSON.stringify(nested)}\n`))
  const found = (await d.requests()).map((r) => [r.sessionId, r.titleId, r.bitrateKbps, r.starved, r.startup])
  assert.deepEqual(found, [
    ['héad', null, 900, true, null],
    ['s-1', 'film-1', 3_200, true, null],
    ['live', 'a "film"', 1_200, null, true],
    ['deep', null, 700, null, false],
  ])
})

test('names of one’s own are told with --map, and what has no name is listed', async (t) => {
  const d = await ingestDesk(t)
  const line = { at: 1_795_255_201_500_000, q: `/x?CMCD=${ENCODED}`, took: 12, node: 'e1', weather: 'fine' }
  const path = d.write('a.ndjson', `${JSON.stringify(line)}\n`)
  const maps = ['at=time', 'q=url', 'took=totalMs', 'node=edge']
  const { outcome } = await d.read(path, { wish: { maps } })
  const [event] = await d.requests()
  assert.deepEqual([event?.meta.occurredAt, event?.totalMs, event?.edge], [AT_MS + 500, 12, 'e1'])
  assert.deepEqual(outcome.unknownFields, ['weather'])
  await assert.rejects(d.read(path, { wish: { maps: ['at=tyme'] } }), /Did you mean time/)
})

test('lines without CMCD, without a session or with a later version are counted and passed over, the rest is rejected with a reason', async (t) => {
  const d = await ingestDesk(t)
  const request = (query: string, time = '21/Nov/2026:10:00:01 +0000') =>
    `1.2.3.4 - - [${time}] "GET /seg${query} HTTP/1.1" 200 10 "-" "-"`
  const path = d.write(
    'a.log',
    [
      request(`?CMCD=${ENCODED}`),
      request(''),
      '1.2.3.4 - - [21/Nov/2026:10:00:01 +0000] "\\x16\\x03\\x01" 400 166 "-" "-"',
      request('?CMCD=br%3D100'),
      request('?CMCD=v%3D9%2Csid%3D%22s%22'),
      '',
      'no log line at all',
      request(`?CMCD=${ENCODED}`, '21/Foo/2026:10:00:01 +0000'),
      request(`?CMCD=${ENCODED}`, '21/Nov/2036:10:00:01 +0000'),
      request(`?CMCD=${ENCODED}`).replace(' 200 ', ' 2000 '),
      `${request('?a=b&CMCD=%ff%')}`,
    ].join('\n'),
  )
  const { outcome, said } = await d.read(path)
  assert.deepEqual(outcome.seen.passedOver, { withoutCmcd: 2, withoutSession: 1, unreadableCmcd: 2 })
  assert.deepEqual([outcome.counts.events, outcome.counts.rejected, outcome.lastLineLeft], [1, 4, false])
  const rejected = readFileSync(`${path}.rejected.ndjson`, 'utf8').trim().split('\n')
  const told = rejected.map(
    (line) => JSON.parse(line) as { line: number; field: string; problem: string; remedy: string },
  )
  assert.deepEqual(
    told.map(({ line, field }) => [line, field]),
    [
      [7, ''],
      [8, 'time'],
      [9, 'time'],
      [10, 'status'],
    ],
  )
  assert.ok(told.every(({ problem, remedy }) => problem !== '' && remedy !== ''))
  assert.match(said, /line 8: time is no time/)
})

test('every name of a preset means a field that there is', () => {
  const known = new Set<string>(LINE_FIELDS)
  for (const { names } of Object.values(PRESETS)) {
    for (const [ours, ...theirs] of names) {
      assert.ok(known.has(ours) || ours.startsWith('cmcd.'), ours)
      assert.ok(theirs.length > 0)
    }
  }
})
