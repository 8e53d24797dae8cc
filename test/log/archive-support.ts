/** A log with records of every odd kind, at positions with gaps, and what tests of its archive ask. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { ArchiveOutcome, ArchiveRun } from '../../log/archive/write.ts'
import { writeArchive } from '../../log/archive/write.ts'
import { refillEmbeddedLog } from '../../log/embedded/restore.ts'
import type { EventLog, LogRecord, Position, TopicSpec } from '../../log/log.ts'

export const DAY_MS = 86_400_000
export const FIRST_DAY_MS = Date.parse('2026-11-01T00:00:00Z')
export const NOW_MS = Date.parse('2026-11-20T12:00:00Z')

export interface Filled {
  readonly topic: string
  readonly partition: number
  readonly records: readonly LogRecord[]
}

export function folder(t: Pick<TestContext, 'after'>): string {
  const dir = mkdtempSync(join(tmpdir(), 'playhead-archive-'))
  t.after(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }))
  return dir
}

/** Records as they stand, with keys that are missing and positions that are skipped: what an append can't make. */
export async function fill(dir: string, specs: readonly TopicSpec[], parts: readonly Filled[]): Promise<void> {
  const refill = await refillEmbeddedLog(dir, specs)
  for (const { topic, partition, records } of parts) {
    await refill.begin({ topic, partition }, 0n)
    await refill.put({ topic, partition }, records, (records.at(-1)?.position ?? -1n) + 1n)
  }
  await refill.close()
}

/** `perDay` records a day, one in a while with no key, late, or odd in another way. */
export function recordsOf(days: number, perDay: number, seed = 0): LogRecord[] {
  let position = -1n
  return Array.from({ length: days * perDay }, (_, i): LogRecord => {
    const n = i + seed
    position += n % 13 === 5 ? 4n : 1n
    const late = n % 11 === 3 ? DAY_MS : 0
    return {
      position,
      timestampMs: FIRST_DAY_MS + Math.floor((i * DAY_MS) / perDay) - late,
      key: n % 7 === 2 ? null : `profil-é-${n % 5}`,
      value: Buffer.from(Array.from({ length: n % 90 }, (_, b) => (b * 37 + n) % 256)),
      headers: n % 4 === 1 ? { name: `ü-${n}`, empty: '' } : {},
    }
  })
}

export async function archiveOf(log: EventLog, dir: string, more: Partial<ArchiveRun> = {}): Promise<ArchiveOutcome> {
  return await writeArchive({
    log,
    folder: dir,
    topics: ['playback-events', 'engine-events'],
    untilMs: Number.POSITIVE_INFINITY,
    nowMs: () => NOW_MS,
    tell: () => undefined,
    signal: new AbortController().signal,
    progress: () => undefined,
    ...more,
  })
}

/** Everything there is, by place, as text that compares. */
export async function allOf(log: EventLog): Promise<Record<string, readonly string[]>> {
  const all: Record<string, readonly string[]> = {}
  for (const { topic } of await log.topics()) {
    for (const { partition, start, end } of await log.bounds(topic)) {
      const records: LogRecord[] = []
      for (let from: Position = start; from < end; ) {
        const page = await log.read({ topic, partition, from, bytesMax: 3_000, recordsMax: 50, waitMs: 0 })
        records.push(...page.records)
        from = page.next
      }
      all[`${topic}/${partition} ${start}-${end}`] = records.map(shown)
    }
  }
  return all
}

export function shown({ position, timestampMs, key, value, headers }: LogRecord): string {
  return JSON.stringify([`${position}`, timestampMs, key, value.toString('hex'), headers])
}
