/** `playhead token`: a profile token for demos and tests, as the customer's backend would make it. */
import { claimsOf } from '../../api/tokens/claims.ts'
import { signJwt } from '../../api/tokens/jwt.ts'
import { secretKey } from '../../api/tokens/keys.ts'
import { TOKEN_LIMITS } from '../../api/tokens/limits.ts'
import { tokenSecrets } from '../admission.ts'
import { type Args, UsageError } from '../args.ts'
import { type Command, JSON_FLAG } from '../command.ts'
import { loadConfig } from '../config.ts'
import { CLI_LIMITS } from '../limits.ts'
import type { Config } from '../settings.ts'

const UNITS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const

export const token: Command = {
  name: 'token',
  about: `Your own backend makes these for your viewers; this one is for trying things out. It is signed with
PLAYHEAD_TOKEN_SECRET, else with the secret that the API of this data folder uses. Send it as Authorization: Bearer TOKEN.`,
  flags: [
    { name: 'profile', value: 'ID', help: 'Whose token it is.' },
    { name: 'account', value: 'ID', help: 'Account that the profile belongs to [the profile]' },
    { name: 'plan', value: 'PLAN', help: 'basic, standard, premium, or one of yours [standard]' },
    { name: 'region', value: 'REGION', help: 'Such as DE.' },
    { name: 'ttl', value: 'TIME', help: 'How long it is valid: 90s, 15m, 1h, 7d [1h]' },
    JSON_FLAG,
  ],
  examples: ['playhead token --profile ann', 'playhead token --profile ann --account smith --plan premium --ttl 7d'],
  run: async (args, io) => {
    const { config } = loadConfig(io.env)
    const made = mintProfileToken(config, args, Date.now())
    io.out(args.has('json') ? `${JSON.stringify(made, undefined, 2)}\n` : `${made.token}\n`)
    return 0
  },
}

function mintProfileToken(config: Config, args: Args, nowMs: number) {
  const [secret] = tokenSecrets(config).profile
  if (secret === undefined) {
    throw new UsageError(
      'Tokens are made by the owner of PLAYHEAD_TOKEN_JWKS; there is no secret to sign with.',
      'token',
    )
  }
  const profile = id(args, 'profile')
  if (profile === undefined) throw new UsageError('`playhead token` wants --profile ID.', 'token')
  const account = id(args, 'account') ?? profile
  const plan = id(args, 'plan') ?? 'standard'
  const region = id(args, 'region')
  const iat = Math.floor(nowMs / 1000)
  const exp = iat + ttlSeconds(args.value('ttl') ?? '1h')
  const claims = {
    ...claimsOf({ profile, account, plan, ...(region !== undefined && { region }) }, config.tokenClaims),
    ...(config.tokenIssuer !== undefined && { iss: config.tokenIssuer }),
    ...(config.tokenAudience !== undefined && { aud: config.tokenAudience }),
    iat,
    exp,
  }
  return { token: signJwt(claims, secretKey(secret)), expiresAt: new Date(exp * 1000).toISOString() }
}

function id(args: Args, flag: string): string | undefined {
  const value = args.value(flag)
  if (value === undefined || (value.length >= 1 && value.length <= TOKEN_LIMITS.claimCharsMax)) return value
  throw new UsageError(`--${flag}: 1 to ${TOKEN_LIMITS.claimCharsMax} characters.`, 'token')
}

function ttlSeconds(text: string): number {
  const [, number, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const seconds = Number(number ?? 0) * UNITS[(unit ?? 's') as keyof typeof UNITS]
  if (seconds >= 1 && seconds <= CLI_LIMITS.demoTokenSecondsMax) return seconds
  const days = CLI_LIMITS.demoTokenSecondsMax / UNITS.d
  throw new UsageError(`--ttl: "${text}" is no time such as 90s, 15m, 1h or 7d (${days}d at most).`, 'token')
}
