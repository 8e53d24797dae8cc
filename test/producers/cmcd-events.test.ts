/** What a record means as an event, and the records that players really send, as they sent them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  anonymousProfile,
  cmcdReport,
  cmcdRequest,
  FAULTS_KEY,
  readQuery,
  recordId,
  responseOf,
  sessionOfRecord,
  withoutQuery,
} from '../../producers/cmcd/index.ts'
import { codes, META, read } from './cmcd-support.ts'

const WHOSE = { profileId: 'ada', sessionId: 's1', titleId: 'film' }

function report(record: string) {
  return cmcdReport(read(record), WHOSE, META)
}

test('what folds use has fields, the rest stands among the keys, and raw has it all', () => {
  const record =
    'bl=(2000;v 1500;a),br=(5000;v 128;a),bs,bsd=(1000;v 500;v 1200;a),cdn="edge-a",cid="film",com.example-x="1",dfa=7,e=ps,ec=("27" "x"),lab=(100),ltc=-40,msd=1200,mtp=(9000;v 3000;a),pr=1.25,pt=61000,sf=h,sid="s1",sn=3,st=l,sta=p,tb=(8000),ts=1700000000000,v=2'
  const event = report(record)
  assert.equal(event.videoBitrateKbps, 5_000)
  assert.equal(event.audioBitrateKbps, 128)
  assert.equal(event.bufferMs, 1_500, 'the buffer that runs empty first')
  assert.equal(event.stallMs, 1_500, 'video stalled twice, audio beside it')
  assert.equal(event.throughputKbps, 9_000)
  assert.equal(event.topBitrateKbps, 8_000)
  assert.equal(event.positionMs, 61_000)
  assert.equal(event.playbackRatePermille, 1_250)
  assert.equal(event.liveLatencyMs, -40)
  assert.deepEqual([event.sequence, event.state, event.event, event.version], [3, 'p', 'ps', 2])
  assert.deepEqual([event.streamType, event.protocol, event.cdn], ['live', 'hls', 'edge-a'])
  assert.deepEqual([event.starved, event.startupMs, event.droppedFrames], [true, 1_200, 7])
  assert.deepEqual(event.errorCodes, ['27', 'x'])
  assert.deepEqual(event.keys, { 'com.example-x': '1', lab: '(100)', ts: '1700000000000' })
  assert.equal(event.raw, record)
})

test('the position comes from pt, else from a custom key that ends in -pt, and never from a wall clock', () => {
  assert.equal(report('com.playhead-pt=42000,e=t,ts=1,v=2').positionMs, 42_000)
  assert.equal(report('com.playhead-pt="42000",e=t,ts=1,v=2').positionMs, 42_000)
  assert.equal(report('com.playhead-pt=1,e=t,pt=5,ts=1,v=2').positionMs, 5)
  const live = report('e=t,pt=1700000000000,ts=1,v=2')
  assert.equal(live.positionMs, null)
  assert.equal(live.keys?.pt, '1700000000000')
  assert.equal(report('com.playhead-pt="",e=t,ts=1,v=2').positionMs, null)
})

test('what was wrong travels in the event, by code and key', () => {
  const { keys } = report('bs=true,e=t,sta="p",ts=1,v=2,zzz=9')
  assert.deepEqual(keys, { ts: '1', zzz: '9', [FAULTS_KEY]: 'VALUE_BOOLEAN:bs VALUE_QUOTED:sta KEY_UNKNOWN:zzz' })
})

test('numbers that no field can hold are left out of the event, and written nowhere as something else', () => {
  const event = report('br=(99999999999),dfa=99999999999,e=t,msd=99999999999,pr=999999,sn=99999999999,ts=1,v=2')
  const said = [
    event.videoBitrateKbps,
    event.droppedFrames,
    event.startupMs,
    event.playbackRatePermille,
    event.sequence,
  ]
  assert.deepEqual(said, [null, null, null, null, null])
})

test('the record of a response is a request too: without its query, with what its object was', () => {
  const reading = read(
    'br=(796),cid="film",e=rr,msd=1027,ot=v,rc=200,sf=d,sid="s1",sn=6,st=v,ts=5,ttfb=33,ttlb=202,url="https://u:p@cdn.example/3.m4s?token=x",v=2',
  )
  const event = cmcdRequest(reading, WHOSE, responseOf(reading)!, META)
  assert.equal(event.url, 'https://cdn.example/3.m4s')
  assert.deepEqual([event.status, event.firstByteMs, event.totalMs, event.bitrateKbps], [200, 33, 202, 796])
  assert.deepEqual([event.objectType, event.protocol, event.titleId], ['v', 'dash', 'film'])
  assert.equal(responseOf(read('e=t,ts=1,url="x",v=2')), undefined)
  assert.equal(withoutQuery('//u@h/a#b?c'), '//h/a')
})

test('a line of a log is a request: what the line says stands above what the player says', () => {
  const reading = readQuery(
    'bl%3D5000%2Cbr%3D3000%2Ccdn%3D%22said%22%2Cd%3D4004%2Cdl%3D100%2Cmtp%3D9000%2Cot%3Dv%2Csid%3D%22s1%22%2Csu',
  )
  const line = { url: '/a.m4s', method: 'GET', status: 206, bytes: 1e6, totalMs: 41.6, cdn: 'mine', cacheStatus: 'hit' }
  const event = cmcdRequest(reading, { sessionId: 's1' }, line, META)
  assert.deepEqual([event.bufferMs, event.deadlineMs, event.objectDurationMs, event.startup], [5_000, 100, 4_004, true])
  assert.deepEqual([event.status, event.bytes, event.totalMs, event.firstByteMs], [206, 1e6, 42, null])
  assert.deepEqual([event.cdn, event.cacheStatus, event.titleId], ['mine', 'hit', null])
})

test('the same record of the same session has the same id, and every other has another', () => {
  const origin = { appId: 'a', environment: 'e', sessionId: 's', target: '' }
  const id = recordId(read('e=t,sn=1,ts=1,v=2'), origin)
  assert.equal(recordId(read('  e=t,sn=1,ts=1,v=2 \n'), origin), id)
  assert.match(id!, /^[0-9a-f-]{36}$/)
  for (const other of [{ sessionId: 't' }, { appId: 'b' }, { environment: 'f' }, { target: 'x' }]) {
    assert.notEqual(recordId(read('e=t,sn=1,ts=1,v=2'), { ...origin, ...other }), id)
  }
  assert.notEqual(recordId(read('e=t,sn=2,ts=1,v=2'), origin), id)
  assert.equal(recordId(read('e=t,v=2'), origin), undefined, 'it could be any of many')
  assert.notEqual(anonymousProfile('a', 'e', 's'), anonymousProfile('a', 'e2', 's'))
})

/** As Chromium sent it, 2026-11; the faults that are the player's own. */
const SENT: readonly (readonly [string, string, readonly string[], object])[] = [
  [
    'hls.js 1.7.4 preloads',
    'cid="film",e=ps,sf=h,sid="sid-hls.js",sn=0,sta=d,ts=1795271250001,v=2',
    [],
    { state: 'd', sequence: 0 },
  ],
  [
    'hls.js 1.7.4 tells of a response',
    'br=(1500),cid="film",e=rr,mtp=(1500),rc=200,sf=h,sid="sid-hls.js",sn=5,st=v,sta=s,ts=1795271250337,ttfb=24,ttlb=25,url="http://127.0.0.1:34221/clip/init-0.mp4",v=2',
    [],
    { videoBitrateKbps: 1_500, throughputKbps: 1_500, streamType: 'vod' },
  ],
  [
    'dash.js 5.2.1 without enabledKeys',
    'e=ps,ts=1795271250000,v=2',
    ['REQUIRED_MISSING'],
    { state: null, sequence: null },
  ],
  [
    'dash.js 5.2.1 says an error by its number',
    'e=e,ec=27,sid="a",sn=9,sta=f,ts=1,v=2',
    ['VALUE_UNQUOTED', 'VALUE_NOT_LIST'],
    { errorCodes: ['27'] },
  ],
  [
    'dash.js 5.2.1 says when and not how long',
    'bl=(0;v 2000;a),br=(300;v 96;a),bs,cid="film",e=rr,mtp=(100;v 1100;a),ot=v,rc=200,sf=d,sid="sid-dash.js",sn=16,st=v,sta=w,tb=(1400;v 96;a),ts=1795271513802,ttfb=1795271542514,ttlb=225,url="http://127.0.0.1:43293/clip/2-00004.m4s",v=2',
    ['VALUE_RANGE'],
    { starved: true, bufferMs: 0, videoBitrateKbps: 300, audioBitrateKbps: 96, topBitrateKbps: 1_400 },
  ],
  [
    'dash.js 5.2.1 fails',
    'bl=(0;v 0;a),br=(1400;v 96;a),cid="film",e=e,ec=27,mtp=(1400;v 600;a),sf=d,sid="sid-dash.js",sn=19,st=v,sta=w,tb=(1400;v 96;a),ts=1795272510558,v=2',
    ['VALUE_UNQUOTED', 'VALUE_NOT_LIST'],
    { errorCodes: ['27'], state: 'w' },
  ],
  [
    'hls.js 1.7.4 fails',
    'cid="film",e=e,ec=("manifestLoadError"),mtp=(500),sf=h,sid="sid-hls.js",sn=5,sta=f,ts=1795272495334,v=2',
    [],
    { errorCodes: ['manifestLoadError'], state: 'f' },
  ],
  ['Shaka 5.2.12, not minified', 'cid="film",e=ps,sid="sid-shaka",sn=1,sta=r,ts=1795271500001,v=2', [], { state: 'r' }],
  [
    'Shaka 5.2.12 at its start',
    'cid="film",e=t,sid="sid-shaka",sn=0,ts=1795271250000,v=2',
    [],
    { event: 't', state: null },
  ],
  [
    'Shaka 5.2.12 measures its startup beside a response',
    'br=(796),cid="film",e=rr,msd=1027,rc=200,sf=d,sid="sid-shaka",sn=6,st=v,ts=1795271251331,ttfb=33,ttlb=202,url="http://127.0.0.1:34221/clip/3-00002.m4s",v=2',
    [],
    { startupMs: 1_027, event: 'rr' },
  ],
]

for (const [name, record, faults, fields] of SENT) {
  test(`what players send: ${name}`, () => {
    const reading = read(`${record}\n`)
    assert.deepEqual(codes(reading), faults)
    const event = cmcdReport(reading, WHOSE, META) as unknown as Record<string, unknown>
    for (const [field, value] of Object.entries(fields)) assert.deepEqual(event[field], value, field)
    if (record.includes('sid=')) assert.ok(sessionOfRecord(reading))
  })
}

test('the position of a response is of neither its request nor its end, and is left to the keys', () => {
  const event = report('e=rr,pt=5000,rc=200,sid="a",sn=1,ts=1,url="/a",v=2')
  assert.equal(event.positionMs, null)
  assert.equal(event.keys?.pt, '5000')
})
