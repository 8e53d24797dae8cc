/**
 * Whether the records before a checkpoint are those that the snapshot was folded from: their digest says so. A restored log
 * may be another incarnation with the same records in the same places, or the same one with others. Where they are gone (of
 * a log that does not keep everything) the incarnation has to do.
 */
import { createHash } from 'node:crypto'
import type { EventLog, Position, TopicPartition } from '../../log/log.ts'
import { SnapshotError } from './errors.ts'
import { SNAPSHOT_LIMITS } from './limits.ts'
import type { Manifest, Place } from './manifest.ts'

export async function proofOf(log: EventLog, place: TopicPartition, checkpoint: bigint): Promise<Place['proof']> {
  const bounds = (await log.bounds(place.topic)).find(({ partition }) => partition === place.partition)
  const wanted = checkpoint - SNAPSHOT_LIMITS.proofPositions
  const start = bounds?.start ?? 0n
  const from = wanted > start ? wanted : start
  return from >= checkpoint ? null : await digestOf(log, place, from, checkpoint)
}

async function digestOf(log: EventLog, place: TopicPartition, from: bigint, end: bigint): Promise<Place['proof']> {
  const hash = createHash('sha256')
  const { topic, partition } = place
  const { proofBytesMax: bytesMax, proofPositions } = SNAPSHOT_LIMITS
  let records = 0
  for (let next = from as Position; next < end; ) {
    const request = { topic, partition, from: next, to: (end - 1n) as Position, bytesMax, waitMs: 0 }
    const answer = await log.read({ ...request, recordsMax: Number(proofPositions) })
    for (const { position, timestampMs, key, value } of answer.records) {
      hash.update(JSON.stringify([`${position}`, timestampMs, key, value.length])).update(value)
      records++
    }
    if (answer.next <= next) break
    next = answer.next
  }
  return records === 0 ? null : { from: `${from}`, records, sha256: hash.digest('hex') }
}

/** Throws SnapshotError where this log can't go on from the snapshot. */
export async function proveLog(log: EventLog, manifest: Manifest): Promise<void> {
  const same = (await log.incarnation()) === manifest.incarnation
  if (!same && !manifest.exact) {
    throw unfit('it was taken while its generation was running, and is good for the very log only')
  }
  for (const place of manifest.places) {
    const { topic, partition, proof } = place
    const checkpoint = BigInt(place.checkpoint)
    const at = `${topic}/${partition}`
    const bounds = (await log.bounds(topic)).find((one) => one.partition === partition)
    if (bounds === undefined || bounds.end < checkpoint) {
      throw unfit(`${at} ends at ${bounds?.end ?? 'nothing'}, and the snapshot goes on from ${checkpoint}`)
    }
    if (bounds.start > checkpoint) {
      throw unfit(`${at} begins at ${bounds.start}: what lies between it and the snapshot (${checkpoint}) is gone`)
    }
    if (proof === null || BigInt(proof.from) < bounds.start) {
      if (same || checkpoint === 0n) continue
      throw unfit(`${at} no longer has the records that would show it to be the log of the snapshot`)
    }
    const found = await digestOf(log, { topic, partition }, BigInt(proof.from), checkpoint)
    if (found?.sha256 !== proof.sha256) throw unfit(`before ${at}@${checkpoint} stand other records`)
  }
}

function unfit(why: string): SnapshotError {
  return new SnapshotError(
    'SNAPSHOT_UNFIT',
    `This log is not the one that the snapshot was folded from: ${why}. Rebuild instead: \`playhead rebuild\`.`,
  )
}
