/** What operators do with one generation, with what has to hold for it: for the command line and the API alike. */
import { REPLAY_LIMITS } from './limits.ts'
import type { ReplayPorts } from './open.ts'
import { Refused, type Shown } from './operator.ts'
import { type Standing, standingOf } from './standing.ts'

export interface Asking {
  readonly by: string
  readonly reason: string | null
}

type Pair = readonly [NonNullable<Shown['generation']>, NonNullable<Shown['generation']>]
type Acting = Pick<ReplayPorts, 'operator' | 'log' | 'state'>

export async function standingFor(
  { log, state }: Acting,
  { state: is, generation }: Shown,
): Promise<Standing | undefined> {
  return generation === undefined || is === 'dropped' ? undefined : await standingOf(log, state.commits, generation)
}

/** Of one projection, or all; those that were dropped only if asked for. */
export async function listed({ operator }: Acting, projection: string | undefined, all: boolean) {
  if (projection !== undefined) await operator.plan(projection)
  return (await operator.list()).filter(
    (one) => (projection === undefined || one.projection === projection) && (one.state !== 'dropped' || all),
  )
}

/** What may be read: it follows the log, runs, and is near its end. */
export async function promote(replay: Acting, shown: Shown, who: Asking): Promise<void> {
  const { operator } = replay
  if (shown.generation === undefined) throw strange()
  if (shown.row.untilMs !== null) {
    throw new Refused(
      'NOT_NOW',
      `${shown.id} ends at a moment and does not follow the log: it can be looked at, not read.`,
    )
  }
  if (shown.state !== 'building') {
    throw new Refused('NOT_NOW', `${shown.id} is ${shown.state}: \`playhead generations resume ${shown.id}\` first.`)
  }
  const { lag } = await standingOf(replay.log, replay.state.commits, shown.generation)
  if (lag > REPLAY_LIMITS.promoteLagMax) {
    throw new Refused('NOT_NOW', `${shown.id} is ${lag} events behind: wait until it has caught up.`)
  }
  await operator.promote(shown, null, who)
}

/** The generation that was read before the one that is. */
export async function readBefore({ operator }: Acting, projection: string): Promise<Shown> {
  const { read } = await operator.plan(projection)
  const ids = await operator.promotions(projection)
  const all = await operator.list()
  const found = ids
    .reverse()
    .flatMap((id) => all.filter((one) => one.id === id && id !== read.id && one.state !== 'dropped'))
  if (found[0]?.generation === undefined) {
    throw new Refused('NOT_NOW', `Nothing was read of ${projection} before ${read.id}: there is no way back.`)
  }
  return found[0]
}

export async function stopOrGo(
  { operator }: Acting,
  shown: Shown,
  word: 'pause' | 'resume' | 'drop',
  who: Asking,
): Promise<void> {
  if (shown.state === 'read' && word !== 'resume') {
    throw new Refused('NOT_NOW', `${shown.id} is what is read. Promote another one first.`)
  }
  if (shown.state === 'dropped') {
    throw new Refused('NOT_NOW', `${shown.id} is dropped, for good. Build another one.`)
  }
  await operator.act(shown, word, who)
}

/** What `id` is compared with: what is read, or `other`. */
export async function pairOf({ operator }: Acting, id: string, other: string | undefined): Promise<Pair> {
  const second = await operator.find(id)
  const plan = await operator.plan(second.projection)
  const first = other === undefined ? plan.read : (await operator.find(other)).generation
  if (first === undefined || second.generation === undefined) throw strange()
  if (first.projection.name !== second.projection) {
    throw new Refused('NOT_NOW', 'They are of different projections: there is nothing to compare.')
  }
  if (first.id === second.id) {
    throw new Refused('NOT_NOW', `${first.id} is what is read: name another one beside it.`)
  }
  return [first, second.generation]
}

export function strange(): Refused {
  return new Refused('NOT_NOW', "This release can't make that generation: use the one that made it.")
}
