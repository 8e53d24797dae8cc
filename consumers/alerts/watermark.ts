/**
 * Up to which moment a projection has read: everything that the log received before it is in the projection's tables.
 * For a partition that is read to its end that is now; else it is when the first record that is not read was received.
 */
import type { EventLog, PartitionBounds, Position } from '../../log/log.ts'
import type { CommitStore } from '../../stores/state.ts'
import { ALERT_LIMITS } from './limits.ts'

export interface WatermarkPorts {
  readonly log: EventLog
  readonly commits: CommitStore
  readonly nowMs: () => number
}

export async function watermarkOf(ports: WatermarkPorts, generation: string, topic: string): Promise<number> {
  // Before the ends are read: what comes after them is later than this.
  const nowMs = ports.nowMs()
  const bounds = await ports.log.bounds(topic)
  const moments = await Promise.all(bounds.map((partition) => readUpTo(ports, generation, partition, nowMs)))
  return Math.min(nowMs, ...moments)
}

async function readUpTo(
  { log, commits }: WatermarkPorts,
  generation: string,
  { topic, partition, start, end }: PartitionBounds,
  nowMs: number,
): Promise<number> {
  const record = await commits.read({ generation, topic, partition })
  const next = (record?.checkpoint ?? start) as Position
  if (next >= end) return nowMs
  const answer = await log.read({
    ...{ topic, partition, from: next, recordsMax: 1, bytesMax: ALERT_LIMITS.readBytesMax, waitMs: 0 },
  })
  return answer.records[0]?.timestampMs ?? nowMs
}
