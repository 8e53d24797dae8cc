/** Parsers of the settings about alerts. A list of webhooks holds secrets: what is wrong is told without a word of it. */
import { endpointsOf, type Webhook, WebhookInvalid, webhooksFrom } from '../consumers/alerts/endpoints.ts'
import type { Parser } from './addresses.ts'

export const webhookList: Parser<readonly Webhook[]> = (text) => {
  try {
    const webhooks = webhooksFrom(text)
    endpointsOf(webhooks)
    return { ok: true, value: webhooks }
  } catch (error) {
    if (!(error instanceof WebhookInvalid)) throw error
    return { ok: false, wanted: `a JSON list of {"url", "secret"}: ${error.message}` }
  }
}
