/**
 * What one request asks for: cuts the SQL from an INSERT's data, refuses a second statement, and finds the two places
 * where the front writes something in: the file that holds an INSERT's rows, and the file that a result goes to.
 */
import { refuse } from './errors.ts'
import { identifierName, type Token, tokens } from './lexer.ts'

export type Statement = InsertData | Query | Command

/** An INSERT whose rows come with the request. */
export interface InsertData {
  readonly kind: 'insert-data'
  readonly tokens: readonly Token[]
  /** Up to the place for FROM INFILE; its SETTINGS, if they stand before FORMAT; FORMAT and what follows. */
  readonly before: string
  readonly settings: string
  readonly after: string
  readonly format: string
  /** Byte offset of the data behind the statement. */
  readonly dataStart: number
  /** `INSERT … SELECT … FROM input('structure')`: where `input(` stands. */
  readonly input: { readonly start: number; readonly end: number } | undefined
}

/** Answers rows: `before` INTO OUTFILE `after`. */
export interface Query {
  readonly kind: 'query'
  readonly tokens: readonly Token[]
  readonly before: string
  /** FORMAT and what follows, or empty. */
  readonly after: string
  readonly format: string | undefined
}

export interface Command {
  readonly kind: 'command'
  readonly tokens: readonly Token[]
  readonly text: string
}

const ANSWERS_ROWS = new Set([
  'SELECT',
  'WITH',
  'FROM',
  'SHOW',
  'DESCRIBE',
  'DESC',
  'EXISTS',
  'EXPLAIN',
  'CHECK',
  'VALUES',
  '(',
])

/** The upper-case keyword or the punctuation of a token; empty for literals and quoted names. */
export function keyword(text: string, token: Token | undefined): string {
  if (token === undefined || (token.kind !== 'word' && token.kind !== 'punctuation')) return ''
  return text.slice(token.start, token.end).toUpperCase()
}

/** `text` is latin1. `complete` is false when more bytes follow that weren't given. */
export function parseStatement(text: string, complete: boolean): Statement {
  const seen: Token[] = []
  let depth = 0
  let isInsert = false
  for (const token of tokens(text)) {
    if (token.kind === 'semicolon') {
      refuseMore(text, token.end)
      return finish(text, seen, token.start)
    }
    seen.push(token)
    const word = keyword(text, token)
    if (depth === 0 && word === 'INSERT' && (seen.length === 1 || keyword(text, seen[0]) === 'WITH')) isInsert = true
    if (isInsert && depth === 0 && (word === 'FORMAT' || word === 'VALUES')) {
      const insert = insertData(text, seen, word)
      if (insert !== undefined) return insert
    }
    if (token.kind === 'error') throw badToken(text, token, complete)
    if (word === '(' || word === '[' || word === '{') depth += 1
    if (word === ')' || word === ']' || word === '}') depth -= 1
  }
  if (!complete) throw refuse('QUERY_IS_TOO_LARGE', 'Query is too large')
  return finish(text, seen, text.length)
}

function badToken(text: string, token: Token, complete: boolean): Error {
  if (!complete && token.end === text.length)
    return refuse('QUERY_IS_TOO_LARGE', 'Query is too large, or a quote in it is not closed')
  const near = Buffer.from(text.slice(token.start, token.start + 40), 'latin1').toString('utf8')
  const reason = 'a quote or comment is not closed, or a character is not SQL'
  return refuse('SYNTAX_ERROR', `Syntax error: failed at position ${token.start + 1} (${near}): ${reason}`)
}

function refuseMore(text: string, from: number): void {
  for (const token of tokens(text, from)) {
    if (token.kind === 'semicolon') continue
    throw refuse(
      'SYNTAX_ERROR',
      `Syntax error (Multi-statements are not allowed): failed at position ${token.start + 1}`,
    )
  }
}

/** At FORMAT or VALUES of an INSERT: undefined if it is something else of that name (a table, a column). */
function insertData(text: string, seen: readonly Token[], word: 'FORMAT' | 'VALUES'): InsertData | undefined {
  const at = seen.length - 1
  const mark = seen[at]
  if (mark === undefined || at < 2 || isName(text, seen, at)) return undefined
  let format = 'Values'
  let tail = mark.end
  let tailText = 'FORMAT Values'
  if (word === 'FORMAT') {
    const name = first(text, mark.end)
    if (name === undefined || (name.kind !== 'word' && name.kind !== 'quoted')) return undefined
    format = identifierName(text, name)
    tail = settingsEnd(text, name.end)
    tailText = text.slice(mark.start, tail)
  }
  const settings = lastSettings(text, seen, at)
  const cut = settings ?? mark.start
  return {
    kind: 'insert-data',
    tokens: [...seen, ...tokensBetween(text, mark.end, tail)],
    before: text.slice(0, cut),
    settings: text.slice(cut, mark.start),
    after: tailText,
    format,
    dataStart: dataStart(text, tail),
    input: findInput(text, seen),
  }
}

/** INSERT INTO [TABLE] format …, or t.format: a name, not the keyword. */
function isName(text: string, seen: readonly Token[], at: number): boolean {
  const previous = keyword(text, seen[at - 1])
  return previous === 'INTO' || previous === 'TABLE' || previous === '.' || previous === 'FUNCTION'
}

function first(text: string, from: number): Token | undefined {
  for (const token of tokens(text, from)) return token
  return undefined
}

function tokensBetween(text: string, from: number, to: number): Token[] {
  const found: Token[] = []
  for (const token of tokens(text, from)) {
    if (token.start >= to) break
    found.push(token)
  }
  return found
}

/** Behind FORMAT x there may be SETTINGS a = 1, b = 'c' on the same line; data starts after them. */
function settingsEnd(text: string, from: number): number {
  const head = [...take(text, from, 1)]
  if (keyword(text, head[0]) !== 'SETTINGS') return from
  let at = head[0]?.end ?? from
  for (;;) {
    const [name, equals, value, comma] = [...take(text, at, 4)]
    if (name?.kind !== 'word' || keyword(text, equals) !== '=' || value === undefined) return at
    if (value.kind === 'error') throw refuse('SYNTAX_ERROR', 'Syntax error: a setting has no value')
    let stop = value.end
    let following = comma
    if (keyword(text, value) === '-' || keyword(text, value) === '+') {
      stop = comma?.end ?? stop
      following = [...take(text, stop, 1)][0]
    }
    if (keyword(text, following) !== ',') return stop
    at = following?.end ?? stop
  }
}

function* take(text: string, from: number, count: number): Generator<Token> {
  let left = count
  for (const token of tokens(text, from)) {
    if (left === 0) return
    left -= 1
    yield token
  }
}

/** INSERT INTO t SETTINGS … FORMAT x: FROM INFILE has to stand before SETTINGS. */
function lastSettings(text: string, seen: readonly Token[], at: number): number | undefined {
  let depth = 0
  for (let index = at - 1; index > 1; index -= 1) {
    const word = keyword(text, seen[index])
    if (word === ')' || word === ']') depth += 1
    if (word === '(' || word === '[') depth -= 1
    if (depth === 0 && word === 'SELECT') return undefined
    if (depth === 0 && word === 'SETTINGS' && !isName(text, seen, index)) return seen[index]?.start
  }
  return undefined
}

function findInput(text: string, seen: readonly Token[]): InsertData['input'] {
  for (let index = 2; index < seen.length - 1; index += 1) {
    const token = seen[index]
    const open = seen[index + 1]
    if (token && open && keyword(text, token) === 'INPUT' && keyword(text, open) === '(')
      return { start: token.start, end: open.end }
  }
  return undefined
}

/** As in ClickHouse: blanks are skipped, and one line end. */
function dataStart(text: string, from: number): number {
  let at = from
  while (' \t\f'.includes(text[at] ?? '\n')) at += 1
  if (text[at] === ';') throw refuse('SYNTAX_ERROR', 'You have excessive semicolon before data for INSERT')
  if (text[at] === '\r') at += 1
  if (text[at] === '\n') at += 1
  return at
}

function finish(text: string, seen: readonly Token[], stop: number): Statement {
  const start = keyword(text, seen[0])
  if (seen.length === 0) throw refuse('SYNTAX_ERROR', 'Syntax error: Empty query')
  const withInsert = start === 'WITH' && hasTop(text, seen, 'INSERT')
  if (!ANSWERS_ROWS.has(start) || withInsert) return { kind: 'command', tokens: seen, text: text.slice(0, stop) }
  const mark = formatMark(text, seen)
  if (mark === undefined)
    return { kind: 'query', tokens: seen, before: text.slice(0, stop), after: '', format: undefined }
  return {
    kind: 'query',
    tokens: seen,
    before: text.slice(0, mark.start),
    after: text.slice(mark.start, stop),
    format: identifierName(text, mark.name),
  }
}

function hasTop(text: string, seen: readonly Token[], wanted: string): boolean {
  let depth = 0
  for (const token of seen) {
    const word = keyword(text, token)
    if (word === '(') depth += 1
    if (word === ')') depth -= 1
    if (depth === 0 && word === wanted) return true
  }
  return false
}

/** The last FORMAT <name> at depth 0 that ends the statement or is followed by SETTINGS. */
function formatMark(text: string, seen: readonly Token[]): { start: number; name: Token } | undefined {
  let depth = 0
  for (let index = seen.length - 1; index > 0; index -= 1) {
    const word = keyword(text, seen[index])
    if (word === ')') depth += 1
    if (word === '(') depth -= 1
    const name = seen[index + 1]
    if (depth !== 0 || word !== 'FORMAT' || name === undefined || keyword(text, seen[index - 1]) === '.') continue
    const behind = seen[index + 2]
    const isFormatName = name.kind === 'word' || name.kind === 'quoted'
    if (isFormatName && (behind === undefined || keyword(text, behind) === 'SETTINGS')) {
      return { start: seen[index]?.start ?? 0, name }
    }
  }
  return undefined
}
