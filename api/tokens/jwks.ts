/**
 * The keys of a JWKS document, kept.
 *
 * States: *empty* (never got) → *held*. A token with a kid that is not held makes us load again, at most once in
 * jwksRefetchMs however many ask; keys older than jwksMaxAgeMs are loaded anew behind a request that does not wait.
 * `revision` grows when the document changed: what was verified before must be verified again, so that a withdrawn key
 * ends.
 *
 * What can fail: a load. The held keys then stay in force and it is said once; with none held, a token can't be judged
 * (KEYS_AWAY, which is not the token's fault).
 */
import { TokenError } from './errors.ts'
import { isNameOf, type TokenKey } from './jwt.ts'
import { parseJwks } from './keys.ts'
import { TOKEN_LIMITS } from './limits.ts'

export interface JwksPorts {
  /** The document's text. */
  readonly load: () => Promise<string>
  readonly nowMs: () => number
  readonly warn: (message: string) => void
}

export class Jwks {
  /** What was verified under another revision does not count. */
  revision = 0
  private keys: readonly TokenKey[] | undefined
  private text = ''
  private triedAtMs = Number.NEGATIVE_INFINITY
  private loading: Promise<void> | undefined
  private failing = false
  private readonly ports: JwksPorts

  constructor(ports: JwksPorts) {
    this.ports = ports
  }

  /** Undefined: there is no such key. Throws KEYS_AWAY when that can't be known. */
  async find(alg: string, kid: string | undefined): Promise<TokenKey | undefined> {
    const found = this.held(alg, kid)
    if (found !== undefined) {
      this.refreshIfOld()
      return found
    }
    await this.load(this.keys === undefined ? TOKEN_LIMITS.jwksFirstRetryMs : TOKEN_LIMITS.jwksRefetchMs)
    if (this.keys === undefined) throw new TokenError('KEYS_AWAY', 'The keys that check tokens can not be reached.')
    return this.held(alg, kid)
  }

  /** Without waiting; for a caller that remembers what it verified. */
  refreshIfOld(): void {
    if (this.ports.nowMs() - this.triedAtMs >= TOKEN_LIMITS.jwksMaxAgeMs) void this.load(0)
  }

  /** Without a kid only a key that is the one of its kind will do. */
  private held(alg: string, kid: string | undefined): TokenKey | undefined {
    const fitting = (this.keys ?? []).filter((key) => isNameOf(alg, key.algorithm))
    if (kid !== undefined) return fitting.find((key) => key.kid === kid)
    return fitting.length === 1 ? fitting[0] : undefined
  }

  private load(pauseMs: number): Promise<void> {
    if (this.loading !== undefined) return this.loading
    if (this.ports.nowMs() - this.triedAtMs < pauseMs) return Promise.resolve()
    this.triedAtMs = this.ports.nowMs()
    this.loading = this.replace().finally(() => {
      this.loading = undefined
    })
    return this.loading
  }

  private async replace(): Promise<void> {
    try {
      const text = await this.ports.load()
      if (text !== this.text || this.keys === undefined) {
        this.keys = parseJwks(text)
        this.text = text
        this.revision++
      }
      this.failing = false
    } catch (error) {
      if (!this.failing) this.ports.warn(`The JWKS can't be loaded, what was held stays: ${(error as Error).message}`)
      this.failing = true
    }
  }
}
