import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { tokens } from '../../analytics/lexer.ts'
import { literal } from '../../analytics/settings.ts'
import { sql, startServer, type TestServer } from './server.ts'

let server: TestServer
before(async () => {
  server = await startServer()
})
after(() => server.stop())

const CASES = [
  'a ^.1',
  'a ^.15e3',
  "SELECT 1 -- c\n, 'a;b' /* x ; */ ; y",
  '$a$x;y$a$ $$;$$ $ a$ a$b abc$$',
  '\u2018a;b\u2019 \u201ca;b\u201d',
  '1--1\n2 # c\n#!x\n3 // d ; e\n4',
  "x'ab\\'c' b'01' X'' N'x' e'x'",
  '/* a /* b */ c */ 1e-5 0x1G 12abc 1_000 1.2.3 t.1.file(1) 1.e(2)',
  '\'a\'\'b\\\'c\' `a``b\\`c` "d""e\\"f"',
  "SELECT 'unclosed",
  'SELECT `unclosed',
  'SELECT /* unclosed',
  'a\u00a0b\ufeffc\u3000d',
  'a::b->c <=> d || e @@f ?g ^h',
  '{x:UInt8}',
  '1.file(2)',
  'a\\b',
]

const PIECES = [
  ...[
    "'",
    '"',
    '`',
    '\\',
    '$',
    '$a$',
    '--',
    '/*',
    '*/',
    '#',
    '# ',
    '//',
    '\n',
    ' ',
    ';',
    '(',
    ')',
    ']',
    'x',
    'b',
    "x'",
    'abc',
  ],
  ...[
    '1',
    '1e',
    '.',
    '0x',
    '_',
    '\u2018',
    '\u2019',
    '\u201c',
    '\u201d',
    '\u00a0',
    '-',
    '+',
    '{',
    '}',
    ':',
    '@',
    '!',
    '=',
    '<',
  ],
  ...['>', '&', '|', '%', '?', 'FORMAT', '\t', '\r', '\u00e9', 'e', 'p', '0b', '^', '~', '\u2028'],
]

/** The engine's own tokens of each text, `start-end kind`, without blanks and comments. */
async function engineTokens(texts: readonly string[]): Promise<string[][]> {
  const list = texts.map(literal).join(', ')
  const answer = await sql(server, `SELECT tokenizeQuery(arrayJoin([${list}])) AS t FORMAT JSONCompactEachRow`)
  return answer
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [found] = JSON.parse(line) as [object[]]
      return found
        .map((token) => Object.values(token) as [number, number, string])
        .filter(([, , kind]) => kind !== 'Whitespace' && kind !== 'Comment')
        .map(([start, end, kind]) => `${start}-${end} ${shape(kind)}`)
    })
}

function shape(kind: string): string {
  if (kind === 'BareWord') return 'word'
  if (kind === 'Number') return 'number'
  if (kind === 'QuotedIdentifier') return 'quoted'
  if (kind === 'StringLiteral' || kind === 'HereDoc') return 'string'
  if (kind === 'Semicolon') return 'semicolon'
  return kind.startsWith('Error') || kind === 'VerticalDelimiter' ? 'error' : 'punctuation'
}

function ourTokens(text: string): string[] {
  return [...tokens(Buffer.from(text, 'utf8').toString('latin1'))].map(
    (token) => `${token.start}-${token.end} ${token.kind}`,
  )
}

/** Up to the first error: no statement with one is ever run. A word that begins with a digit is as good as a number. */
function comparable(list: readonly string[]): string[] {
  const at = list.findIndex((entry) => entry.endsWith(' error'))
  const read = at < 0 ? [...list] : [...list.slice(0, at), `${list[at]?.split('-')[0]} error`]
  return read.map((entry) => entry.replace('number', 'word'))
}

/**
 * What safety hangs on: which bytes are SQL, which are in quotes and which are nothing, and which names stand there.
 * Where a number ends and its dot begins hides nothing.
 */
function essence(list: readonly string[], text: string): unknown {
  const bytes = Buffer.from(text, 'utf8').toString('latin1')
  const map = new Array<string>(bytes.length).fill(' ')
  const names: string[] = []
  for (const entry of comparable(list)) {
    const [span = '', kind = ''] = entry.split(' ')
    const [start = 0, end = 0] = span.split('-').map(Number)
    map.fill(kind === 'string' || kind === 'quoted' || kind === 'semicolon' ? (kind[0] ?? '') : 'c', start, end)
    const raw = bytes.slice(start, end)
    if (kind === 'quoted' || /^[A-Za-z_$]/.test(raw)) names.push(raw)
  }
  return { map: map.join(''), names: names.filter((name) => !/^[$_]+$/.test(name)) }
}

for (const text of CASES) {
  test(`cuts ${JSON.stringify(text)} as the engine does`, async () => {
    const [theirs] = await engineTokens([text])
    assert.deepEqual(comparable(ourTokens(text)), comparable(theirs ?? []))
  })
}

test('never takes a text apart otherwise than the engine, unless it refuses it', async () => {
  const part = fc.constantFrom(...PIECES)
  const text = fc.array(part, { minLength: 1, maxLength: 8 }).map((parts) => ` ${parts.join('')}`)
  const batch = fc.array(text, { minLength: 500, maxLength: 500 })
  let compared = 0
  await fc.assert(
    fc.asyncProperty(batch, async (samples) => {
      const theirs = await engineTokens(samples)
      for (const [index, sample] of samples.entries()) {
        const ours = ourTokens(sample)
        if (ours.some((entry) => entry.endsWith(' error'))) continue
        compared += 1
        assert.deepEqual(essence(ours, sample), essence(theirs[index] ?? [], sample), JSON.stringify(sample))
      }
    }),
    // At a desk every run looks elsewhere; in CI a change is not to fail for what it didn't touch.
    { numRuns: 8, endOnFailure: true, ...(process.env.CI === 'true' && { seed: 20_261_121 }) },
  )
  assert.ok(compared > 1000, `only ${compared} texts were compared`)
})

test('refuses a number that may hide a comment', () => {
  assert.ok(ourTokens('SELECT 1e--file(2)').some((entry) => entry.endsWith(' error')))
})

test('writes any text as a literal that the engine reads back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 20 }), async (text) => {
      const answer = await sql(server, `SELECT hex(${literal(text)}) FORMAT TSV`)
      assert.equal(answer.trim(), Buffer.from(text, 'utf8').toString('hex').toUpperCase())
    }),
    { numRuns: 100 },
  )
})
