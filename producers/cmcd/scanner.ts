/**
 * The grammar: one record of CMCD (a dictionary of RFC 8941) into its members, by character codes and in one pass. What
 * is malformed costs its own member and nothing beside it. Tolerated beyond the grammar: blanks anywhere, texts without
 * quotes, empty members, quotes that never close (then the member ends at the next comma).
 */
import { CMCD_LIMITS } from './limits.ts'
import type { Bare, CmcdItem } from './reading.ts'
import { TERMS } from './vocabulary.ts'

/** How a value was written: what is due is the key's to say. */
export type Form = 'flag' | 'boolean' | 'number' | 'quoted' | 'word' | 'list' | 'bytes'

/** What a record consists of, member by member. */
export interface Sink {
  /** One value, or the items of a list; a value with parameters is both. It was written from `from` to `to`. */
  member(
    key: string,
    form: Form,
    value: Bare | undefined,
    items: readonly CmcdItem[] | undefined,
    from: number,
    to: number,
  ): void
  bad(code: 'KEY_INVALID' | 'VALUE_MALFORMED', key: string, got: string): void
}

const COMMA = 44
const EQUALS = 61
const QUOTE = 34
const BACKSLASH = 92
const OPEN = 40
const CLOSE = 41
const SEMICOLON = 59
const QUESTION = 63
const COLON = 58
const NO_ITEMS: readonly CmcdItem[] = []

/** Reads one value after another; where it stands, and what it found, are its only state. */
export class Scanner {
  private text = ''
  private at = 0
  /** Something in this record never closes: looked for once, and not again from every member on. */
  private lax = false
  private noQuoteFrom = Number.POSITIVE_INFINITY
  private form: Form = 'flag'
  private value: Bare | undefined
  private items: readonly CmcdItem[] | undefined

  scan(text: string, sink: Sink): void {
    this.text = text
    this.at = 0
    this.lax = false
    this.noQuoteFrom = Number.POSITIVE_INFINITY
    const end = text.length
    let members = 0
    while (this.at < end) {
      this.blanks()
      if (this.at >= end) return
      if (this.code() === COMMA) {
        this.at++
        continue
      }
      if (members++ >= CMCD_LIMITS.keysPerRecordMax) {
        sink.bad('KEY_INVALID', '', text.slice(this.at, this.at + CMCD_LIMITS.gotCharsMax))
        return
      }
      this.member(sink)
    }
  }

  private member(sink: Sink): void {
    const start = this.at
    const key = this.key()
    this.blanks()
    const next = this.code()
    if (key === '' || key.length > CMCD_LIMITS.keyCharsMax || !(ends(next) || next === EQUALS || next === SEMICOLON)) {
      const got = this.rest(start)
      sink.bad('KEY_INVALID', '', got)
      return
    }
    if (next === EQUALS) {
      this.at++
      this.blanks()
    }
    const from = this.at
    if (next === EQUALS ? this.any() : this.flag()) {
      const to = this.at
      this.blanks()
      if (ends(this.code())) {
        sink.member(key, this.form, this.value, this.items, from, to)
        return
      }
      this.at = from
    }
    // A text without quotes that the grammar knows no name for, such as 7f0c-… or a/b c.
    const got = this.rest(from)
    const first = got.charCodeAt(0)
    if (got !== '' && first !== QUOTE && first !== OPEN && first !== QUESTION && !got.includes('"')) {
      sink.member(key, 'word', got, undefined, from, from + got.length)
    } else sink.bad('VALUE_MALFORMED', key, got)
  }

  private flag(): boolean {
    this.form = 'flag'
    this.value = true
    return this.parameters()
  }

  private any(): boolean {
    if (this.code() === OPEN) return this.list()
    this.items = undefined
    return this.bare() && this.parameters()
  }

  /** After a single value: what follows makes it a list of one. */
  private parameters(): boolean {
    this.items = undefined
    if (this.code() !== SEMICOLON) return true
    const { form, value } = this
    const params = this.readParameters()
    if (params === undefined) return false
    this.form = form
    this.value = value
    this.items = [{ value: value as Bare, params }]
    return true
  }

  private list(): boolean {
    this.at++
    const items: CmcdItem[] = []
    for (;;) {
      this.blanks()
      const next = this.code()
      if (Number.isNaN(next) || items.length > CMCD_LIMITS.itemsPerListMax) return false
      if (next === CLOSE) {
        this.at++
        if (this.code() === SEMICOLON && this.readParameters() === undefined) return false
        this.form = 'list'
        this.value = undefined
        this.items = items.length === 0 ? NO_ITEMS : items
        return true
      }
      // Some players put commas between items.
      if (next === COMMA && items.length > 0) {
        this.at++
        continue
      }
      if (!this.bare()) return false
      const value = this.value as Bare
      const params = this.code() === SEMICOLON ? this.readParameters() : NO_PARAMETERS
      if (params === undefined) return false
      items.push({ value, params: params === NO_PARAMETERS ? undefined : params })
    }
  }

  private readParameters(): Readonly<Record<string, Bare>> | undefined {
    // No name of a parameter begins with an underscore: a plain object will do.
    let params: Record<string, Bare> | undefined
    let count = 0
    while (this.code() === SEMICOLON) {
      if (count++ >= CMCD_LIMITS.parametersMax) return undefined
      this.at++
      this.blanks()
      const name = this.key()
      if (name === '') return undefined
      const isFlag = this.code() !== EQUALS
      if (isFlag && count === 1 && this.code() !== SEMICOLON && FLAGS.has(name)) return FLAGS.get(name)
      params ??= {}
      params[name] = true
      if (isFlag) continue
      this.at++
      if (!this.bare()) return undefined
      params[name] = this.value as Bare
    }
    return params
  }

  private bare(): boolean {
    const first = this.code()
    if (first === QUOTE) return this.quoted()
    if (first === QUESTION) return this.boolean()
    if (first === COLON) return this.bytes()
    if (first === 45 || isDigit(first)) return this.number()
    if (isLetter(first) || first === 42) return this.word()
    return false
  }

  private quoted(): boolean {
    const { text } = this
    const start = ++this.at
    if (start >= this.noQuoteFrom) return false
    let parts = ''
    let from = start
    for (; this.at < text.length; this.at++) {
      const code = text.charCodeAt(this.at)
      if (code === BACKSLASH) {
        const next = text.charCodeAt(this.at + 1)
        if (next !== QUOTE && next !== BACKSLASH) continue
        parts += text.slice(from, this.at)
        from = ++this.at
      } else if (code === QUOTE) {
        this.value = parts === '' ? text.slice(from, this.at) : parts + text.slice(from, this.at)
        this.form = 'quoted'
        this.at++
        return true
      }
    }
    this.noQuoteFrom = start
    return false
  }

  private boolean(): boolean {
    const digit = this.text.charCodeAt(this.at + 1)
    if (digit !== 48 && digit !== 49) return false
    this.at += 2
    this.value = digit === 49
    this.form = 'boolean'
    return true
  }

  private bytes(): boolean {
    const close = this.text.indexOf(':', this.at + 1)
    if (close < 0) return false
    this.value = this.text.slice(this.at + 1, close)
    if (!/^[\w+/=-]*$/.test(this.value)) return false
    this.at = close + 1
    this.form = 'bytes'
    return true
  }

  private number(): boolean {
    const { text } = this
    const start = this.at
    if (this.code() === 45) this.at++
    const digits = this.at
    while (isDigit(this.code())) this.at++
    if (this.at === digits) return false
    if (this.code() === 46) {
      const point = ++this.at
      while (isDigit(this.code())) this.at++
      if (this.at === point) return false
    }
    if (this.at - start > 32) return false
    this.value = Number(text.slice(start, this.at))
    this.form = 'number'
    return true
  }

  private word(): boolean {
    const start = this.at++
    while (isWordCode(this.code())) this.at++
    this.value = this.text.slice(start, this.at)
    this.form = 'word'
    return true
  }

  private key(): string {
    const start = this.at
    if (!isKeyStart(this.code())) return ''
    this.at++
    while (isKeyCode(this.code())) this.at++
    return this.text.slice(start, this.at)
  }

  /**
   * To the comma that ends this member: one outside of quotes and brackets, or, because those may never close, one that
   * a key of the standard follows.
   */
  private rest(from: number): string {
    const { text } = this
    let inQuotes = false
    let depth = 0
    let end = this.lax ? text.indexOf(',', from) : from
    if (end < 0) end = text.length
    for (; end < text.length; end++) {
      const code = text.charCodeAt(end)
      if (code === BACKSLASH && inQuotes) end++
      else if (code === QUOTE) inQuotes = !inQuotes
      else if (code === COMMA && ((!inQuotes && depth <= 0) || begins(text, end + 1))) break
      else if (inQuotes) continue
      else if (code === OPEN) depth++
      else if (code === CLOSE) depth--
    }
    if (end >= text.length && (inQuotes || depth > 0)) {
      end = text.indexOf(',', from)
      this.lax = true
    }
    this.at = end < 0 || end > text.length ? text.length : end
    return text.slice(from, this.at).trim()
  }

  private blanks(): void {
    while (isBlank(this.code())) this.at++
  }

  private code(): number {
    return this.text.charCodeAt(this.at)
  }
}

/** The types of objects stand at nearly every item. */
const FLAGS: ReadonlyMap<string, Readonly<Record<string, Bare>>> = new Map(
  ['v', 'a', 'av'].map((name) => [name, { [name]: true }]),
)
const NO_PARAMETERS: Readonly<Record<string, Bare>> = {}

/** Whether one of the standard's keys stands here, with its value. */
function begins(text: string, at: number): boolean {
  const equals = text.slice(at, at + LONGEST_KEY).indexOf('=')
  return equals >= 0 && TERMS.has(text.slice(at, at + equals).trim())
}

const LONGEST_KEY = 8

function ends(code: number): boolean {
  return code === COMMA || Number.isNaN(code)
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9 || code === 13 || code === 0xa0 || code === 0xfeff
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90)
}

function isKeyStart(code: number): boolean {
  return (code >= 97 && code <= 122) || code === 42
}

/** Letters a-z, digits, and _ - . * */
function isKeyCode(code: number): boolean {
  return (code >= 97 && code <= 122) || isDigit(code) || code === 45 || code === 46 || code === 95 || code === 42
}

const WORD = /[!#$%&'*+\-.^_`|~\w:/]/
const WORD_CODES: readonly boolean[] = Array.from({ length: 128 }, (_, code) => WORD.test(String.fromCharCode(code)))

function isWordCode(code: number): boolean {
  return WORD_CODES[code] === true
}
