/** Every limit of api/tokens/, by name, in one place. */
export const TOKEN_LIMITS = {
  /** A longer token is refused unread. Login tokens with many claims stay below this; so do URLs that carry one. */
  tokenCharsMax: 8_192,
  claimCharsMax: 128,
  /** How far the issuer's clock may be ahead of ours: for nbf and iat. exp has no leeway. */
  leewayMs: 60_000,
  /** Verified tokens that are remembered until they expire. */
  rememberedTokensMax: 20_000,
  rememberedCharsMax: 16 * 1024 * 1024,
  playbackTtlMs: 6 * 3_600_000,
  secretCharsMin: 32,
  /** JWKS: an unknown kid makes us look again, but never more often than this. */
  jwksRefetchMs: 30_000,
  /** While no key was ever got: how soon the next try may be. */
  jwksFirstRetryMs: 2_000,
  /** Older keys are fetched anew in the background, so that a withdrawn one ends. */
  jwksMaxAgeMs: 600_000,
  jwksTimeoutMs: 5_000,
  jwksBytesMax: 256 * 1024,
  jwksKeysMax: 100,
  rsaBitsMin: 2_048,
} as const
