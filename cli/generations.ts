/**
 * Which generations this process runs and which are read: pure, from the book and the settings.
 *
 * A projection's generations, by what the book says of them:
 * - *read*: promoted last. Until anybody was promoted, the *usual* one: this release's fold with the settings' parameters;
 * - *building*: asked for, neither paused nor dropped, and never promoted: it folds from the log's start, then follows;
 * - *resting*: promoted once and no longer read (it stays as it was, for a way back, until it is resumed), paused or
 *   dropped: nobody runs it.
 * Other settings make another usual generation: it is built beside the one that is read, and promoted by the engine
 * itself when it has caught up; what an operator promoted stays until the settings change again.
 *
 * A generation that this release can't make again (another log's, a fold version it no longer has) is *strange*: not run,
 * and told.
 */
import type { Book } from '../consumers/book.ts'
import { type Build, type Generation, generationOf, groupOf } from '../consumers/generation.ts'
import type { BookRow, GenerationRow } from '../projections/generations/row.ts'
import { generationsV1 } from '../projections/generations/v1.ts'
import type { Projection } from '../projections/projection.ts'
import { definedGroups, type FoldSettings, foldOf, type LiveGroup, usualProjections } from './projections.ts'

export interface ProjectionPlan {
  readonly name: string
  readonly usual: Generation
  /** What readers read. */
  readonly read: Generation
  /** What runs, the read one first. */
  readonly running: readonly Generation[]
  /** The book does not say yet that the usual one is read. */
  readonly begins: boolean
  /** Built for new settings: to be promoted once it has caught up. */
  readonly promotes: Generation | undefined
  /** Ids that are read or wanted, and can't be run by this release. */
  readonly strange: readonly string[]
}

export function planOf(settings: FoldSettings, book: Book, incarnation: string): readonly ProjectionPlan[] {
  return usualProjections(settings).map((projection) => {
    const usual = generationOf(projection, incarnation)
    return planFor(usual, book.get(projection.name), settings, incarnation)
  })
}

function planFor(
  usual: Generation,
  row: BookRow | undefined,
  settings: FoldSettings,
  incarnation: string,
): ProjectionPlan {
  const { name } = usual.projection
  const asked = row?.generations ?? []
  const made = new Map(asked.map((one) => [one.id, generationFrom(name, one, settings, incarnation)]))
  made.set(usual.id, made.get(usual.id) ?? usual)
  const promotions = row?.promotions ?? []
  const promoted = promotions.map(({ id }) => id)
  // Who promotes what another drops at the same time must not make readers read tables that are gone.
  const dropped = new Set(asked.filter(({ status }) => status === 'dropped').map(({ id }) => id))
  const ours = promoted.filter((id) => made.get(id) !== undefined && !dropped.has(id))
  const readId = ours.at(-1)
  const read = (readId !== undefined && made.get(readId)) || usual
  const stopped = new Set(asked.filter(({ status }) => status !== 'building').map(({ id }) => id))
  const lastMs = promotions.at(-1)?.atMs ?? 0
  // Asked for again since: the way back.
  const resumed = new Set(asked.filter((one) => (one.resumedAtMs ?? -1) >= lastMs).map(({ id }) => id))
  const building = [...asked.map(({ id }) => id), usual.id].filter(
    (id) => id !== read.id && !stopped.has(id) && (!promoted.includes(id) || resumed.has(id)),
  )
  const running = [read, ...[...new Set(building)].flatMap((id) => made.get(id) ?? [])]
  const strange = [...building, ...promoted.slice(-1)].filter((id) => made.get(id) === undefined)
  const isNew = building.includes(usual.id) && !promoted.includes(usual.id)
  const promotes = readId !== undefined && isNew ? made.get(usual.id) : undefined
  return { name, usual, read, running, begins: readId === undefined, promotes, strange: [...new Set(strange)] }
}

/** Undefined: what this release would make of it is not what it is. */
export function generationFrom(
  name: string,
  { id, foldVersion, parameters, build, untilMs, recordsPerSecond }: GenerationRow,
  settings: FoldSettings,
  incarnation: string,
): Generation | undefined {
  const projection: Projection | undefined = foldOf(name, foldVersion, parameters, settings)
  if (projection === undefined) return undefined
  const own: Build | undefined =
    build === null
      ? undefined
      : {
          name: build,
          ...(untilMs !== null && { untilMs }),
          ...(recordsPerSecond !== null && { recordsPerSecond }),
        }
  const generation = generationOf(projection, incarnation, own)
  return generation.id === id ? generation : undefined
}

/** What runs and is not read. */
export function buildsOf(plans: readonly ProjectionPlan[]): readonly Generation[] {
  return plans.flatMap(({ read, running }) => running.filter(({ id }) => id !== read.id))
}

/** What is read, and what runs beside it by the settings; the usual definitions come first. */
export function groupsRead(settings: FoldSettings, book: Book, incarnation: string): readonly LiveGroup[] {
  const usual = planOf(settings, book, incarnation).map(({ read }) => {
    return { generation: read, group: groupOf(read), definition: undefined }
  })
  return [...usual, ...definedGroups(settings, incarnation)]
}

/** Everything that the consumers run. */
export function runningOf(settings: FoldSettings, book: Book, incarnation: string): readonly Generation[] {
  return [
    ...ownGenerations(incarnation),
    ...planOf(settings, book, incarnation).flatMap(({ running }) => running),
    ...definedGroups(settings, incarnation).map(({ generation }) => generation),
  ]
}

/** The book's own: it is what says what the others are, and is never built beside itself. */
export function ownGenerations(incarnation: string): readonly Generation[] {
  return [generationOf(generationsV1() as Projection, incarnation)]
}
