/** Which of our fields a name in a log means: by --map, by the format's own names, or because it is called alike. */
import { namesOf } from '../import/rows.ts'
import { INGEST_LIMITS } from './limits.ts'
import { LINE_FIELDS, type Preset } from './presets.ts'

interface Meant {
  readonly ours: string
  /** The smaller one counts where two names of a line mean the same. */
  readonly rank: number
}

export class LogNames {
  readonly #find: (theirs: string) => string | undefined
  readonly #ranks: ReadonlyMap<string, number>
  readonly #known = new Map<string, Meant | undefined>()
  readonly unknown: ReadonlySet<string>
  /** A field of CMCD may be called anything here: no line can be passed over for not having the word in it. */
  readonly mapsCmcd: boolean

  constructor(preset: Preset, maps: readonly string[], command: string) {
    const own = preset.names.flatMap(([ours, ...theirs]) => theirs.map((name) => `${name}=${ours}`))
    const names = namesOf(LINE_FIELDS, [...own, ...maps], command)
    const ranks = new Map<string, number>()
    for (const [, ...theirs] of preset.names) for (const [i, name] of theirs.entries()) ranks.set(name, i + 1)
    for (const map of maps) ranks.set(map.slice(0, map.lastIndexOf('=')).trim(), 0)
    this.#find = names.ours
    this.#ranks = ranks
    this.unknown = names.unknown
    this.mapsCmcd = maps.some((map) => map.slice(map.lastIndexOf('=') + 1).startsWith('cmcd'))
  }

  of(theirs: string): Meant | undefined {
    if (this.#known.has(theirs)) return this.#known.get(theirs)
    const ours = this.#find(theirs)
    const meant = ours === undefined ? undefined : { ours, rank: this.#ranks.get(theirs) ?? Number.MAX_SAFE_INTEGER }
    if (this.#known.size < INGEST_LIMITS.namesMax) this.#known.set(theirs, meant)
    return meant
  }
}

/** The fields of one line as they come in; what says nothing (`-`, nothing at all) is none. */
export class LineFields {
  readonly #names: LogNames
  readonly #ranks = new Map<string, number>()
  readonly fields = new Map<string, unknown>()

  constructor(names: LogNames) {
    this.#names = names
  }

  /** Says whether the name is known, whatever the value. */
  add(theirs: string, value: unknown): boolean {
    const meant = this.#names.of(theirs)
    if (meant === undefined) return false
    if (isNothing(value) || meant.rank >= (this.#ranks.get(meant.ours) ?? Number.POSITIVE_INFINITY)) return true
    this.#ranks.set(meant.ours, meant.rank)
    this.fields.set(meant.ours, value)
    return true
  }
}

export function isNothing(value: unknown): boolean {
  return value === null || value === undefined || value === '' || value === '-' || value === '(null)'
}
