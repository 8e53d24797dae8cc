/**
 * `playhead up` inside the demo: the same supervisor, on the demo's folder, with its log read instead of shown. States:
 * starting → ready (the API has said where it is) → over (Ctrl-C, or a role was given up). Signals are `up`'s own.
 */
import type { Args } from '../args.ts'
import type { Io } from '../command.ts'
import { up } from '../commands/up.ts'
import { LEVELS, type LogLine, lineSplitter } from '../output.ts'

export interface DemoEngine {
  /** Where the API is; undefined: the engine ended before it was ready. */
  readonly ready: Promise<string | undefined>
  /** The exit code, when everything has ended. */
  readonly over: Promise<number>
}

export function startDemoEngine(args: Args, io: Io, onTrouble: (line: string) => void): DemoEngine {
  let found: (url: string | undefined) => void = () => undefined
  const ready = new Promise<string | undefined>((resolve) => {
    found = resolve
  })
  const lines = lineSplitter((text) => {
    const { role, msg, url, level } = JSON.parse(text) as LogLine
    if (role === 'api' && msg === 'ready' && typeof url === 'string') found(url)
    if (level >= (LEVELS.error ?? 50)) onTrouble(`${role}: ${msg}`)
  })
  // As to a program: then it writes a line of JSON for each thing it says.
  const quiet: Io = { ...io, tty: false, out: (text) => lines.push(text) }
  const over = up.run(args, quiet).finally(() => found(undefined))
  return { ready, over }
}
