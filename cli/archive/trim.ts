/**
 * Removes from the live log what is in an archive, and refuses anything that would be missed: records that are in no
 * file, files that are not sound, and records that a generation which runs has not folded.
 */
import type { ArchivedFile } from '../../log/archive/manifest.ts'
import { manifestOf, verifyArchive } from '../../log/archive/verify.ts'
import type { EventLog, PartitionBounds, Position } from '../../log/log.ts'
import { UsageError } from '../args.ts'

export interface TrimRun {
  readonly log: EventLog
  readonly folder: string
  /** What was received before this, by the log's clock, goes: whole files of it. */
  readonly beforeMs: number
  /** How far each generation that runs has folded a partition. */
  readonly folded: () => Promise<readonly Folded[]>
  readonly dryRun: boolean
  readonly signal: AbortSignal
  readonly progress: (done: bigint, total: bigint) => void
  /** For messages. */
  readonly command: string
}

export interface Folded {
  readonly generation: string
  readonly topic: string
  readonly partition: number
  readonly checkpoint: Position
}

export interface Trimmed {
  readonly topic: string
  readonly partition: number
  readonly start: Position
  readonly to: Position
}

export async function trimLog(run: TrimRun): Promise<readonly Trimmed[]> {
  const plan = await planOf(run)
  refuseUnfolded(plan, await run.folded(), run.command)
  const goes = (file: ArchivedFile) =>
    plan.some(
      (p) => p.topic === file.topic && p.partition === file.partition && file.next > p.start && file.next <= p.to,
    )
  const { log, folder, signal, progress, command } = run
  const { complete, damaged } = await verifyArchive({ log, folder, signal, progress, wanted: goes })
  if (damaged.length > 0) {
    const which = damaged.map(({ problem }) => problem).join('; ')
    throw new UsageError(`Nothing was removed: ${which}`, command)
  }
  if (!complete || run.dryRun) return complete ? plan : []
  for (const { topic, partition, to } of plan) await log.trim({ topic, partition }, to)
  return plan
}

async function planOf({ log, folder, beforeMs, command }: TrimRun): Promise<readonly Trimmed[]> {
  const { topics, files } = await manifestOf(folder)
  const bounds = (await Promise.all(topics.map(({ topic }) => log.bounds(topic)))).flat()
  const plan: Trimmed[] = []
  for (const b of bounds) {
    const own = files.filter((file) => file.topic === b.topic && file.partition === b.partition)
    await refuseUnarchived(log, b, own, beforeMs, command)
    const stays = own.findIndex(({ clockMs }) => clockMs >= beforeMs)
    const last = stays < 0 ? own.at(-1) : own[stays - 1]
    if (last === undefined || last.next <= b.start) continue
    plan.push({ topic: b.topic, partition: b.partition, start: b.start, to: last.next })
  }
  return plan
}

/** The first record that no file has must not be one of those that go. */
async function refuseUnarchived(
  log: EventLog,
  { topic, partition, start, end }: PartitionBounds,
  files: readonly ArchivedFile[],
  beforeMs: number,
  command: string,
): Promise<void> {
  const last = files.at(-1)
  const from = last !== undefined && last.next > start ? last.next : start
  if (from >= end) return
  const read = { topic, partition, from, bytesMax: 1, recordsMax: 1, waitMs: 0 }
  const { records } = await log.read(read)
  const [first] = records
  if (first === undefined || Math.max(first.timestampMs, last?.clockMs ?? 0) >= beforeMs) return
  const which = `position ${first.position} of ${topic}/${partition}, received ${shown(first.timestampMs)}`
  throw new UsageError(`Nothing was removed: ${which}, is in no archive. \`playhead log archive\` first.`, command)
}

function refuseUnfolded(plan: readonly Trimmed[], folded: readonly Folded[], command: string): void {
  for (const { topic, partition, to } of plan) {
    const behind = folded.find((f) => f.topic === topic && f.partition === partition && f.checkpoint < to)
    if (behind === undefined) continue
    const how = `${behind.generation} has folded ${topic}/${partition} up to ${behind.checkpoint}, not to ${to}`
    throw new UsageError(
      `Nothing was removed: ${how}. Let it catch up (\`playhead generations\`), or drop it, and call this again.`,
      command,
    )
  }
}

function shown(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? `at ${ms}` : date.toISOString()
}
