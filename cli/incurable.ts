/** Errors that a restart can't cure, told with the setting that can. */
import { ConfigError } from './config.ts'
import { KeysError } from './key-file.ts'

export class Incurable extends Error {
  readonly code = 'INCURABLE'
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Incurable'
  }
}

export function isIncurable(error: unknown): error is Error {
  return error instanceof Incurable || error instanceof ConfigError || error instanceof KeysError
}

/** Runs `listen` and names the setting if the address can't be had. */
export async function orNameSetting<T>(
  host: string,
  port: number,
  setting: string,
  listen: () => Promise<T>,
): Promise<T> {
  try {
    return await listen()
  } catch (error) {
    const why = portTrouble(error, host, port)
    if (why === undefined) throw error
    throw new Incurable(`${why} Set ${setting} to another port, or end what uses it.`, { cause: error })
  }
}

function portTrouble(error: unknown, host: string, port: number): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') return `Port ${port} on ${host} is in use.`
  if (code === 'EACCES') return `Port ${port} on ${host} needs more rights.`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `${host} is no address of this machine.`
  return undefined
}
