/**
 * How a receiver knows that a delivery is ours and is not an old one sent again: HMAC-SHA256 over the time and the
 * body, under a secret that both know. docs/alerts.md shows how to check it.
 */
import { createHmac } from 'node:crypto'

export const SIGNATURE_HEADER = 'playhead-signature'

export function signatureOf(secret: string, atMs: number, body: string): string {
  const t = Math.floor(atMs / 1000)
  const v1 = createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')
  return `t=${t},v1=${v1}`
}
