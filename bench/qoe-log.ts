/** log → all tables of quality of experience, in a process with the options that `playhead up` gives its consumers. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { FOLDING } from '../cli/commands/up.ts'
import type { BenchOptions, Measured } from './bench.ts'

const CHILD = fileURLToPath(new URL('./qoe-log-child.ts', import.meta.url))

export async function run({ quick }: BenchOptions): Promise<Measured[]> {
  const child = fork(CHILD, [quick ? 'quick' : 'full'], { execArgv: ['--import', 'tsx', ...FOLDING] })
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`the benchmark ended with ${code} before it had a figure`)
  })
  const [measured] = (await Promise.race([once(child, 'message'), failed])) as [Measured]
  failed.catch(() => undefined)
  await once(child, 'exit')
  return [measured]
}
