/**
 * An import: records of a file → rows → events → the log, in batches.
 *
 * States of a batch: *read* (in memory) → *durable* (its events are in the log, its bad rows in the file of rejected
 * rows) → *noted* (the state file says so). A crash loses nothing after *durable*; before *noted* the batch comes again
 * with the same event ids, which the log's own window drops, and later copies change no row of the progress table.
 * One batch is under way at a time, so memory stays the same for a file of any size.
 *
 * What can fail: a bad row costs itself only, until there are more than errorsMax; a log that stays away ends the
 * import, resumable; a file that is not what it was is refused.
 */

import type { EventLog } from '../../log/log.ts'
import { UsageError } from '../args.ts'
import { delimiterOf } from './csv.ts'
import type { ImportKind, ImportPorts } from './kind.ts'
import { IMPORT_LIMITS } from './limits.ts'
import { after, Prefix, withHead } from './prefix.ts'
import { type RowProblem, RowRejected } from './problem.ts'
import { RecordCutter, type SourceRecord } from './records.ts'
import { type RejectedFile, type Rejection, rejection } from './rejected.ts'
import type { Report } from './report.ts'
import { patiently } from './retry.ts'
import { csvReader, type Format, type LineReader, namesOf, ndjsonReader } from './rows.ts'
import type { ImportCounts, ImportState, StateFile } from './state.ts'
import type { TimeRules } from './values.ts'

/** What every kind writes with. */
interface Writes {
  readonly log: Pick<EventLog, 'append'>
}

export interface ImportJob<T, P = ImportPorts> {
  readonly kind: ImportKind<T, P>
  readonly chunks: AsyncIterable<Buffer>
  readonly totalBytes: number | undefined
  readonly format: Format | OwnFormat
  readonly maps: readonly string[]
  readonly assumeUtc: boolean
  readonly appId: string
  readonly environment: string
  readonly errorsMax: number
  /** Undefined: nothing is remembered (a dry run, standard input without --state). */
  readonly state: StateFile | undefined
  readonly rejected: RejectedFile | undefined
  readonly signal: AbortSignal
  readonly nowMs: () => number
  readonly newId: () => string
  readonly report: Report
  /** For messages: `import progress`. */
  readonly command: string
}

export interface ImportOutcome {
  readonly ended: 'complete' | 'interrupted' | 'too-many-errors'
  /** Of all calls together. */
  readonly counts: ImportCounts
  /** What earlier calls had done; undefined if this is the first. */
  readonly before: ImportCounts | undefined
  readonly unknownFields: readonly string[]
}

/** Without ports it is a dry run: everything is read and checked, nothing is written. */
export async function runImport<T, P extends Writes = ImportPorts>(
  ports: P | undefined,
  job: ImportJob<T, P>,
): Promise<ImportOutcome> {
  const { head, all } = await withHead(job.chunks)
  const opened = open(job, head)
  const saved = job.state?.read()
  if (saved !== undefined) checkSame(job, saved, opened.settings)
  const run = new Run(ports, job, opened, saved)
  const prefix = new Prefix()
  const rest = after(all, prefix, run.offset, saved?.sha256, job.command)
  try {
    return await run.through(rest, prefix)
  } finally {
    job.rejected?.close()
    job.report.end()
  }
}

/** A format that is neither CSV nor NDJSON; `head` is how the file begins. */
export type OwnFormat = (head: Buffer) => Opened

export interface Opened {
  readonly reader: LineReader
  readonly cut: { readonly delimiters?: string; readonly offset: number; readonly line: number }
  /** What must be the same when it goes on. */
  readonly settings: string
  readonly unknown: ReadonlySet<string>
}

function open<T, P>(job: ImportJob<T, P>, head: Buffer): Opened {
  const { kind, format, maps, command, appId, environment, assumeUtc } = job
  if (typeof format === 'function') return format(head)
  const names = namesOf(kind.fields, maps, command)
  const settings = (delimiter: string) =>
    JSON.stringify({ format, delimiter, maps: [...maps].sort(), appId, environment, assumeUtc })
  const same = { unknown: names.unknown }
  if (format === 'ndjson') {
    return { ...same, reader: ndjsonReader(names), cut: { offset: 0, line: 1 }, settings: settings('') }
  }
  const headCutter = new RecordCutter({ delimiters: ',;\t' })
  const header = [...headCutter.push(head), ...headCutter.end()][0]
  if (header?.text === undefined || header.text.trim() === '') {
    throw new UsageError('The file has no header: its first line must name the columns.', command)
  }
  const delimiter = delimiterOf(header.text)
  return {
    ...same,
    reader: csvReader(header, delimiter, names, kind.needed, command),
    cut: { delimiters: delimiter, offset: header.endOffset, line: header.endLine },
    settings: settings(delimiter),
  }
}

function checkSame<T, P>(job: ImportJob<T, P>, saved: ImportState, settings: string): void {
  const path = job.state?.path ?? ''
  if (saved.kind !== job.kind.name) {
    throw new UsageError(`${path} is of an import of ${saved.kind}. Name another with --state.`, job.command)
  }
  if (saved.settings === settings) return
  throw new UsageError(
    `${path} is of an import with other flags (${saved.settings}). Give the same ones to go on, or remove it to begin anew.`,
    job.command,
  )
}

interface Batch<T> {
  rows: T[]
  rejections: Rejection[]
  bytes: number
}

class Run<T, P extends Writes> {
  readonly #ports: P | undefined
  readonly #job: ImportJob<T, P>
  readonly #opened: Opened
  readonly #resumed: ImportState | undefined
  readonly #cutter: RecordCutter
  readonly #runId: string
  #batch: Batch<T> = { rows: [], rejections: [], bytes: 0 }
  #counts: ImportCounts
  #rejectedBytes: number
  offset: number
  #line: number
  #rules: TimeRules

  constructor(ports: P | undefined, job: ImportJob<T, P>, opened: Opened, saved: ImportState | undefined) {
    this.#ports = ports
    this.#job = job
    this.#opened = opened
    this.#resumed = saved
    this.offset = saved?.offset ?? opened.cut.offset
    this.#line = saved?.line ?? opened.cut.line
    this.#cutter = new RecordCutter({ ...opened.cut, offset: this.offset, line: this.#line })
    this.#runId = saved?.runId ?? job.newId()
    this.#counts = saved?.counts ?? { rows: 0, events: 0, rejected: 0 }
    this.#rejectedBytes = saved?.rejectedBytes ?? 0
    this.#rules = { nowMs: job.nowMs(), assumeUtc: job.assumeUtc }
    job.rejected?.begin(this.#rejectedBytes)
  }

  async through(chunks: AsyncIterable<Buffer>, prefix: Prefix): Promise<ImportOutcome> {
    for await (const chunk of chunks) {
      for (const record of this.#cutter.push(chunk)) {
        if (this.#take(record)) await this.#flush(prefix, false)
        const stopped = this.#stopped()
        if (stopped !== undefined) return await this.#stop(stopped, prefix)
      }
    }
    // An interrupted source ends in the midst of a record.
    if (!this.#job.signal.aborted) for (const record of this.#cutter.end()) this.#take(record)
    const stopped = this.#stopped()
    if (stopped !== undefined) return await this.#stop(stopped, prefix)
    await this.#flush(prefix, true)
    return this.#outcome('complete')
  }

  /** Says whether the batch is full. */
  #take(record: SourceRecord): boolean {
    this.#batch.bytes += record.endOffset - this.offset
    this.offset = record.endOffset
    this.#line = record.endLine
    if (record.text?.trim() !== '') this.#read(record)
    const { rows, rejections, bytes } = this.#batch
    return rows.length + rejections.length >= IMPORT_LIMITS.batchRowsMax || bytes >= IMPORT_LIMITS.batchBytesMax
  }

  #read(record: SourceRecord): void {
    const read = this.#opened.reader.read(record)
    if (read === undefined) return
    if (!read.ok) {
      this.#reject(record, read.problem)
      return
    }
    try {
      this.#batch.rows.push(this.#job.kind.row(read.fields, this.#rules, record))
    } catch (error) {
      if (!(error instanceof RowRejected)) throw error
      this.#reject(record, error.problem)
    }
  }

  #reject(record: SourceRecord, problem: RowProblem): void {
    const rejected = rejection(record, problem)
    this.#batch.rejections.push(rejected)
    this.#job.report.rejected(rejected)
  }

  #stopped(): 'interrupted' | 'too-many-errors' | undefined {
    if (this.#counts.rejected + this.#batch.rejections.length > this.#job.errorsMax) return 'too-many-errors'
    return this.#job.signal.aborted ? 'interrupted' : undefined
  }

  /** What was read is finished first: it is checked already, and the user sees an honest count. */
  async #stop(why: 'interrupted' | 'too-many-errors', prefix: Prefix): Promise<ImportOutcome> {
    await this.#flush(prefix, false)
    return this.#outcome(why)
  }

  async #flush(prefix: Prefix, done: boolean): Promise<void> {
    const { rows, rejections } = this.#batch
    const { kind, state, rejected, report, totalBytes, nowMs } = this.#job
    const events = this.#ports === undefined ? 0 : await this.#write(this.#ports, rows)
    if (rejected !== undefined) this.#rejectedBytes = rejected.write(rejections)
    this.#counts = {
      rows: this.#counts.rows + rows.length,
      events: this.#counts.events + events,
      rejected: this.#counts.rejected + rejections.length,
    }
    this.#batch = { rows: [], rejections: [], bytes: 0 }
    this.#rules = { ...this.#rules, nowMs: nowMs() }
    state?.write({
      version: 1,
      kind: kind.name,
      runId: this.#runId,
      settings: this.#opened.settings,
      offset: this.offset,
      line: this.#line,
      sha256: prefix.digest(this.offset),
      counts: this.#counts,
      rejectedBytes: this.#rejectedBytes,
      done,
    })
    report.show(this.#counts, this.offset, totalBytes)
  }

  async #write(ports: P, rows: readonly T[]): Promise<number> {
    if (rows.length === 0) return 0
    const { kind, signal, nowMs, appId, environment } = this.#job
    const run = { runId: this.#runId, appId, environment, receivedAtMs: nowMs() }
    const records = await patiently(() => kind.records(ports, run, rows), signal, nowMs)
    if (records.length > 0) await patiently(() => ports.log.append(records), signal, nowMs)
    return records.length
  }

  #outcome(ended: ImportOutcome['ended']): ImportOutcome {
    return {
      ended,
      counts: this.#counts,
      before: this.#resumed?.counts,
      unknownFields: [...this.#opened.unknown],
    }
  }
}
