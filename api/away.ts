/** Reads that a write can do without: bounded in time, and a store that is away is an answer. */
import { isAway } from './position.ts'
import { within } from './within.ts'

/** `otherwise` if the answer takes longer than this or its store is away; what nobody expected still throws. */
export async function orWhenAway<T, O>(answer: Promise<T>, timeoutMs: number, otherwise: O): Promise<T | O> {
  try {
    return await within(timeoutMs, answer, otherwise)
  } catch (error) {
    if (isAway(error)) return otherwise
    throw error
  }
}
