/** The pure parts of an import: records, fields, names, values. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { csvFields, delimiterOf } from '../../cli/import/csv.ts'
import { IMPORT_LIMITS } from '../../cli/import/limits.ts'
import { RecordCutter, type SourceRecord } from '../../cli/import/records.ts'
import { reportTo } from '../../cli/import/report.ts'
import { csvReader, type Fields, namesOf, ndjsonReader } from '../../cli/import/rows.ts'
import { booleanOf, durationOf, idOf, timeOf } from '../../cli/import/values.ts'

function cut(bytes: Buffer, sizes: readonly number[], delimiters?: string): SourceRecord[] {
  const cutter = new RecordCutter(delimiters === undefined ? {} : { delimiters })
  const found: SourceRecord[] = []
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes.length === 0 ? bytes.length : Math.max(1, sizes[i % sizes.length]!)
    found.push(...cutter.push(bytes.subarray(at, at + size)))
    at += size
  }
  return [...found, ...cutter.end()]
}

const cell = fc.string({ unit: fc.constantFrom('a', 'é', '"', ',', ';', '\n', '\r', ' ', '😀'), maxLength: 8 })
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`

test('whatever stands in quotes, and however the bytes arrive, the same fields come out of CSV', () => {
  const rows = fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(rows, fc.array(fc.nat(7), { maxLength: 5 }), fc.constantFrom('\n', '\r\n'), (table, sizes, eol) => {
      const bytes = Buffer.from(table.map((row) => row.map(quoted).join(',')).join(eol) + eol)
      const records = cut(bytes, sizes, ',')
      const read = records.map(({ text }) => {
        const parsed = csvFields(text ?? '', ',')
        return parsed.ok ? parsed.fields : parsed.problem
      })
      assert.deepEqual(read, table)
      assert.equal(records.at(-1)?.endOffset, bytes.length)
      assert.equal(records.at(-1)?.endLine, bytes.toString().split('\n').length)
    }),
    { numRuns: 2_000 },
  )
})

test('a reader that begins at the end of any record sees exactly the rest, with the same line numbers', () => {
  const bytes = Buffer.from('id,text\n1,"a\nb"\n2,c\n3,"d ""e"""\n4,f')
  const all = cut(bytes, [], ',')
  for (const [index, { endOffset, endLine }] of all.entries()) {
    const cutter = new RecordCutter({ delimiters: ',', offset: endOffset, line: endLine })
    const rest = [...cutter.push(bytes.subarray(endOffset)), ...cutter.end()]
    assert.deepEqual(rest, all.slice(index + 1))
  }
  assert.deepEqual(
    all.map(({ line }) => line),
    [1, 2, 4, 5, 6],
  )
})

test('a quote in the midst of a field is a character, and swallows no line', () => {
  const records = cut(Buffer.from('1,5" disk\n2,"x"\n'), [3], ',')
  assert.deepEqual(
    records.map(({ text }) => csvFields(text ?? '', ',')),
    [
      { ok: true, fields: ['1', '5" disk'] },
      { ok: true, fields: ['2', 'x'] },
    ],
  )
})

test('a record that is too long, or no UTF-8, is told with its line, and the next one is read', () => {
  const long = Buffer.alloc(IMPORT_LIMITS.recordBytesMax + 1, 'x')
  const bytes = Buffer.concat([
    Buffer.from('{}\n'),
    long,
    Buffer.from('\n'),
    Buffer.from([0xff, 10]),
    Buffer.from('{"a":1}'),
  ])
  const records = cut(bytes, [50_000])
  assert.deepEqual(
    records.map(({ line, text, problem }) => [line, text ?? problem]),
    [
      [1, '{}'],
      [2, `is longer than ${IMPORT_LIMITS.recordBytesMax} bytes`],
      [3, 'is not UTF-8'],
      [4, '{"a":1}'],
    ],
  )
})

test('a byte order mark and Windows line ends are no part of the text', () => {
  const [header, row] = cut(Buffer.from('\ufeffprofileId;x\r\nann;1\r\n'), [2], ';')
  assert.deepEqual([header?.text, row?.text], ['profileId;x', 'ann;1'])
  assert.equal(delimiterOf(header?.text ?? ''), ';')
})

const record = (text: string): SourceRecord => ({ line: 2, text, endOffset: 0, endLine: 3 })

test('columns are known by our names, by theirs through --map, and without regard to case and underscores', () => {
  const names = namesOf(['profileId', 'titleId', 'externalIds.'], ['video=titleId'], 'import')
  const reader = csvReader(record('PROFILE_ID,video,externalIds.imdb,other'), ',', names, [['profileId']], 'import')
  const read = reader.read(record('ann,t1,tt1,x'))
  assert.ok(read.ok)
  assert.deepEqual(
    [...read.fields],
    [
      ['profileId', 'ann'],
      ['titleId', 't1'],
      ['externalIds.imdb', 'tt1'],
    ],
  )
  assert.deepEqual([...names.unknown], ['other'])
})

test('a header without a needed column, with one twice, or a --map to nowhere, is refused with the remedy', () => {
  const names = () => namesOf(['profileId', 'titleId'], [], 'import')
  assert.throws(
    () => csvReader(record('user,titleId'), ',', names(), [['profileId']], 'import'),
    /--map theirs=profileId/,
  )
  assert.throws(() => csvReader(record('profileId,profile_id'), ',', names(), [], 'import'), /Two columns.*profileId/)
  assert.throws(() => namesOf(['profileId'], ['user=profilId'], 'import'), /Did you mean profileId\?/)
  assert.throws(() => namesOf(['profileId'], ['user'], 'import'), /theirName=ourName/)
})

test('a line of NDJSON that is no object is told, not thrown', () => {
  const reader = ndjsonReader(namesOf(['profileId'], [], 'import'))
  for (const text of ['{', '[]', 'null', '3']) assert.equal(reader.read(record(text)).ok, false, text)
  const twice = reader.read(record('{"profileId":"a","profile_id":"b"}'))
  assert.ok(!twice.ok && twice.problem.field === 'profileId')
})

const NOW_MS = Date.UTC(2026, 10, 21)
const fields = (entries: Readonly<Record<string, unknown>>): Fields => new Map(Object.entries(entries))
const time = (at: unknown, assumeUtc = false) => timeOf(fields({ at }), 'at', { nowMs: NOW_MS, assumeUtc })

test('a time is read from milliseconds, seconds and RFC 3339, and nothing is guessed', () => {
  const wanted = Date.UTC(2026, 4, 1, 10)
  for (const at of [
    wanted,
    String(wanted),
    wanted / 1000,
    `${wanted / 1000}.0`,
    '2026-05-01T10:00:00Z',
    '2026-05-01 12:00:00.000+02',
    '2026-05-01T12:00+0200',
    '2026-05-01 10:00:00 UTC',
  ])
    assert.equal(time(at), wanted, String(at))
  assert.equal(time('2026-05-01 10:00', true), wanted)
  for (const at of ['yesterday', '', '01/05/2026', '2026-13-01T00:00:00Z', -1, {}, true])
    assert.throws(() => time(at), { name: 'RowRejected' }, String(at))
  assert.throws(() => time('2026-05-01 10:00:00'), {
    problem: {
      field: 'at',
      problem: 'has no time zone',
      remedy: 'Put Z or an offset behind it, or pass --assume-utc.',
    },
  })
  assert.throws(() => time(wanted * 1000), /more than a day in the future/)
})

test('positions in seconds or milliseconds, booleans in words, ids as numbers', () => {
  assert.equal(durationOf(fields({ positionSeconds: '61.5' }), 'position', 1e9), 61_500)
  assert.equal(durationOf(fields({ positionMs: 61_500 }), 'position', 1e9), 61_500)
  assert.equal(durationOf(fields({}), 'position', 1e9), undefined)
  assert.throws(() => durationOf(fields({ positionMs: '-1' }), 'position', 1e9), /positionMs is out of range/)
  assert.throws(() => durationOf(fields({ positionSeconds: '1:30' }), 'position', 1e9), /positionSeconds is no number/)
  assert.deepEqual(
    ['yes', 'T', '1', true, 'No', 0].map((w) => booleanOf(fields({ w }), 'w')),
    [true, true, true, true, false, false],
  )
  assert.throws(() => booleanOf(fields({ w: 'maybe' }), 'w'), /neither true nor false/)
  assert.equal(idOf(fields({ id: 42 }), 'id'), '42')
  for (const id of ['', 'x'.repeat(129), '\ud800', {}]) assert.throws(() => idOf(fields({ id }), 'id'), /id is no id/)
})

test('a terminal sees one line drawn again, anything else a line every few seconds, and only the first bad rows', () => {
  for (const tty of [true, false]) {
    let now = 0
    const lines: string[] = []
    const io = { env: {}, tty, out: () => undefined, err: (text: string) => lines.push(text) }
    const report = reportTo(io, () => now)
    const counts = (rows: number) => ({ rows, events: rows, rejected: 0 })
    report.show(counts(1_000), 100, 400)
    now += IMPORT_LIMITS.reportEveryMs
    report.show(counts(6_000), 200, 400)
    const said = lines.splice(0).join('')
    assert.match(said, /6000 rows \(1000\/s\), 50%, 10 s to go/)
    assert.equal(said.endsWith('\n'), !tty)
    assert.equal(said.includes('███'), tty)
    for (let line = 1; line <= 50; line++)
      report.rejected({ line, field: 'x', problem: 'is bad', remedy: 'Mend it.', row: '' })
    const bad = lines.join('')
    assert.match(bad, /line 1: x is bad\. Mend it\.\n/)
    assert.equal(bad.split('Mend it').length - 1, IMPORT_LIMITS.errorsShownMax)
    report.end()
  }
})
