/**
 * The audit, always on: for each partition, what the commit record says must stand (Σ hash(key, version)) against what
 * stands in ClickHouse (Σ sign·hash(key, version)). A loss, a doubling or a swap of rows shows as a difference.
 */
import type { AnalyticsStore } from '../stores/analytics.ts'
import type { CommitKey, CommitRecord } from '../stores/state.ts'
import type { Generation } from './generation.ts'

export interface AuditFinding {
  readonly key: CommitKey
  readonly checkpoint: bigint
  readonly expected: bigint
  readonly found: bigint
}

/** Where an audit may begin: everything below was audited before and, in a journal, never changes again. */
export interface AuditMark {
  readonly checkpoint: bigint
  readonly sum: bigint
}

export const AUDIT_FROM_START: AuditMark = { checkpoint: 0n, sum: 0n }

/** Undefined: the tables agree with the record. The record must be idle (no intent) and its owner must not write meanwhile. */
export async function audit(
  analytics: AnalyticsStore,
  { projection }: Generation,
  database: string,
  key: CommitKey,
  record: CommitRecord,
  mark: AuditMark = AUDIT_FROM_START,
): Promise<AuditFinding | undefined> {
  if (projection.landings.length === 0 || record.checkpoint <= mark.checkpoint) return undefined
  let found = mark.sum
  for (const { target } of projection.landings) {
    const { sum } = await analytics.audit(`${database}.${target}`, key, mark.checkpoint, record.checkpoint - 1n)
    found += sum
  }
  if (found === record.audit) return undefined
  return { key, checkpoint: record.checkpoint, expected: record.audit, found }
}
