/** Imports over a real log in a folder that goes away, and the rows that its events mean. */
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import type { ImportKind, ImportPorts } from '../../cli/import/kind.ts'
import { progressImport } from '../../cli/import/progress-rows.ts'
import { rejectedFile } from '../../cli/import/rejected.ts'
import type { Report } from '../../cli/import/report.ts'
import { type ImportJob, type ImportOutcome, runImport } from '../../cli/import/run.ts'
import { formatOf, openSource } from '../../cli/import/source.ts'
import { stateFile } from '../../cli/import/state.ts'
import { boundTo } from '../../log/bound.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import type { EventLog, LogRecord, NewRecord } from '../../log/log.ts'
import { progressV1 } from '../../projections/progress/v1.ts'
import { createCodec, type EventCodec, eventIdOf, type PlayheadEvent, TOPICS } from '../../schemas/index.ts'
import { tempFolder } from './playhead.ts'

export const NOW_MS = Date.UTC(2026, 10, 21)

export interface Desk {
  readonly dir: string
  readonly ports: ImportPorts
  readonly log: EventLog
  readonly codec: EventCodec
  write(name: string, text: string): string
  append(name: string, text: string): void
  run(path: string, more?: object): Promise<ImportOutcome>
  dryRun(path: string): Promise<ImportOutcome>
  /** The events of these files of NDJSON, in the order in which they were written. */
  captured(files: readonly (readonly object[])[]): Promise<readonly PlayheadEvent[]>
  events(topic?: string): Promise<readonly PlayheadEvent[]>
}

export const QUIET: Report = { show: () => undefined, rejected: () => undefined, end: () => undefined }

export async function desk(t: TestContext, wrap: (log: EventLog) => EventLog = (log) => log): Promise<Desk> {
  const dir = tempFolder(t)
  const codec = await createCodec()
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  await log.ensureTopics(Object.entries(TOPICS).map(([topic, { partitions }]) => ({ topic, partitions })))
  t.after(() => log.close())
  const ports: ImportPorts = {
    codec,
    log: wrap(log),
    sealer: { seal: async (batch) => batch.map(({ personal }) => personal) },
    factsOf: async () => new Map(),
  }
  return {
    dir,
    ports,
    log,
    codec,
    write: (name, text) => {
      writeFileSync(join(dir, name), text)
      return join(dir, name)
    },
    append: (name, text) => appendFileSync(join(dir, name), text),
    run: async (path, more = {}) => await runImport(ports, { ...jobOf(path), ...more } as ImportJob<unknown>),
    dryRun: async (path) => await runImport(undefined, { ...jobOf(path), state: undefined, rejected: undefined }),
    captured: async (files) => {
      const taken: NewRecord[] = []
      const into = withAppend(log, async (records) => {
        taken.push(...records)
        return records.map((_, i) => ({ partition: 0, position: BigInt(i) }))
      })
      for (const rows of files) {
        const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
        const job = { ...jobOf(''), chunks: Readable.from([Buffer.from(text)]), state: undefined }
        await runImport({ ...ports, log: into }, { ...job, rejected: undefined })
      }
      return taken.map(({ value }) => decoded(codec, Buffer.from(value)))
    },
    events: (topic = 'playback-events') => eventsOf(log, codec, topic),
  }
}

/** A log that appends in another way. */
export function withAppend(log: EventLog, append: EventLog['append']): EventLog {
  return { ...boundTo(log), append }
}

function jobOf(path: string): ImportJob<unknown> {
  const signal = new AbortController().signal
  const source =
    path === '' ? { chunks: Readable.from([]), totalBytes: 0 } : openSource(path, signal, 'import progress')
  return {
    ...source,
    kind: progressImport as ImportKind<unknown>,
    format: path === '' ? 'ndjson' : formatOf(path, undefined, 'import progress'),
    maps: [],
    assumeUtc: false,
    appId: 'default',
    environment: 'production',
    errorsMax: 1_000,
    state: stateFile(`${path}.playhead-import.json`, 'import progress'),
    rejected: rejectedFile(`${path}.rejected.ndjson`),
    signal,
    nowMs: () => NOW_MS,
    newId: () => 'run-1',
    report: QUIET,
    command: 'import progress',
  }
}

export async function recordsOf(log: EventLog, topic: string): Promise<readonly LogRecord[][]> {
  const partitions: LogRecord[][] = []
  for (const { partition, start, end } of await log.bounds(topic)) {
    const found: LogRecord[] = []
    for (let from = start; from < end; ) {
      const answer = await log.read({ topic, partition, from, recordsMax: 10_000, bytesMax: 8e6, waitMs: 0 })
      found.push(...answer.records)
      from = answer.next
    }
    partitions.push(found)
  }
  return partitions
}

export async function eventsOf(log: EventLog, codec: EventCodec, topic: string): Promise<readonly PlayheadEvent[]> {
  return (await recordsOf(log, topic)).flat().map(({ value }) => decoded(codec, value))
}

function decoded(codec: EventCodec, value: Buffer): PlayheadEvent {
  const answer = codec.decode(value)
  if (!answer.ok) throw new Error(answer.detail)
  return answer.event
}

/** How often each event id is in the log, and the greatest distance between two of one id in a partition. */
export async function copiesOf(log: EventLog): Promise<{ ids: number; records: number; apartMax: number }> {
  const last = new Map<string, bigint>()
  let records = 0
  let apartMax = 0
  for (const partition of await recordsOf(log, 'playback-events')) {
    for (const { value, position } of partition) {
      const id = eventIdOf(value) ?? ''
      const before = last.get(id)
      if (before !== undefined) apartMax = Math.max(apartMax, Number(position - before))
      last.set(id, position)
      records++
    }
  }
  return { ids: last.size, records, apartMax }
}

/** The rows of the progress table: each once, as text, in the order of their keys. */
export function rowsOf(events: readonly PlayheadEvent[]): readonly string[] {
  const keyed = progressV1().keyed!
  const states = new Map<string, unknown>()
  for (const event of events) {
    const key = keyed.key(event)
    if (key !== undefined) states.set(JSON.stringify(key), keyed.fold(states.get(JSON.stringify(key)), event))
  }
  const text = (cell: unknown) => (typeof cell === 'bigint' ? `${cell}` : cell)
  return [...states].map(([key, state]) => `${key} ${JSON.stringify(keyed.toColumns(state).map(text))}`).sort()
}
