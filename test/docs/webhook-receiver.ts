/** What docs/alerts.md shows to whoever receives webhooks: the page quotes the part between the marks. */
// docs: begin
import { createHmac, timingSafeEqual } from 'node:crypto'

/** `body` is the raw text of the request, before it is parsed; `nowSeconds` the receiver's clock. */
export function verified(secret: string, header: string, body: string, nowSeconds: number): boolean {
  const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header) ?? []
  if (t === undefined || v1 === undefined) return false
  const wanted = createHmac('sha256', secret).update(`${t}.${body}`).digest()
  return timingSafeEqual(Buffer.from(v1, 'hex'), wanted) && Math.abs(nowSeconds - Number(t)) <= 300
}
// docs: end
