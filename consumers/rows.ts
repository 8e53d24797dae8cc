/** Rows on their way to one landing table, as JSONCompactEachRow text: built once, the same bytes in every retry. */
import type { Cell, Landing } from '../projections/projection.ts'

const FLUSH_CHARS = 256 * 1024

export class LandingBody {
  readonly landing: Landing
  readonly columns: readonly string[]
  readonly #prefix: string
  readonly #chunks: Buffer[] = []
  #text = ''
  rows = 0
  /** Rows that stand when the batch is done (sign +1): what a repair can look for. */
  standing = 0

  constructor(landing: Landing, owner: string, term: bigint) {
    this.landing = landing
    this.columns = ['owner', 'term', ...landing.columns]
    this.#prefix = `[${JSON.stringify(owner)},${term}`
  }

  add(cells: readonly Cell[], sign: 1 | -1 = 1): void {
    let line = this.#prefix
    for (const cell of cells) line += `,${cellText(cell)}`
    this.#text += `${line}]\n`
    this.rows++
    if (sign === 1) this.standing++
    if (this.#text.length > FLUSH_CHARS) this.#flush()
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

const NEEDS_ESCAPE = /["\\\p{Cc}\p{Cs}]/u

function cellText(cell: Cell): string {
  if (typeof cell === 'string') return NEEDS_ESCAPE.test(cell) ? JSON.stringify(cell) : `"${cell}"`
  if (cell === null) return 'null'
  if (typeof cell === 'object') return `[${cell.map(cellText).join(',')}]`
  return String(cell)
}
