/** From the items of a batch to reports, or to what is wrong with each: pure but for the memory of keys. */
import type { Claim } from '../../producers/stamp.ts'
import type { PlayedRange } from '../../schemas/index.ts'
import { type Idempotency, scoped } from '../idempotency.ts'
import { check, type FieldProblem, readTime } from '../validation.ts'
import { BatchItem } from './shapes.ts'

export type TakenItem =
  | { readonly ok: true; readonly item: BatchItem; readonly claim: Claim; readonly again: boolean }
  | { readonly ok: false; readonly titleId: string | null; readonly wrong: FieldProblem }

export interface BatchScope {
  readonly scope: string
  /** The request's own Idempotency-Key, which items without an id of their own are counted by. */
  readonly key: { readonly name: string; readonly again: boolean } | undefined
}

export function takeItem(
  idempotency: Idempotency,
  { scope, key }: BatchScope,
  given: unknown,
  index: number,
): TakenItem {
  const checked = check(BatchItem, given)
  if (!checked.ok) return { ok: false, titleId: titleOf(given), wrong: checked.wrong }
  const item = checked.value
  const refuse = (wrong: FieldProblem): TakenItem => ({ ok: false, titleId: item.titleId, wrong })
  const time = readTime('clientTimestamp', item.clientTimestamp)
  if (!time.ok) return refuse(time.wrong)
  const wrong = wrongRange(item.played)
  if (wrong !== undefined) return refuse(wrong)
  const occurred = time.value === undefined ? {} : { occurredAtMs: time.value }
  if (item.eventId !== undefined) {
    return { ok: true, item, again: false, claim: { eventId: item.eventId, ...occurred } }
  }
  if (item.idempotencyKey !== undefined) {
    const seen = idempotency.item(scope, item.idempotencyKey, item)
    if (seen === 'reused') {
      return refuse({ field: 'idempotencyKey', problem: 'was used for another item', remedy: 'Send a new key.' })
    }
    const claim = { idempotencyKey: scoped(scope, item.idempotencyKey), ...occurred }
    return { ok: true, item, again: seen === 'again', claim }
  }
  if (key === undefined) return { ok: true, item, again: false, claim: occurred }
  return { ok: true, item, again: key.again, claim: { idempotencyKey: `${key.name}#${index}`, ...occurred } }
}

export function wrongRange(played: readonly PlayedRange[] | undefined): FieldProblem | undefined {
  const index = played?.findIndex(({ fromMs, toMs }) => toMs < fromMs) ?? -1
  if (index < 0) return undefined
  return { field: `played[${index}].toMs`, problem: 'is before fromMs', remedy: 'Send where playing ended.' }
}

function titleOf(given: unknown): string | null {
  const titleId = (given as { readonly titleId?: unknown } | null)?.titleId
  return typeof titleId === 'string' && titleId.length <= 128 ? titleId : null
}
