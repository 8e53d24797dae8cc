/**
 * ClickHouse's tokens, as its own lexer cuts them (a test compares with the engine's `tokenizeQuery`).
 *
 * Text is latin1: one character is one byte, so that positions are byte offsets and binary data behind an INSERT can
 * be kept apart from the SQL before it. What can't be a token is 'error', and no statement with one is ever run: a
 * text that this lexer and the engine could read differently must not get through.
 */
export type TokenKind = 'word' | 'number' | 'quoted' | 'string' | 'punctuation' | 'semicolon' | 'error'

export interface Token {
  readonly kind: TokenKind
  readonly start: number
  readonly end: number
}

const SPACE =
  /[ \t\n\r\f\v]|\xc2[\x85\xa0]|\xe1\x9a\x80|\xe1\xa0\x8e|\xe2\x80[\x80-\x8d\xa8\xa9\xaf]|\xe2\x81[\x9f\xa0]|\xe3\x80\x80|\xef\xbb\xbf/y
const LINE_COMMENT = /(?:--|\/\/|#[ !])[^\n]*/y
const COMMENT_EDGE = /\/\*|\*\//g
const NUMBER =
  /(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP](?:[+-](?=[0-9]))?[0-9]*)?|0[bB][01_]*|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE](?:[+-](?=[0-9]))?[0-9_]*)?|\.[0-9][0-9_]*(?:[eE](?:[+-](?=[0-9]))?[0-9_]*)?)/y
/** Behind a dot a number is an element's position, and the next dot begins the next one. */
const POSITION = /[0-9][0-9_]*/y
const WORD = /[0-9][A-Za-z0-9_]*|\$?[A-Za-z_][A-Za-z0-9_$]*|\$[A-Za-z0-9_][A-Za-z0-9_$]*/y
const HEREDOC_TAG = /\$[A-Za-z0-9_]*\$/y
const STRING = /'(?:[^'\\]|\\[\s\S]|'')*'/y
const BITS = /[xX]'[0-9a-fA-F]*'|[bB]'[01]*'/y
const QUOTED = /`(?:[^`\\]|\\[\s\S]|``)*`|"(?:[^"\\]|\\[\s\S]|"")*"/y
const CURLY_STRING = /\xe2\x80\x98[\s\S]*?\xe2\x80\x99/y
const CURLY_QUOTED = /\xe2\x80\x9c[\s\S]*?\xe2\x80\x9d/y
const PUNCTUATION = /::|->|<=>|<=|>=|<>|!=|==|\|\||@@|[()[\]{},.*+\-/%=<>?:@|^]/y
/** What opens and, since nothing above matched it whole, never closes: the rest of the text is no SQL. */
const OPENER = /['"`]|[xXbB]'|\/\*|\xe2\x80[\x98\x9c]/y
const ENDS_OPERAND = /[)\]\w$"`\x9d]/

function end(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : -1
}

/** Cuts tokens one by one, so that a caller can stop where an INSERT's data begins and never look into it. */
export function* tokens(text: string, from = 0): Generator<Token> {
  let at = from
  let previous = ''
  while (at < text.length) {
    const skipped = skip(text, at)
    if (skipped > at) {
      at = skipped
      continue
    }
    const token = next(text, at, previous)
    yield token
    previous = text.charAt(token.end - 1)
    at = token.end
  }
}

function skip(text: string, at: number): number {
  const space = end(SPACE, text, at)
  if (space > 0) return space
  return text.startsWith('/*', at) ? commentEnd(text, at) : end(LINE_COMMENT, text, at)
}

/** Comments nest. */
function commentEnd(text: string, at: number): number {
  let depth = 0
  COMMENT_EDGE.lastIndex = at
  for (let edge = COMMENT_EDGE.exec(text); edge !== null; edge = COMMENT_EDGE.exec(text)) {
    depth += edge[0] === '/*' ? 1 : -1
    if (depth === 0) return COMMENT_EDGE.lastIndex
  }
  return -1
}

const SHAPES: readonly (readonly [TokenKind, RegExp])[] = [
  ['string', STRING],
  ['string', BITS],
  ['quoted', QUOTED],
  ['string', CURLY_STRING],
  ['quoted', CURLY_QUOTED],
]

/** `previous`: the last character of the token before. */
function next(text: string, start: number, previous: string): Token {
  if (text[start] === ';') return { kind: 'semicolon', start, end: start + 1 }
  for (const [kind, pattern] of SHAPES) {
    const stop = end(pattern, text, start)
    if (stop > 0) return { kind, start, end: stop }
  }
  if (end(OPENER, text, start) > 0) return { kind: 'error', start, end: text.length }
  if (text[start] === '$') {
    const heredoc = heredocEnd(text, start)
    if (heredoc > 0) return { kind: 'string', start, end: heredoc }
    if (end(WORD, text, start) < 0) return { kind: 'punctuation', start, end: start + 1 }
  }
  return wordOrNumber(text, start, previous)
}

function wordOrNumber(text: string, start: number, previous: string): Token {
  const word = end(WORD, text, start)
  const isDot = text[start] === '.' && ENDS_OPERAND.test(previous)
  const number = isDot ? -1 : end(previous === '.' ? POSITION : NUMBER, text, start)
  const stop = Math.max(word, number)
  // A `$` that stands alone ends no operand and one that ends a name does; nobody writes this, so it is refused.
  if (previous === '$' && /^\.[0-9]/.test(text.slice(start, start + 2))) return { kind: 'error', start, end: start + 1 }
  if (stop > 0 && isBrokenNumber(text, start, stop)) return { kind: 'error', start, end: stop }
  if (number > 0 && number >= word) return { kind: 'number', start, end: number }
  if (word > 0) return { kind: 'word', start, end: word }
  const punctuation = end(PUNCTUATION, text, start)
  if (punctuation > 0) return { kind: 'punctuation', start, end: punctuation }
  return { kind: 'error', start, end: start + 1 }
}

/** `1.x`, `0x.`, and an exponent's sign without digits: `1e--x` is a comment to one reader and a sum to another. */
function isBrokenNumber(text: string, start: number, stop: number): boolean {
  const raw = text.slice(start, stop)
  if (!/^[0-9.]/.test(raw)) return false
  const isCutShort = /[eEpP]$/.test(raw) && /[+-]/.test(text.charAt(stop))
  return isCutShort || /^0[xXbB]_*\.|^\.0[xXbB]|\._|^\.[0-9_]+[eE]$/.test(raw) || end(WORD, text, stop) > 0
}

function heredocEnd(text: string, start: number): number {
  const tagEnd = end(HEREDOC_TAG, text, start)
  if (tagEnd < 0) return -1
  const tag = text.slice(start, tagEnd)
  const close = text.indexOf(tag, tagEnd)
  return close < 0 ? -1 : close + tag.length
}

/** The name that an identifier token stands for, quotes and escapes removed. */
export function identifierName(text: string, token: Token): string {
  const raw = text.slice(token.start, token.end)
  if (token.kind === 'word') return raw
  if (raw.startsWith('\xe2')) return raw.slice(3, -3)
  const quote = raw[0] ?? ''
  return raw
    .slice(1, -1)
    .replaceAll(quote + quote, quote)
    .replace(/\\x([0-9a-fA-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/\\([\s\S])/g, '$1')
}
