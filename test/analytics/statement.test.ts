import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseStatement } from '../../analytics/statement.ts'

function split(text: string) {
  const statement = parseStatement(text, true)
  assert.equal(statement.kind, 'insert-data')
  if (statement.kind !== 'insert-data') throw new Error('unreachable')
  return { ...statement, data: text.slice(statement.dataStart) }
}

function refusedWith(text: string, pattern: RegExp): void {
  assert.throws(() => parseStatement(text, true), pattern)
}

test("an INSERT's data begins behind its format's line", () => {
  const insert = split('INSERT INTO t (a, b) FORMAT JSONEachRow\n{"a":1}\n')
  assert.equal(insert.before, 'INSERT INTO t (a, b) ')
  assert.equal(insert.format, 'JSONEachRow')
  assert.equal(insert.data, '{"a":1}\n')
})

test('data may begin on the line of the format', () => {
  assert.equal(split('INSERT INTO t FORMAT CSV 1,2\n3,4').data, '1,2\n3,4')
  assert.equal(split('INSERT INTO t FORMAT CSV\r\n1,2').data, '1,2')
  assert.equal(split('insert into t values (1), (2)').data, '(1), (2)')
})

test('only one line end is skipped: data may begin with an empty line', () => {
  assert.equal(split('INSERT INTO t FORMAT LineAsString\n\nx').data, '\nx')
})

test('nothing in the data is read as SQL', () => {
  const bad = '\'"`/*;\n\nDROP TABLE t; SELECT 1'
  assert.equal(split(`INSERT INTO t FORMAT LineAsString\n${bad}`).data, bad)
})

test('FORMAT and VALUES are seen only where they are keywords', () => {
  const insert = split(
    'INSERT INTO format.values (`FORMAT`, "values") SETTINGS a = \' FORMAT X \' /* FORMAT Y */ -- VALUES\nFORMAT TSV\n1',
  )
  assert.equal(insert.format, 'TSV')
  assert.equal(insert.data, '1')
  assert.equal(insert.before, 'INSERT INTO format.values (`FORMAT`, "values") ')
  assert.match(insert.settings, /^SETTINGS a = /)
})

test('settings may stand behind the format too', () => {
  const insert = split("INSERT INTO t FORMAT CSV SETTINGS a = 1, b = 'x' 1,2")
  assert.equal(insert.after, "FORMAT CSV SETTINGS a = 1, b = 'x'")
  assert.equal(insert.data, '1,2')
})

test('input() is found, so that it can read from the file', () => {
  const text = "INSERT INTO t SELECT a FROM input('a Int8') FORMAT CSV\n1"
  const insert = split(text)
  assert.equal(text.slice(insert.input?.start, insert.input?.end), 'input(')
})

test('a second statement is refused, wherever it hides', () => {
  for (const text of [
    'SELECT 1; SELECT 2',
    'SELECT 1;;SELECT 2',
    'SELECT 1 -- ;\n; SELECT 2',
    "SELECT 'a;b' ; DROP TABLE t",
    'SELECT $$;$$; x',
  ]) {
    refusedWith(text, /Multi-statements are not allowed/)
  }
})

test('a trailing semicolon and a comment behind it are fine', () => {
  for (const text of ['SELECT 1;', 'SELECT 1 ; -- done', "SELECT ';' ;;\n", '/* a; /* b; */ c; */ SELECT 1']) {
    assert.equal(parseStatement(text, true).kind, 'query')
  }
})

test('an unclosed quote or comment is refused', () => {
  for (const text of ["SELECT 'a", 'SELECT `a', 'SELECT /* a', 'SELECT "a', 'SELECT \u0000', ''])
    refusedWith(text, /SYNTAX_ERROR/)
})

test("a result's place is before FORMAT, at the end otherwise", () => {
  const cases: [string, string, string, string | undefined][] = [
    ['SELECT 1', 'SELECT 1', '', undefined],
    ['SELECT 1 FORMAT JSON', 'SELECT 1 ', 'FORMAT JSON', 'JSON'],
    ['SELECT 1 FORMAT JSON SETTINGS max_threads = 1', 'SELECT 1 ', 'FORMAT JSON SETTINGS max_threads = 1', 'JSON'],
    ['SELECT format FROM t', 'SELECT format FROM t', '', undefined],
    ['SELECT 1 AS format', 'SELECT 1 AS format', '', undefined],
    ["SELECT format('{}', 1)", "SELECT format('{}', 1)", '', undefined],
    ['SELECT * FROM (SELECT 1 AS x) FORMAT CSV;', 'SELECT * FROM (SELECT 1 AS x) ', 'FORMAT CSV', 'CSV'],
    ['SELECT t.format x', 'SELECT t.format x', '', undefined],
  ]
  for (const [text, before, after, format] of cases) {
    const statement = parseStatement(text, true)
    assert.equal(statement.kind, 'query')
    if (statement.kind !== 'query') continue
    assert.deepEqual([statement.before, statement.after, statement.format], [before, after, format])
  }
})

test('a body that goes on is never run before all of its SQL is here', () => {
  assert.throws(() => parseStatement('SELECT 1', false), /too large/)
  assert.equal(parseStatement('INSERT INTO t FORMAT CSV\n1,2\n', false).kind, 'insert-data')
})
