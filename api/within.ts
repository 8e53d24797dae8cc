/** Waits for an answer so long and no longer. */

/** `otherwise` once the time is up. A late rejection is then nobody's any more and is let go. */
export async function within<T, U>(timeoutMs: number, answer: Promise<T>, otherwise: U): Promise<T | U> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<U>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), timeoutMs)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
