/** A port of replay that answers what a test tells it to, and remembers what it was asked. */
import type { ReplayPort } from '../../api/replay/ports.ts'

export interface FakePort {
  readonly port: ReplayPort
  /** Each call: its name, and what it was given. */
  readonly calls: (readonly [string, ...unknown[]])[]
}

const GENERATION = {
  ...{ id: 'views_v1_0a0b0c0d', projection: 'views', state: 'building', foldVersion: 1 },
  ...{ parameters: { minStallMs: 500 }, build: 'friday', untilMs: null, recordsPerSecond: null },
  ...{ askedAtMs: 1_800_000_000_000, by: 'key ops', reason: null },
  standing: {
    ...{ done: 40n, total: 50n, lag: 10n, complete: false },
    counts: { folded: 38n, duplicates: 1n, parked: 1n, undecryptable: 0n },
  },
}
export const LETTER = {
  ...{ letter: 'views:playback-events/3@1234', projection: 'views', generation: 'views_v1_0a0b0c0d' },
  ...{ status: 'parked', cause: 'fold', detail: 'no', key: 'ann', receivedAtMs: 1_800_000_000_000 },
}
const MOVED = { id: GENERATION.id, before: 'views_v1_11111111' }
const ACTED = { letters: [LETTER.letter], left: [], more: false }

export function fakePort(own: Partial<ReplayPort> = {}): FakePort {
  const calls: [string, ...unknown[]][] = []
  const answers: ReplayPort = {
    generations: async () => [GENERATION],
    generation: async () => GENERATION,
    rebuild: async () => ({ id: GENERATION.id }),
    compare: async () => ({ first: MOVED.before, second: GENERATION.id, equal: true, states: null, tables: [] }),
    promote: async () => MOVED,
    rollback: async () => MOVED,
    act: async () => ({ id: GENERATION.id }),
    rate: async () => ({ id: GENERATION.id }),
    letters: async () => ({ letters: [LETTER], more: false }),
    letterGroups: async () => ({
      groups: [{ projection: 'views', cause: 'fold', letters: 1, first: LETTER.letter, detail: 'no' }],
      more: false,
    }),
    letter: async () => ({ ...LETTER, event: null, bytes: 2, hex: '0000' }),
    replayLetters: async () => ACTED,
    discardLetters: async () => ACTED,
    verify: async () => ({ projection: 'views', keys: 1, rows: 1, mismatches: [] }),
    history: async () => ({ generation: GENERATION.id, parameters: null, clockMs: null, states: [], steps: [] }),
    progressAt: async () => ({ row: undefined, clockMs: null }),
    ...own,
  }
  const remembering = Object.entries(answers).map(([name, answer]) => [
    name,
    (...given: readonly unknown[]) => {
      calls.push([name, ...given.filter((one) => !(one instanceof AbortSignal))])
      return (answer as (...given: readonly unknown[]) => unknown)(...given)
    },
  ])
  return { port: Object.fromEntries(remembering) as ReplayPort, calls }
}
