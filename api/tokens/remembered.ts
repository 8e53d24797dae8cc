/** What was verified lately, by the token's own text, until it expires or the keys have changed. */
import { Recent } from '../recent.ts'
import { TOKEN_LIMITS } from './limits.ts'

interface Entry<T> {
  readonly value: T
  readonly expiresAtMs: number
  readonly revision: number
}

export class Remembered<T> {
  private readonly entries = new Recent<Entry<T>>(TOKEN_LIMITS.rememberedTokensMax, TOKEN_LIMITS.rememberedCharsMax)

  get(token: string, nowMs: number, revision: number): T | undefined {
    const entry = this.entries.get(token)
    return entry !== undefined && entry.expiresAtMs > nowMs && entry.revision === revision ? entry.value : undefined
  }

  put(token: string, value: T, expiresAtMs: number, revision: number): void {
    this.entries.put(token, { value, expiresAtMs, revision })
  }
}
