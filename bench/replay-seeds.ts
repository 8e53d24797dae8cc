/** How many seeds of the whole engine's simulation are run in a minute, one process for each of two cores. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { BenchOptions, Measured } from './bench.ts'

const CHILD = fileURLToPath(new URL('./replay-seeds-child.ts', import.meta.url))
const PROCESSES = 2

export async function runSeeds({ quick }: BenchOptions): Promise<readonly Measured[]> {
  const seconds = quick ? 1 : 30
  const children = Array.from({ length: PROCESSES }, (_, n) => {
    return fork(CHILD, [String(n + 1), String(PROCESSES)], { execArgv: ['--import', 'tsx'] })
  })
  try {
    // The first of each also loads and compiles it.
    await Promise.all(children.map(firstSeed))
    let seeds = 0
    for (const child of children) child.on('message', () => seeds++)
    const began = performance.now()
    await delay(seconds * 1_000)
    const aMinute = (seeds * 60_000) / (performance.now() - began)
    const name = `simulation of the whole engine, ${PROCESSES} processes`
    return [{ name, ours: aMinute, unit: 'seeds/min', bar: { atLeast: 200, of: 'ours' }, note: `${seeds} seeds` }]
  } finally {
    await Promise.all(children.map(ended))
  }
}

async function firstSeed(child: ChildProcess): Promise<void> {
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`a simulation ended with ${code} before its first seed was over`)
  })
  await Promise.race([once(child, 'message'), failed])
  failed.catch(() => undefined)
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const over = once(child, 'exit')
  child.kill('SIGKILL')
  await over
}
