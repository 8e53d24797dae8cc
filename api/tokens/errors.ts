/** Why a token is not taken. The words are for its owner: they never repeat the token. */
export type TokenFault = 'MALFORMED' | 'NOT_TRUSTED' | 'EXPIRED' | 'NOT_YET' | 'CLAIM' | 'KEYS_AWAY'

export class TokenError extends Error {
  readonly fault: TokenFault
  constructor(fault: TokenFault, message: string) {
    super(message)
    this.name = 'TokenError'
    this.fault = fault
  }
}
