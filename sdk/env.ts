/** What the SDK needs of its surroundings; a test brings its own. */
import type { Tell } from './problem.ts'

export interface Env {
  readonly fetch: typeof fetch
  /** For pages that go, where keepalive is not known. */
  readonly beacon?: ((url: string, body: string) => boolean) | undefined
  readonly now: () => number
  readonly random: () => number
  /** Returns how to call it off. */
  readonly later: (run: () => void, ms: number) => () => void
  readonly tell: Tell
}
