/** The report of a long run, as a page of docs/. */
import { INVARIANTS } from './invariants.ts'
import type { Outcome } from './outcome.ts'
import type { Bug } from './planted.ts'

export interface Report {
  readonly outcome: Outcome
  readonly tookMs: number
  readonly cpuMs: number
  /** With the seed that found it; undefined: none did. */
  readonly bugs: readonly { readonly name: string; readonly bug: Bug; readonly seed: number | undefined }[]
}

export function reportOf({ outcome, tookMs, cpuMs, bugs }: Report): string {
  const { first, seeds, found, counts } = outcome
  const last = first + seeds - 1
  const faults = [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, times]) => [what, grouped(times)] as const)
  const planted = bugs.map(({ name, bug, seed }) => [`\`${name}\``, bug.what, seed === undefined ? 'none' : `${seed}`])
  const result =
    found.length === 0
      ? 'No seed found a violation.'
      : found.map(({ seed, wrong }) => `- seed ${seed}: ${wrong.join('; ')}`).join('\n')
  return `${INTRODUCTION}
## The run
| | |
| --- | --- |
| seeds | ${grouped(seeds)} (${first} to ${last}) |
| violations | ${found.length} |
| seeds a minute | ${grouped(perMinute(seeds, tookMs))} by the clock, ${grouped(perMinute(seeds, cpuMs))} a minute of processor time |
| command | \`npm run simulate:faults -- --seeds ${seeds} --report docs/simulation.md\` |

${result}

## What is checked after each seed
${INVARIANTS.map((each) => `- ${each}`).join('\n')}

A control (the same evening with nothing going wrong but what players do) must pass too.

## What happened in it
${table(['what', 'times'], faults)}

## What it has found
${FOUND.map((each) => `- ${each}`).join('\n')}

Each has a test that needs no luck (\`test/sim/rules-found.test.ts\`).

## Planted bugs, and the first seed that finds each
${table(['name', 'what is broken', 'found by seed'], planted)}
`
}

/** In the engine itself, since there is the simulation of all of it; mended. */
const FOUND: readonly string[] = [
  'A copy of an erasure, from a send whose answer was lost, erased again in `at`, `why` and `verify`; in the tables it did not.',
  'A generation whose group could not be joined at the first try was never run by that process until it was restarted.',
  'A consumer whose clock was set back by an hour while it waited slept an hour after its next batch, and said it was well.',
  'Who promoted a generation while somebody else dropped it made readers read tables that were gone.',
  'A process of the API that had slept for longer than a dropped generation keeps its tables read them as it woke.',
  'Tables of a dropped generation went before readers could go over, where the generation that is read had not passed it yet.',
  'A clock that was set back by an hour held up the drop of tables for an hour; one set ahead dropped them at once.',
]

const INTRODUCTION = `# Deterministic simulation
The log, the stores and the processes' network, clocks and chance are simulated; everything else is the engine itself: the
producers, the consumers' runtime with the real projections, the keeper of the book of generations, the readers' pointers,
the operator's commands. One seed decides all of it: which projections take part, what is posted, what fails when. The same
seed is the same run, to the last event. How it is made: \`test/sim/run.ts\`. This page is written by
\`npm run simulate:faults\`; don't edit it.

\`\`\`
npm run simulate:faults                          # 300 seeds, as in npm test
npm run simulate:faults -- --seed 142 --verbose  # one seed, with what happened in it
npm run simulate:faults -- --forever             # until Ctrl-C, or until a seed finds something
npm run simulate:faults -- --planted off-by-one-seek
\`\`\`
`

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function perMinute(seeds: number, ms: number): number {
  return ms === 0 ? 0 : Math.round((seeds * 60_000) / ms)
}

function grouped(n: number): string {
  return n.toLocaleString('en-US')
}
