/** What the commands of replay have in common: the engines, who asks, and refusals as errors of use. */
import { type Args, UsageError } from '../args.ts'
import type { Io } from '../command.ts'
import { loadConfig } from '../config.ts'
import { type OpenReplay, withReplay } from './open.ts'
import { Refused } from './operator.ts'

export async function inReplay<T>(io: Io, command: string, use: (replay: OpenReplay) => Promise<T>): Promise<T> {
  const { config } = loadConfig(io.env)
  try {
    return await withReplay(config, use)
  } catch (error) {
    if (error instanceof Refused) throw new UsageError(error.message, command)
    throw error
  }
}

export function whoAsks(args: Args) {
  return { by: 'command line', reason: args.value('reason') ?? null }
}
