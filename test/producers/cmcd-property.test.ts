/** What holds of every record: any bytes are read, neighbours cost nothing, and the library's values are ours. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import {
  type Cmcd,
  CmcdEventType,
  CmcdObjectType,
  CmcdPlayerState,
  CmcdStreamType,
  decodeCmcd,
  encodeCmcd,
} from '@svta/cml-cmcd'
import { SfItem } from '@svta/cml-structured-field-values'
import fc from 'fast-check'
import {
  type CmcdValue,
  cmcdReport,
  cmcdRequest,
  type Reading,
  readHeaders,
  readQuery,
  readReports,
  responseOf,
} from '../../producers/cmcd/index.ts'
import { createCodec, type EventCodec } from '../../schemas/index.ts'
import { META, read } from './cmcd-support.ts'

let codec: EventCodec
before(async () => {
  codec = await createCodec()
})

const whole = fc.oneof(fc.integer({ min: 0, max: 10_000_000 }), fc.constantFrom(0, 1, 2 ** 31, 999_999_999_999_900))
const small = fc.integer({ min: 0, max: 2 ** 31 - 1 })
const numbers = fc.array(
  fc.tuple(whole, fc.constantFrom(undefined, 'v', 'a', 'av')).map(([value, type]) => {
    return type === undefined ? value : new SfItem(value, { [type]: true })
  }),
  { minLength: 1, maxLength: 4 },
)
const text = fc.string({ unit: fc.constantFrom(...'abcXYZ019 ;=/,."%-_*\\()?:@'), minLength: 1, maxLength: 40 })
const one = <T extends string>(values: Readonly<Record<string, T>>) => fc.constantFrom(...Object.values(values))
const data = fc.record(
  {
    ab: numbers,
    bl: numbers,
    br: numbers,
    bsa: numbers,
    bsd: numbers,
    mtp: numbers,
    tb: numbers,
    tpb: numbers,
    lb: numbers,
    bg: fc.boolean(),
    bs: fc.boolean(),
    nr: fc.boolean(),
    su: fc.boolean(),
    cid: text,
    cdn: text,
    sid: text,
    h: text,
    cs: text,
    cen: text,
    url: text,
    d: small,
    dl: small,
    dfa: small,
    msd: small,
    pt: whole,
    rtp: small,
    sn: small,
    ltc: fc.integer({ min: -(2 ** 31) + 1 }),
    ts: whole,
    rc: small,
    ttfb: small,
    ttlb: small,
    pr: fc.integer({ min: -4_000, max: 4_000 }).map((n) => n / 1_000),
    ec: fc.array(text, { minLength: 1, maxLength: 3 }),
    nor: fc.array(text, { minLength: 1, maxLength: 3 }),
    e: one(CmcdEventType),
    ot: one(CmcdObjectType),
    sta: one(CmcdPlayerState),
    st: one(CmcdStreamType),
    'com.example-pt': whole,
    'com.example-note': text,
  },
  { requiredKeys: ['sid'] },
)
const encoded = fc
  .tuple(data, fc.constantFrom(1 as const, 2 as const), fc.constantFrom('event' as const, 'request' as const))
  .map(([values, version, reportingMode]) => encodeCmcd(values as Cmcd, { version, reportingMode }))

/** Scalars and lists of one are the same to us where a list is due; parameters as the library has them. */
function plain(value: unknown): unknown {
  if (Array.isArray(value))
    return value.map((item) => (item instanceof SfItem ? itemOf(item.value, item.params) : itemOf(item, undefined)))
  if (value instanceof SfItem) return [itemOf(value.value, value.params)]
  return value
}
function itemOf(value: unknown, params: unknown) {
  return { value, params: params === undefined ? undefined : { ...(params as object) } }
}
function ours(value: CmcdValue, theirs: unknown): unknown {
  return Array.isArray(value) && !Array.isArray(theirs) ? value[0]?.value : value
}

test('what the library writes is read with the values that the library reads', () => {
  fc.assert(
    fc.property(encoded, (record) => {
      const theirs = decodeCmcd(record) as Readonly<Record<string, unknown>>
      const reading = read(record)
      const names = [...reading.values.keys()].sort()
      assert.deepEqual(names, Object.keys(theirs).sort())
      for (const [key, value] of reading.values)
        assert.deepEqual(ours(value, plain(theirs[key])), plain(theirs[key]), key)
      const asQuery = readQuery(encodeURIComponent(record))
      assert.deepEqual([...asQuery.values], [...reading.values])
    }),
    { numRuns: 500 },
  )
})

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: fc.constantFrom(...'abcvsidept=,;"()?:\\ 019.-%\t\r@*'), maxLength: 120 }),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString()),
  fc.tuple(encoded, fc.nat(), fc.string({ maxLength: 3 })).map(([record, at, put]) => {
    const place = at % (record.length + 1)
    return record.slice(0, place) + put + record.slice(place + 1)
  }),
  fc.constantFrom(
    '('.repeat(8_000),
    '"'.repeat(8_000),
    ','.repeat(8_000),
    'a;'.repeat(4_000),
    'br=(1;',
    '\ud800=\udfff',
    'v=2,'.repeat(2_000),
  ),
)
/** A line of its own, whatever is in it. */
const line = hostile.map((record) => record.replaceAll('\n', ' '))

test('any text is read without an exception, and what was read makes events that can be written', () => {
  fc.assert(
    fc.property(hostile, (record) => {
      const readings: (Reading | undefined)[] = [
        ...readReports(record),
        readQuery(record),
        readHeaders({ 'cmcd-object': record, 'cmcd-status': [record, record] }),
      ]
      for (const reading of readings) if (reading !== undefined) written(reading)
    }),
    { numRuns: 3_000 },
  )
})

function written(reading: Reading): void {
  const whose = { profileId: 'p', sessionId: 's', titleId: 't' }
  const report = codec.decode(codec.encode(cmcdReport(reading, whose, META)))
  assert.equal(report.ok, true)
  const line = responseOf(reading) ?? { url: reading.raw, status: 1e9, bytes: Number.NaN, cdn: reading.raw }
  assert.equal(codec.decode(codec.encode(cmcdRequest(reading, whose, line, META))).ok, true)
}

test('a good record is read the same whatever lines stand around it', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 4 }), encoded, fc.array(line, { maxLength: 4 }), (before, good, after) => {
      const alone = read(good)
      const among = readReports([...before, good, ...after].join('\n'))
      assert.ok(among.some(({ raw, values }) => raw === alone.raw && [...values].length === [...alone.values].length))
    }),
    { numRuns: 500 },
  )
})

const badMember = fc.constantFrom(
  'Br=1',
  'x=="',
  'br=(1',
  '=5',
  'cid="never closed',
  '12=3',
  'dl=1..2',
  'bs=?7',
  '(',
  ')',
  'é=1',
  'nor="a\\',
)

test('a bad key costs its neighbours in the record nothing', () => {
  fc.assert(
    fc.property(badMember, fc.boolean(), (bad, first) => {
      const rest = 'e=ps,sn=4,sta=p,sid="s, 1",ts=5,v=2'
      const { values } = read(first ? `${bad},${rest}` : `${rest},${bad}`)
      assert.equal(values.get('sid'), 's, 1')
      assert.equal(values.get('sn'), 4)
      assert.equal(values.get('v'), 2)
    }),
  )
})
