/** Long work on many records lets others have a turn now and then: writes under way, heartbeats, health checks. */
export const BREATHE_EVERY = 1_000

export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
