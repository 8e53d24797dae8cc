/** Ctrl-C and SIGTERM as an AbortSignal, for commands that run until they are told to stop. */
export function untilInterrupted(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort())
  return controller.signal
}
