/** The rows of a view, made again only where they changed: a minute that is done is the same object from then on. */
import type { Cell, Landing, SignedRow } from '../projection.ts'
import { type Counters, shown } from './counters.ts'
import type { Facts } from './facts.ts'
import type { ViewsParameters } from './limits.ts'
import { type Shown, sliceCells, sliceHead, viewCells } from './metrics.ts'
import { AT } from './numbers.ts'
import { SLICE_COLUMNS, VIEW_COLUMNS } from './row.ts'
import type { Slice } from './slices.ts'
import type { Timeline } from './timeline.ts'
import type { Who } from './who.ts'

const PLACE = ['topic', 'partition', 'row_key', 'version', 'sign']

export const VIEWS_LANDING: Landing = {
  name: 'landing_views',
  target: 'views',
  columns: [...PLACE, ...Object.keys(VIEW_COLUMNS)],
}

export const SLICES_LANDING: Landing = {
  name: 'landing_view_slices',
  target: 'view_slices',
  columns: [...PLACE, ...Object.keys(SLICE_COLUMNS)],
}

interface Of {
  readonly who: Who
  readonly facts: Facts
  readonly counters: Counters
  readonly parameters: ViewsParameters
  readonly truncated: boolean
}

/** Its cells are made when somebody looks: a view of hours has hundreds of rows, and next to none of them changes again. */
class MinuteRow implements SignedRow {
  readonly #who: Who
  readonly #head: readonly Cell[]
  readonly #slice: Slice

  constructor(who: Who, head: readonly Cell[], slice: Slice) {
    this.#who = who
    this.#head = head
    this.#slice = slice
  }

  get landing(): Landing {
    return SLICES_LANDING
  }

  get rowKey(): string {
    return `s/${this.#who.viewId}/${this.#slice.minute}`
  }

  get cells(): readonly Cell[] {
    return sliceCells(this.#head, this.#slice)
  }
}

export class ShownRows {
  #rows: readonly SignedRow[] = []
  #cutId = -1
  #facts: Facts | undefined
  #counts: readonly number[] = []
  #truncated = false
  #head: readonly Cell[] = []
  #headStartedAt = -1
  #headErrorCode = ''
  #done: SignedRow[] = []

  rows(of: Of, timeline: Timeline): readonly SignedRow[] {
    const { who, facts, counters, truncated } = of
    const counts = shown(counters, timeline.shownNumbers[AT.over] === 1)
    const same = this.#cutId === timeline.cutId && this.#facts === facts && this.#truncated === truncated
    if (same && sameCounts(this.#counts, counts)) return this.#rows
    const cut = timeline.cut()
    const view: Shown = { ...of, cut }
    this.#renewHead(view)
    const { done } = timeline.slices
    for (let i = this.#done.length; i < cut.slicesDone; i++) this.#done.push(new MinuteRow(who, this.#head, done[i]!))
    const rows: SignedRow[] = [{ landing: VIEWS_LANDING, rowKey: who.rowKey, cells: viewCells(view) }]
    for (let i = 0; i < cut.slicesDone; i++) rows.push(this.#done[i]!)
    if (cut.slice !== undefined) rows.push(new MinuteRow(who, this.#head, cut.slice))
    this.#rows = rows
    this.#cutId = cut.id
    this.#facts = facts
    this.#counts = counts
    this.#truncated = truncated
    return rows
  }

  /** What all minutes share has changed: they are all made again. */
  #renewHead(view: Shown): void {
    const { startedAt, words } = view.cut
    const same = this.#headStartedAt === startedAt && this.#headErrorCode === words.errorCode
    if (same && this.#facts === view.facts) return
    this.#head = sliceHead(view)
    this.#headStartedAt = startedAt
    this.#headErrorCode = words.errorCode
    this.#done = []
  }
}

function sameCounts(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true
  return a.length === b.length && a.every((count, i) => count === b[i])
}
