/**
 * From the members of a record to its values: what each key is due, and what was meant where it was written otherwise.
 * Some of it depends on the version, which stands anywhere in the record: that is settled when the record is finished.
 */
import { CMCD_LIMITS } from './limits.ts'
import {
  type Bare,
  type CmcdItem,
  type CmcdValue,
  cut,
  type Fault,
  type FaultCode,
  type Ignored,
  type Reading,
} from './reading.ts'
import type { Form, Sink } from './scanner.ts'
import { CUSTOM_CHARS_MAX, HEADER_OF, isCustomKey, NEWEST_VERSION, TERMS, type Term } from './vocabulary.ts'

/** What one mode asks for beside the grammar. */
export type Mode = 'event' | 'request'

const PRINTABLE = /^[\x20-\x7e]*$/
const NUMERIC = /^-?\d{1,15}(?:\.\d+)?$/

export class RecordReader implements Sink {
  private readonly values = new Map<string, CmcdValue>()
  private faults: Fault[] = NO_FAULTS
  /** Keys whose form only one of the versions has. */
  private readonly lists: string[] = []
  private readonly scalars: string[] = []
  private readonly newKeys: string[] = []
  private known = false
  private text = ''
  private from = 0
  private to = 0
  private item: Bare | undefined
  private header: string | undefined

  /** What `member` is told next comes from here. */
  begin(text: string, header?: string): void {
    this.text = text
    this.header = header
  }

  member(
    key: string,
    form: Form,
    value: Bare | undefined,
    items: readonly CmcdItem[] | undefined,
    from: number,
    to: number,
  ): void {
    const { values } = this
    this.from = from
    this.to = to
    if (values.has(key)) this.fault('KEY_TWICE', key)
    const term = TERMS.get(key)
    if (this.header !== undefined && term !== undefined) {
      const due = HEADER_OF.get(key)
      if (due !== undefined && due !== this.header) this.fault('HEADER_WRONG', key, this.header)
    }
    if (term === undefined) {
      this.foreign(key, form, value, items)
      return
    }
    if (!term.inV1) this.newKeys.push(key)
    const read = this.read(term, key, form, value, items)
    if (read === undefined) return
    this.known = true
    values.set(key, read)
  }

  bad(code: 'KEY_INVALID' | 'VALUE_MALFORMED', key: string, got: string): void {
    this.fault(code, key, got)
  }

  /** Without `got` it is what stands in the record. */
  fault(code: FaultCode, key: string, got: string = this.source()): void {
    if (this.faults.length >= CMCD_LIMITS.faultsPerRecordMax) return
    if (this.faults === NO_FAULTS) this.faults = []
    this.faults.push({ code, key, got: cut(got, CMCD_LIMITS.gotCharsMax) })
  }

  /** What is being read, as it was written; of a list's item, which is known by its value only, that. */
  private source(): string {
    return this.item === undefined ? this.text.slice(this.from, this.to) : String(this.item)
  }

  finish(raw: string, mode: Mode): Reading {
    const version = this.version(mode)
    const { values } = this
    if (version > NEWEST_VERSION) return this.reading(raw, version, 'version')
    if (!this.known) return this.reading(raw, version, 'empty')
    if (version === 1) {
      for (const key of this.lists) this.fault('VALUE_LIST', key, '')
      for (const key of values.has('v') || mode === 'request' ? this.newKeys : []) this.fault('KEY_VERSION', key, '')
    } else for (const key of this.scalars) this.fault('VALUE_NOT_LIST', key, '')
    if (mode === 'event') this.required()
    return this.reading(raw, version)
  }

  private reading(raw: string, version: number, ignored?: Ignored): Reading {
    const { values, faults } = this
    return ignored === undefined ? { raw, version, values, faults } : { raw, version, values, faults, ignored }
  }

  private version(mode: Mode): number {
    const v = this.values.get('v')
    if (v === undefined) {
      if (mode === 'event' && this.known) this.fault('VERSION_MISSING', 'v', '')
      return 1
    }
    if (typeof v === 'number' && v >= 1 && v <= CMCD_LIMITS.int32Max) return v
    this.fault('VERSION_INVALID', 'v', String(v))
    return 1
  }

  private required(): void {
    const { values } = this
    const event = values.get('e')
    if (event === undefined) this.fault('REQUIRED_MISSING', 'e', '')
    if (!values.has('ts')) this.fault('REQUIRED_MISSING', 'ts', '')
    const key = typeof event === 'string' ? REQUIRED_WITH.get(event) : undefined
    if (key !== undefined && !values.has(key)) this.fault('REQUIRED_MISSING', key, '')
  }

  /** Custom keys are anybody's, and unknown ones are kept beside them: a later version may explain them. */
  private foreign(key: string, form: Form, value: Bare | undefined, items: readonly CmcdItem[] | undefined): void {
    if (!isCustomKey(key)) this.fault('KEY_UNKNOWN', key)
    else if (typeof value === 'string' && value.length > CUSTOM_CHARS_MAX) this.fault('VALUE_TOO_LONG', key, value)
    // More digits than a number holds are an id.
    const text = form === 'number' && this.to - this.from > 15 ? this.source() : value
    this.values.set(key, items ?? (text as Bare))
  }

  private read(
    term: Term,
    key: string,
    form: Form,
    value: Bare | undefined,
    items: readonly CmcdItem[] | undefined,
  ): CmcdValue | undefined {
    if (term.kind === 'numbers' || term.kind === 'texts') return this.listOf(term, key, form, value, items)
    if (form !== 'list') return this.scalar(term, key, form, value as Bare)
    this.fault('VALUE_LIST', key)
    const first = items?.[0]?.value
    return first === undefined ? undefined : this.itemOf(term, key, first)
  }

  private listOf(
    term: Term,
    key: string,
    form: Form,
    value: Bare | undefined,
    items: readonly CmcdItem[] | undefined,
  ): readonly CmcdItem[] | undefined {
    if (form === 'list') {
      if (term.scalarInV1) this.lists.push(key)
    } else this.scalars.push(key)
    if (items === undefined) {
      const read = this.scalar(term, key, form, value as Bare)
      return read === undefined ? undefined : [{ value: read, params: undefined }]
    }
    const taken: CmcdItem[] = []
    for (const item of items) {
      const read = this.itemOf(term, key, item.value)
      if (read === item.value) taken.push(item)
      else if (read !== undefined) taken.push({ value: read, params: item.params })
    }
    return taken.length === 0 ? undefined : taken
  }

  private itemOf(term: Term, key: string, value: Bare): Bare | undefined {
    this.item = value
    const read = this.scalar(term, key, formOf(value), value)
    this.item = undefined
    return read
  }

  private scalar(term: Term, key: string, form: Form, value: Bare): Bare | undefined {
    switch (term.kind) {
      case 'text':
      case 'texts':
        return this.textOf(term, key, form, value)
      case 'token':
        return this.tokenOf(term, key, form, value)
      case 'boolean':
        return this.booleanOf(key, value)
      default:
        return this.numberOf(term, key, value)
    }
  }

  private textOf(term: Term, key: string, form: Form, value: Bare): string | undefined {
    if (typeof value === 'boolean') {
      this.fault('VALUE_TYPE', key)
      return undefined
    }
    const text = typeof value === 'string' ? value : this.source()
    if (form !== 'quoted') this.fault('VALUE_UNQUOTED', key, text)
    if (term.charsMax !== undefined && text.length > term.charsMax) this.fault('VALUE_TOO_LONG', key, text)
    if (!PRINTABLE.test(text)) this.fault('VALUE_CHARACTERS', key, text)
    return text
  }

  private tokenOf(term: Term, key: string, form: Form, value: Bare): string | undefined {
    if (typeof value !== 'string' || value === '') {
      this.fault('VALUE_TYPE', key)
      return undefined
    }
    if (form === 'quoted') this.fault('VALUE_QUOTED', key, value)
    if (term.tokens?.has(value) === false) this.fault('VALUE_UNKNOWN', key, value)
    return value
  }

  private booleanOf(key: string, value: Bare): boolean | undefined {
    if (typeof value === 'boolean') return value
    const meant = MEANT.get(value)
    this.fault(meant === undefined ? 'VALUE_TYPE' : 'VALUE_BOOLEAN', key)
    return meant
  }

  private numberOf(term: Term, key: string, value: Bare): number | undefined {
    let number = value
    if (typeof number === 'string' && NUMERIC.test(number)) {
      this.fault('VALUE_QUOTED', key, number)
      number = Number(number)
    }
    if (typeof number !== 'number') {
      this.fault('VALUE_TYPE', key)
      return undefined
    }
    if (!(number >= term.min && Math.abs(number) <= term.max)) {
      this.fault('VALUE_RANGE', key)
      return undefined
    }
    if (term.kind !== 'integer' || Number.isInteger(number)) return number
    this.fault('VALUE_NOT_INTEGER', key)
    return Math.round(number)
  }
}

const NO_FAULTS: Fault[] = []
const REQUIRED_WITH: ReadonlyMap<string, string> = new Map([
  ['ps', 'sta'],
  ['e', 'ec'],
  ['ce', 'cen'],
  ['rr', 'url'],
])
const MEANT: ReadonlyMap<Bare, boolean> = new Map<Bare, boolean>([
  ['true', true],
  ['false', false],
  [1, true],
  [0, false],
])

/** How an item of a list was written, which its value tells; a word among texts is told by nobody, and let pass. */
function formOf(value: Bare): Form {
  return typeof value === 'string' ? 'quoted' : typeof value === 'number' ? 'number' : 'boolean'
}
