/**
 * Rows on their way to one landing table, as TabSeparated text: built once, the same bytes in every retry. (A cell of JSON
 * needs no escaping there, and ClickHouse reads it faster than rows of JSON.)
 */
import type { TopicPartition } from '../log/log.ts'
import type { Cell, Landing } from '../projections/projection.ts'

const FLUSH_CHARS = 256 * 1024

export class LandingBody {
  readonly landing: Landing
  readonly columns: readonly string[]
  readonly #prefix: string
  readonly #chunks: Buffer[] = []
  #text = ''
  readonly #last: string[] = []
  readonly #lastText: string[] = []
  rows = 0
  /** Rows that stand when the batch is done (sign +1): what a repair can look for. */
  standing = 0

  constructor(landing: Landing, term: bigint) {
    this.landing = landing
    this.columns = ['term', ...landing.columns]
    this.#prefix = `${term}`
  }

  add(cells: readonly Cell[]): void {
    this.#line(this.#prefix + this.textOf(cells), 1)
  }

  /** A row with its sign; `text` are its other cells as `textOf` says them. */
  addSigned({ topic, partition }: TopicPartition, rowKey: string, version: number, sign: 1 | -1, text: string): void {
    const key = NEEDS_ESCAPE.test(rowKey) ? escaped(rowKey) : rowKey
    this.#line(`${this.#prefix}\t${topic}\t${partition}\t${key}\t${version}\t${sign}${text}`, sign)
  }

  /** Cells as they stand in a line, each with a tab before it. */
  textOf(cells: readonly Cell[]): string {
    let line = ''
    for (let i = 0; i < cells.length; i++) {
      const cell = cells[i]!
      line += typeof cell === 'string' ? `\t${this.#escaped(cell, i)}` : `\t${cellText(cell)}`
    }
    return line
  }

  #line(line: string, sign: 1 | -1): void {
    this.#text += `${line}\n`
    this.rows++
    if (sign === 1) this.standing++
    if (this.#text.length > FLUSH_CHARS) this.#flush()
  }

  /** Many columns hold the same text row after row; it is looked through once. */
  #escaped(cell: string, column: number): string {
    if (cell === this.#last[column]) return this.#lastText[column]!
    this.#last[column] = cell
    const text = cellText(cell)
    this.#lastText[column] = text
    return text
  }

  bytes(): Buffer {
    this.#flush()
    if (this.#chunks.length !== 1) this.#chunks.splice(0, this.#chunks.length, Buffer.concat(this.#chunks))
    return this.#chunks[0]!
  }

  #flush(): void {
    if (this.#text.length > 0) this.#chunks.push(Buffer.from(this.#text))
    this.#text = ''
  }
}

const NEEDS_ESCAPE = /[\\\t\n\r]/
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

function cellText(cell: Cell): string {
  if (typeof cell === 'string') return NEEDS_ESCAPE.test(cell) ? escaped(cell) : cell
  if (cell === null) return '\\N'
  if (typeof cell === 'object') return elementText(cell)
  return String(cell)
}

/** Within an array ClickHouse wants strings in quotes. */
function elementText(cell: Cell): string {
  if (typeof cell === 'string') return `'${escaped(cell).replaceAll("'", "\\'")}'`
  if (cell === null) return 'NULL'
  if (typeof cell === 'object') return `[${cell.map(elementText).join(',')}]`
  return String(cell)
}

function escaped(text: string): string {
  return text.replace(/[\\\t\n\r]/g, (c) => ESCAPES[c]!)
}
