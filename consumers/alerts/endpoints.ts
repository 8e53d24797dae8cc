/** Where incidents are delivered to, as configured and checked. A URL may hold a secret, so only its host is ever shown. */
import { createHash } from 'node:crypto'
import { ALERT_LIMITS } from './limits.ts'

export interface Webhook {
  readonly url: string
  /** Signs every delivery. */
  readonly secret: string
}

export interface Endpoint extends Webhook {
  /** Names the endpoint in logs, metrics and its cursor: its host, and a hash of the whole. */
  readonly name: string
  readonly hash: string
}

export class WebhookInvalid extends Error {
  readonly code = 'WEBHOOK_INVALID'
  constructor(index: number | undefined, problem: string) {
    super(index === undefined ? `the list of webhooks ${problem}` : `webhook ${index + 1} ${problem}`)
    this.name = 'WebhookInvalid'
  }
}

/** JSON: `[{"url": "https://…", "secret": "…"}]`. What is wrong is told without a word of it. */
export function webhooksFrom(text: string | undefined): readonly Webhook[] {
  if (text === undefined || text.trim() === '') return []
  const list = listFrom(text)
  if (!Array.isArray(list)) throw new WebhookInvalid(undefined, 'is no JSON list of {"url", "secret"}')
  return list.map((item: unknown, i) => {
    const { url, secret, ...more } = (typeof item === 'object' && item !== null ? item : {}) as Record<string, unknown>
    const good = typeof url === 'string' && typeof secret === 'string' && Object.keys(more).length === 0
    if (!good) throw new WebhookInvalid(i, 'has to have "url" and "secret", both text, and nothing else')
    return { url, secret }
  })
}

/** Undefined: it is no JSON. The parser's message would quote it, and with it the secret. */
function listFrom(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function endpointsOf(webhooks: readonly Webhook[]): readonly Endpoint[] {
  if (webhooks.length > ALERT_LIMITS.webhooksMax) {
    throw new WebhookInvalid(ALERT_LIMITS.webhooksMax, `is one too many: at most ${ALERT_LIMITS.webhooksMax}`)
  }
  const seen = new Set<string>()
  return webhooks.map((webhook, i) => {
    const endpoint = endpointOf(webhook, i)
    if (seen.has(endpoint.hash)) throw new WebhookInvalid(i, 'is there twice')
    seen.add(endpoint.hash)
    return endpoint
  })
}

function endpointOf({ url, secret }: Webhook, index: number): Endpoint {
  const parsed = url.length <= ALERT_LIMITS.urlCharsMax && URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined) throw new WebhookInvalid(index, 'is no URL')
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')
    throw new WebhookInvalid(index, 'is not http or https')
  if (parsed.username !== '' || parsed.password !== '') {
    throw new WebhookInvalid(index, 'holds a user or a password: deliveries are signed instead')
  }
  if (secret.length < ALERT_LIMITS.secretCharsMin) {
    throw new WebhookInvalid(index, `has a secret of fewer than ${ALERT_LIMITS.secretCharsMin} characters`)
  }
  const hash = createHash('sha256').update(parsed.href).digest('hex').slice(0, 12)
  return { url: parsed.href, secret, hash, name: `${parsed.host}#${hash.slice(0, 6)}` }
}
