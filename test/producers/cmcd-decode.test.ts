/** What is read of a record: the grammar, what is tolerated, what is told of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cmcdOfUrl, countRecords, FAULTS, readHeaders, readQuery, readReports } from '../../producers/cmcd/index.ts'
import { codes, read } from './cmcd-support.ts'

test('a record of version 2 is read key by key', () => {
  const { values, faults, version } = read(
    'bl=(2000;v 1500;a),br=(5000;v 128;a),cid="film \\"x\\"",com.example-note="hi",e=ps,pr=1.08,sid="s1",sn=3,sta=p,ts=1700000000000,v=2',
  )
  assert.deepEqual(faults, [])
  assert.equal(version, 2)
  assert.equal(values.get('cid'), 'film "x"')
  assert.equal(values.get('pr'), 1.08)
  assert.equal(values.get('sta'), 'p')
  assert.equal(values.get('com.example-note'), 'hi')
  assert.deepEqual(values.get('br'), [
    { value: 5000, params: { v: true } },
    { value: 128, params: { a: true } },
  ])
})

test('a record without v is of version 1, and scalars of version 1 are lists of one', () => {
  const { values, version, faults } = readQuery('bl%3D21300%2Cbr%3D3200%2Cbs%2Cot%3Dv%2Csid%3D%22a%22%2Csu%3D%3F0')
  assert.equal(version, 1)
  assert.deepEqual(faults, [])
  assert.deepEqual(values.get('br'), [{ value: 3200, params: undefined }])
  assert.equal(values.get('bs'), true)
  assert.equal(values.get('su'), false)
})

test('blanks, blank lines, carriage returns and a trailing line feed are nothing', () => {
  const readings = readReports('\r\n \n  e=t , sid = "a" ,ts=1, v=2,\r\n\n\te=ps,sta=p,ts=2,v=2\n')
  assert.equal(readings.length, 2)
  assert.deepEqual(
    readings.map(({ faults }) => faults),
    [[], []],
  )
  assert.equal(readings[0]!.values.get('sid'), 'a')
  assert.equal(countRecords('\n\na\n \nb'), 2)
})

const TOLD: readonly (readonly [string, string, readonly string[], unknown])[] = [
  ['a text without quotes', 'sid=7f0c-1 2', ['VALUE_UNQUOTED'], '7f0c-1 2'],
  ['a number where a text is due', 'sid=00123456789012345678', ['VALUE_UNQUOTED'], '00123456789012345678'],
  ['a token in quotes', 'sta="p"', ['VALUE_QUOTED'], 'p'],
  ['a number in quotes', 'rtp="500"', ['VALUE_QUOTED'], 500],
  ['a boolean as a word', 'bs=true', ['VALUE_BOOLEAN'], true],
  ['a boolean as a number', 'bg=0', ['VALUE_BOOLEAN'], false],
  ['a fraction where a whole number is due', 'dl=12.6', ['VALUE_NOT_INTEGER'], 13],
  ['a list where one value is due', 'd=(4000 5000)', ['VALUE_LIST'], 4000],
  ['one value where a list is due', 'mtp=1500', ['VALUE_NOT_LIST'], [{ value: 1500, params: undefined }]],
  [
    'an error code that is neither text nor list',
    'ec=27',
    ['VALUE_UNQUOTED', 'VALUE_NOT_LIST'],
    [{ value: '27', params: undefined }],
  ],
  ['a token nobody knows', 'sta=zz', ['VALUE_UNKNOWN'], 'zz'],
  ['a text that is too long', `sid="${'x'.repeat(65)}"`, ['VALUE_TOO_LONG'], 'x'.repeat(65)],
  ['a text beyond ASCII', 'cid="Ä"', ['VALUE_CHARACTERS'], 'Ä'],
  ['a key nobody knows', 'zzz=5', ['KEY_UNKNOWN'], 5],
  ['a number that is a word', 'rtp=fast', ['VALUE_TYPE'], undefined],
  ['a negative length', 'dl=-5', ['VALUE_RANGE'], undefined],
  ['a number of exponents', 'dl=1e5', ['VALUE_TYPE'], undefined],
  ['a quote that never closes', 'cid="abc', ['VALUE_MALFORMED'], undefined],
  ['a list that never closes', 'br=(5000', ['VALUE_MALFORMED'], undefined],
  ['a boolean that is none', 'bs=?2', ['VALUE_MALFORMED'], undefined],
]

for (const [name, member, wanted, value] of TOLD) {
  test(`${name} is told of and costs the record nothing: ${member.slice(0, 30)}`, () => {
    const key = member.slice(0, member.indexOf('='))
    const reading = read(`${member},e=t,nr,ts=1,v=2`)
    assert.deepEqual(codes(reading), wanted)
    assert.deepEqual(reading.values.get(key), value)
    assert.equal(reading.values.get('nr'), true, 'what follows is read')
    assert.equal(reading.ignored, undefined)
    for (const code of codes(reading)) assert.ok(FAULTS[code].length > 10)
  })
}

test('a key in capitals is left out with what belongs to it, and the quotes in it are respected', () => {
  const reading = read('SID="a,b=c",e=t,ts=1,v=2')
  assert.deepEqual(codes(reading), ['KEY_INVALID'])
  assert.deepEqual([...reading.values.keys()], ['e', 'ts', 'v'])
})

test('of a key that stands twice the last counts', () => {
  const reading = read('e=t,sn=1,sn=2,ts=1,v=2')
  assert.equal(reading.values.get('sn'), 2)
  assert.deepEqual(codes(reading), ['KEY_TWICE'])
})

test('a version that is newer than this reader is ignored as a whole, and says so', () => {
  const reading = read('e=t,sid="a",ts=1,v=3')
  assert.equal(reading.ignored, 'version')
  assert.equal(reading.version, 3)
})

test('what is no record at all is ignored, and what is too long too', () => {
  assert.equal(read('<html>').ignored, 'empty')
  assert.equal(read('{"e":"t"}').ignored, 'empty')
  assert.equal(read('zzz').ignored, 'empty')
  const [long, next] = readReports(`cid="${'x'.repeat(9_000)}"\ne=t,ts=1,v=2`)
  assert.equal(long!.ignored, 'length')
  assert.equal(next!.ignored, undefined)
})

test('what an event record must have beside its event is missed by name', () => {
  const missing = (record: string) =>
    read(record)
      .faults.filter(({ code }) => code === 'REQUIRED_MISSING')
      .map(({ key }) => key)
  assert.deepEqual(missing('sid="a",v=2'), ['e', 'ts'])
  assert.deepEqual(missing('e=ps,ts=1,v=2'), ['sta'])
  assert.deepEqual(missing('e=e,ts=1,v=2'), ['ec'])
  assert.deepEqual(missing('e=ce,ts=1,v=2'), ['cen'])
  assert.deepEqual(missing('e=rr,ts=1,v=2'), ['url'])
  assert.deepEqual(codes(read('e=t,ts=1')), ['VERSION_MISSING'])
})

test('headers are read each by itself, and a key in another header than its own is told of', () => {
  const reading = readHeaders({
    'cmcd-object': 'br=3200,d=4004,ot=v',
    'cmcd-session': 'cid="a',
    'cmcd-status': 'rtp=100,sid="s"',
  })!
  assert.deepEqual(codes(reading), ['VALUE_MALFORMED', 'HEADER_WRONG'])
  assert.equal(reading.values.get('sid'), 's')
  assert.equal(reading.values.get('d'), 4004)
  assert.equal(readHeaders({ host: 'x' }), undefined)
})

test('a query is decoded once, or twice if it was encoded twice, and as far as it goes if it is broken', () => {
  const twice = encodeURIComponent(encodeURIComponent('br=500,sid="a"'))
  assert.equal(readQuery(twice).values.get('sid'), 'a')
  const broken = readQuery('br%3D500%2Csid%3D%22a%22%2Ccid%3D%22%ff%zz%22')
  assert.equal(broken.values.get('sid'), 'a')
  assert.ok(codes(broken).includes('ENCODING_BROKEN'))
  assert.deepEqual(readQuery('bl%3D(5000%3Bv+128%3Ba)%2Cv%3D2').values.get('bl'), [
    { value: 5000, params: { v: true } },
    { value: 128, params: { a: true } },
  ])
  assert.equal(cmcdOfUrl('/a.mp4?x=1&CMCD=br%3D1&y=2#CMCD=no'), 'br%3D1')
  assert.equal(cmcdOfUrl('/a.mp4?xCMCD=1'), undefined)
})
