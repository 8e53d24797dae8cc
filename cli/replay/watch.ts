/** Watches a build until it has come to its end, with a bar; whoever stops watching stops nothing. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Generation } from '../../consumers/generation.ts'
import { realWorld } from '../../consumers/retry.ts'
import { UsageError } from '../args.ts'
import type { Io } from '../command.ts'
import { progress } from '../progress.ts'
import { REPLAY_LIMITS } from './limits.ts'
import type { OpenReplay } from './open.ts'
import type { GenerationState, Operator } from './operator.ts'
import { type Standing, standingOf } from './standing.ts'

export type Watched = 'there' | 'interrupted' | 'paused' | 'dropped'

export async function watchBuild(
  { log, state, operator }: OpenReplay,
  generation: Generation,
  io: Io,
  signal: AbortSignal,
): Promise<{ readonly ended: Watched; readonly standing: Standing }> {
  const shown = progress(io, 'events', Date.now)
  let moved = { done: -1n, atMs: Date.now() }
  let told = false
  try {
    for (;;) {
      const standing = await standingOf(log, state.commits, generation)
      shown.show(standing.done, standing.total)
      if (standing.complete) return { ended: 'there', standing }
      if (signal.aborted) return { ended: 'interrupted', standing }
      const { state: now } = await operator.find(generation.id)
      if (now === 'paused' || now === 'dropped') return { ended: now, standing }
      if (standing.done !== moved.done) moved = { done: standing.done, atMs: Date.now() }
      if (!told && Date.now() - moved.atMs > REPLAY_LIMITS.stillMs) {
        told = true
        io.err(
          '\nNobody moves it: the consumers fold it, start them with `playhead up`; `playhead status` says more.\n',
        )
      }
      await realWorld.sleep(REPLAY_LIMITS.lookEveryMs, signal)
    }
  } finally {
    shown.end()
  }
}

/** The book learns of an act when the consumers have folded its event; without them nobody does. */
export async function bookSays(
  operator: Operator,
  id: string,
  states: readonly GenerationState[],
  command: string,
): Promise<void> {
  for (const until = Date.now() + REPLAY_LIMITS.bookWaitMs; Date.now() < until; ) {
    if ((await operator.list()).some((one) => one.id === id && states.includes(one.state))) return
    await sleep(REPLAY_LIMITS.lookEveryMs)
  }
  const remedy = 'No consumers run: start them with `playhead up` and call this again.'
  throw new UsageError(`Nobody took the request. ${remedy}`, command)
}
