import { mayPass } from '../../consumers/retry.ts'

/** As a patient caller does: again, after whatever `between` does, until it is done or refused for good. */
export async function untilItPasses<T>(attempt: () => Promise<T>, between: () => Promise<void>): Promise<T> {
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (!mayPass(error)) throw error
      await between()
    }
  }
}
