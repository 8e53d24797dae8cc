/**
 * Makes a log of an archive. On one machine the log is made beside its place and renamed when it is whole, with each
 * record at its own position. In Kafka records get new positions, in the same order; what was there without a key gets
 * the empty one, and a restore that was cut off is refused when called again: its topics have records then.
 *
 * Every file is verified before anything of it is taken.
 */
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ContainerReader } from '../../log/archive/container.ts'
import type { Manifest } from '../../log/archive/manifest.ts'
import type { Row } from '../../log/archive/row.ts'
import { checkFile, manifestOf } from '../../log/archive/verify.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { refillEmbeddedLog } from '../../log/embedded/restore.ts'
import type { EventLog, Position, TopicPartition } from '../../log/log.ts'
import { UsageError } from '../args.ts'

export interface RestoreOptions {
  readonly folder: string
  readonly signal: AbortSignal
  readonly progress: (done: bigint, total: bigint) => void
  /** For messages. */
  readonly command: string
}

export interface RestoreOutcome {
  readonly complete: boolean
  readonly records: number
  /** Each record has the position that it had. */
  readonly samePositions: boolean
  readonly withoutKey: number
}

interface Sink {
  begin(place: TopicPartition, start: Position): Promise<void>
  put(place: TopicPartition, rows: readonly Row[], next: Position): Promise<void>
}

/** `dir`: the log's own folder, which must be missing or hold no record. */
export async function restoreToFolder(dir: string, options: RestoreOptions): Promise<RestoreOutcome> {
  const manifest = await manifestOf(options.folder)
  if (existsSync(dir)) {
    const log = await openEmbeddedLog({ dir })
    try {
      await refuseUnlessEmpty(log, dir, options.command)
    } finally {
      await log.close()
    }
  }
  const draft = `${dir}.partial`
  await rm(draft, { recursive: true, force: true })
  await mkdir(dirname(dir), { recursive: true, mode: 0o700 })
  const refill = await refillEmbeddedLog(draft, manifest.topics)
  let outcome: { complete: boolean; records: number }
  try {
    const put: Sink['put'] = (place, rows, next) =>
      refill.put(
        place,
        rows.map(({ record }) => record),
        next,
      )
    outcome = await pour(manifest, { begin: refill.begin, put }, options)
  } finally {
    await refill.close()
  }
  if (!outcome.complete) await rm(draft, { recursive: true, force: true })
  else {
    await rm(dir, { recursive: true, force: true })
    await rename(draft, dir)
  }
  return { ...outcome, samePositions: outcome.complete, withoutKey: 0 }
}

export async function restoreToLog(log: EventLog, where: string, options: RestoreOptions): Promise<RestoreOutcome> {
  const manifest = await manifestOf(options.folder)
  await refuseUnlessEmpty(log, where, options.command, manifest)
  const made = await log.ensureTopics(manifest.topics)
  for (const { topic, partitions } of made) {
    const wanted = manifest.topics.find((spec) => spec.topic === topic)!.partitions
    if (wanted === partitions) continue
    const differ = `${topic} has ${partitions} partitions in ${where} and ${wanted} in the archive`
    throw new UsageError(`${differ}: make it with ${wanted}, or restore into another Kafka.`, options.command)
  }
  let [samePositions, withoutKey] = [true, 0]
  const put: Sink['put'] = async ({ topic, partition }, rows) => {
    const placed = await log.append(rows.map(({ record }) => ({ ...record, topic, key: record.key ?? '' })))
    placed.forEach((place, i) => {
      const { position, key } = rows[i]!.record
      if (place.partition !== partition || place.position !== position) samePositions = false
      if (key === null) withoutKey += 1
    })
  }
  const outcome = await pour(manifest, { begin: async () => undefined, put }, options)
  return { ...outcome, samePositions: outcome.complete && samePositions, withoutKey }
}

async function pour(
  { files }: Manifest,
  sink: Sink,
  { folder, signal, progress }: RestoreOptions,
): Promise<{ complete: boolean; records: number }> {
  const total = files.reduce((sum, { records }) => sum + BigInt(records), 0n)
  let records = 0
  let before: TopicPartition | undefined
  for (const file of files) {
    if (before?.topic !== file.topic || before.partition !== file.partition) await sink.begin(file, file.from)
    before = file
    await checkFile(folder, file)
    await ContainerReader.using(join(folder, file.path), async (reader) => {
      for await (const rows of reader.blocks(file)) {
        if (signal.aborted) return
        const last = rows.at(-1)!.record.position
        await sink.put(file, rows, last === file.last ? file.next : last + 1n)
        records += rows.length
        progress(BigInt(records), total)
      }
    })
    if (signal.aborted) return { complete: false, records }
  }
  return { complete: true, records }
}

async function refuseUnlessEmpty(log: EventLog, where: string, command: string, only?: Manifest): Promise<void> {
  for (const { topic } of await log.topics()) {
    if (only !== undefined && !only.topics.some((spec) => spec.topic === topic)) continue
    const held = (await log.bounds(topic)).find(({ end }) => end > 0n)
    if (held !== undefined) {
      throw new UsageError(`${where} holds records of ${topic} already: a restore needs an empty log.`, command)
    }
  }
}
