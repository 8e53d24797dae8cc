/** What a row of views says, by what it means, whichever of its columns says it; null: nothing. */
import { RowRejected } from './problem.ts'
import type { Fields } from './rows.ts'
import { booleanOf, idOf, numberOf, optionalId, type TimeRules, timeOf } from './values.ts'
import { MUX_NAMES, type Said } from './view-columns.ts'

const TEXT_CHARS_MAX = 256
/** A year: what is longer is a wrong unit. */
export const MS_MAX = 366 * 24 * 3_600_000
export const COUNT_MAX = 2 ** 31 - 1

export class ViewFields {
  readonly #fields: Fields

  constructor(fields: Fields) {
    this.#fields = fields
  }

  /** The name under which the row says it. */
  name(what: Said): string | undefined {
    return MUX_NAMES[what].find((name) => this.#fields.has(name))
  }

  neededId(what: Said): string {
    return idOf(this.#fields, this.name(what) ?? MUX_NAMES[what][0])
  }

  id(what: Said): string | null {
    const name = this.name(what)
    return name === undefined ? null : (optionalId(this.#fields, name) ?? null)
  }

  text(what: Said, charsMax = TEXT_CHARS_MAX): string | null {
    const name = this.name(what)
    if (name === undefined) return null
    const value = this.#fields.get(name)
    const text = typeof value === 'number' ? String(value) : value
    if (typeof text !== 'string') throw new RowRejected(name, 'is no text', 'Wanted: a text.')
    // What is too long for a dimension is cut; half a character has no UTF-8 and is replaced.
    return Buffer.from(text.slice(0, charsMax)).toString()
  }

  boolean(what: Said): boolean | null {
    const name = this.name(what)
    return name === undefined ? null : (booleanOf(this.#fields, name) ?? null)
  }

  /** Anything but nothing, 0 or false is there. */
  is(what: Said): boolean {
    return MUX_NAMES[what].some((name) => {
      const value = this.#fields.get(name)
      return value !== undefined && !['', '0', 'false'].includes(String(value).toLowerCase())
    })
  }

  ms(what: Said): number | null {
    return this.whole(what, MS_MAX)
  }

  count(what: Said): number | null {
    return this.whole(what, COUNT_MAX)
  }

  whole(what: Said, max: number, times = 1): number | null {
    const name = this.name(what)
    const number = name === undefined ? undefined : numberOf(this.#fields, name)
    if (name === undefined || number === undefined) return null
    const whole = Math.round(number * times)
    if (whole >= 0 && whole <= max) return whole
    throw new RowRejected(name, 'is out of range', `Wanted: 0 to ${max / times}.`)
  }

  /** A fraction of 1, or up to 100. */
  scoreMilli(what: Said): number | null {
    const name = this.name(what)
    const score = name === undefined ? undefined : numberOf(this.#fields, name)
    if (name === undefined || score === undefined) return null
    if (score >= 0 && score <= 100) return Math.round(score <= 1 ? score * 100_000 : score * 1_000)
    throw new RowRejected(name, 'is no score', 'Wanted: 0 to 1, or to 100.')
  }

  neededTime(what: Said, rules: TimeRules): number {
    return this.time(what, rules) ?? timeOf(this.#fields, MUX_NAMES[what][0], rules)
  }

  time(what: Said, rules: TimeRules): number | null {
    const name = this.name(what)
    if (name === undefined) return null
    const value = this.#fields.get(name)
    // Protobuf's JSON.
    const seconds =
      typeof value === 'object' && value !== null && 'seconds' in value ? Number(value.seconds) : undefined
    return seconds === undefined ? timeOf(this.#fields, name, rules) : timeOf(new Map([[name, seconds]]), name, rules)
  }
}
