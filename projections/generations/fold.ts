/**
 * A projection's generations as a set of facts: that one was asked for, what was last done to it, and who was promoted
 * when. Each fact carries the stamp of its event, and of two of one kind the newer counts, so that order of arrival
 * decides nothing. A generation that was dropped stays dropped: its id is never used again.
 */
import type { EventOf, PlayheadEvent } from '../../schemas/index.ts'
import { isNewer, keptMs, newest, type Stamp, stampOf } from '../stamp.ts'
import { BOOK_LIMITS } from './limits.ts'
import { type BookRow, GENERATION_ACTIONS, type GenerationRow, type GenerationStatus } from './row.ts'

interface Asked extends Stamp {
  readonly foldVersion: number
  readonly parameters: Readonly<Record<string, number>>
  readonly build: string | null
  readonly untilMs: number | null
  readonly by: string | null
  readonly reason: string | null
}

interface Known {
  /** Undefined: an action came before the request. */
  readonly asked?: Asked
  readonly status?: Stamp & { readonly is: GenerationStatus }
  readonly rate?: Stamp & { readonly recordsPerSecond: number | null }
}

interface Promoted extends Stamp {
  readonly id: string
  readonly digest: string | null
  readonly by: string | null
  readonly reason: string | null
}

export interface Book {
  readonly known: Readonly<Record<string, Known>>
  readonly promoted: readonly Promoted[]
}

export type BookEvent = EventOf<'GenerationRequested' | 'GenerationPromoted' | 'OperatorActed'>

const SUBJECT = /^projection:(.+)$/
const NOTHING: Book = { known: {}, promoted: [] }
const ACTIONS: ReadonlySet<string> = new Set(Object.values(GENERATION_ACTIONS))

export function projectionOf(event: PlayheadEvent): string | undefined {
  if (event.type === 'GenerationRequested' || event.type === 'GenerationPromoted') return event.projection
  if (event.type !== 'OperatorActed' || !ACTIONS.has(event.action) || event.details.generation === undefined) return
  return SUBJECT.exec(event.subject)?.[1]
}

export function foldBook(book: Book = NOTHING, event: BookEvent): Book {
  const stamp = stampOf(event.meta)
  switch (event.type) {
    case 'GenerationPromoted':
      return { ...book, promoted: withPromotion(book.promoted, stamp, event) }
    case 'GenerationRequested':
      return withKnown(book, event.generationId, (held) => withRequest(held, stamp, event))
    case 'OperatorActed':
      return withKnown(book, event.details.generation!, (held) => withAction(held, stamp, event))
  }
}

function withPromotion(
  held: readonly Promoted[],
  stamp: Stamp,
  { generationId: id, digest, by, reason }: EventOf<'GenerationPromoted'>,
): readonly Promoted[] {
  const next: Promoted = { ...stamp, id, digest, by, reason }
  const others = held.filter(({ eventId }) => eventId !== stamp.eventId)
  const same = held.find(({ eventId }) => eventId === stamp.eventId)
  const all = [...others, newest(same, next)].sort((a, b) => (isNewer(a, b) ? 1 : -1))
  return all.slice(-BOOK_LIMITS.promotionsMax)
}

function withKnown(book: Book, id: string, change: (held: Known) => Known): Book {
  const known = { ...book.known, [id]: change(book.known[id] ?? {}) }
  const ids = Object.keys(known)
  if (ids.length > BOOK_LIMITS.generationsMax) {
    const age = (name: string) => known[name]!.asked ?? known[name]!.status ?? known[name]!.rate
    const oldest = ids.reduce((a, b) => (isNewer(age(a)!, age(b)) ? b : a))
    delete known[oldest]
  }
  return { ...book, known }
}

function withRequest(held: Known, stamp: Stamp, event: EventOf<'GenerationRequested'>): Known {
  const { foldVersion, parameters, build, until, recordsPerSecond, by, reason } = event
  const untilMs = until === null ? null : keptMs(until)
  const asked: Asked = { ...stamp, foldVersion, parameters: sorted(parameters), build, untilMs, by, reason }
  return {
    ...held,
    asked: newest(held.asked, asked),
    rate: newest(held.rate, { ...stamp, recordsPerSecond }),
  }
}

function withAction(held: Known, stamp: Stamp, { action, details }: EventOf<'OperatorActed'>): Known {
  if (action === GENERATION_ACTIONS.rate) {
    const wanted = Number(details.recordsPerSecond)
    const recordsPerSecond = Number.isSafeInteger(wanted) && wanted > 0 ? wanted : null
    return { ...held, rate: newest(held.rate, { ...stamp, recordsPerSecond }) }
  }
  const is =
    action === GENERATION_ACTIONS.drop ? 'dropped' : action === GENERATION_ACTIONS.pause ? 'paused' : 'building'
  return { ...held, status: stronger(held.status, { ...stamp, is }) }
}

/** Dropped is for good, whatever else was said, then or later. */
function stronger(held: Known['status'], next: NonNullable<Known['status']>): NonNullable<Known['status']> {
  if (held === undefined || (held.is === 'dropped') === (next.is === 'dropped')) return newest(held, next)
  return held.is === 'dropped' ? held : next
}

function sorted(parameters: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Generations that were only acted on, and never asked for, are left out. */
export function bookRowOf(projection: string, { known, promoted }: Book): BookRow {
  const generations = Object.entries(known).flatMap(([id, { asked, status, rate }]): (GenerationRow & Stamp)[] => {
    if (asked === undefined) return []
    const { atMs, eventId, foldVersion, parameters, build, untilMs, by, reason } = asked
    const recordsPerSecond = rate?.recordsPerSecond ?? null
    const is = status?.is ?? 'building'
    const resumedAtMs = status?.is === 'building' ? status.atMs : null
    const about = { foldVersion, parameters, build, untilMs, recordsPerSecond, by, reason }
    return [{ id, ...about, status: is, resumedAtMs, askedAtMs: atMs, atMs, eventId }]
  })
  generations.sort((a, b) => (isNewer(a, b) ? 1 : -1))
  return {
    projection,
    generations: generations.map(({ atMs: _at, eventId: _id, ...row }) => row),
    promotions: promoted.map(({ id, atMs, eventId, digest, by, reason }) => ({
      id,
      atMs,
      eventId,
      digest,
      by,
      reason,
    })),
  }
}
