/** Runs `work` for every item, at most `limit` at once; the answers are in order. After a failure nothing new begins. */
export async function inParallel<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const answers: R[] = new Array(items.length)
  let next = 0
  let failed = false
  async function lane(): Promise<void> {
    while (next < items.length && !failed) {
      const at = next++
      try {
        answers[at] = await work(items[at]!)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  // All lanes are awaited, so that nothing of a failed call is still under way when it rejects.
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, lane))
  for (const outcome of lanes) if (outcome.status === 'rejected') throw outcome.reason
  return answers
}
