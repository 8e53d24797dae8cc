/** One log, from its bytes to the event log: cli/import's run, with the formats of logs and their progress. */
import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import type { Io } from '../command.ts'
import { SourceChanged } from '../import/prefix.ts'
import { rejectedFile } from '../import/rejected.ts'
import { type Report, reportTo } from '../import/report.ts'
import { type ImportOutcome, runImport } from '../import/run.ts'
import { stateFile } from '../import/state.ts'
import { type IngestPorts, linesKind, nothingSeen, type Seen } from './lines.ts'
import { type FormatWish, type OpenedLog, openLog } from './open.ts'
import { PRESETS } from './presets.ts'
import { openLogSource } from './source.ts'

export interface IngestJob {
  readonly path: string
  readonly wish: FormatWish
  /** Who served, where no line says it; undefined: whose format it is. */
  readonly cdn: string | undefined
  readonly appId: string
  readonly environment: string
  readonly assumeUtc: boolean
  readonly errorsMax: number
  /** Undefined: nothing is remembered (a dry run, standard input). */
  readonly statePath: string | undefined
  readonly rejectedPath: string | undefined
  readonly signal: AbortSignal
  readonly nowMs: () => number
  readonly io: Io
}

export interface IngestOutcome extends ImportOutcome {
  readonly format: OpenedLog['format'] | undefined
  /** In this call. */
  readonly seen: Seen
  /** The last line has no end yet: the next call reads it. */
  readonly lastLineLeft: boolean
  /** Under this name was another log before: it was rotated, or written anew. */
  readonly replaced: boolean
}

export async function ingest(ports: IngestPorts | undefined, job: IngestJob): Promise<IngestOutcome> {
  try {
    return { ...(await read(ports, job)), replaced: false }
  } catch (error) {
    if (!(error instanceof SourceChanged) || job.statePath === undefined) throw error
    // Logs are rotated: what stands there now is read from its beginning, and lines of it that were read before count once.
    rmSync(job.statePath, { force: true })
    return { ...(await read(ports, job)), replaced: true }
  }
}

async function read(ports: IngestPorts | undefined, job: IngestJob): Promise<Omit<IngestOutcome, 'replaced'>> {
  const { path, wish, appId, environment, assumeUtc, errorsMax, statePath, rejectedPath, signal, nowMs } = job
  const { command } = wish
  let opened: OpenedLog | undefined
  const source = openLogSource(path, signal, command, (line, head) => {
    // A short log is at its end before anybody has asked how it begins.
    return isWhole(opened ?? openLog(head, wish, {}), line)
  })
  const seen = nothingSeen()
  const settings: { format: OpenedLog['format']; cdn: string | undefined } = { format: 'combined', cdn: job.cdn }
  const outcome = await runImport(ports, {
    kind: linesKind(settings, seen),
    chunks: source.chunks,
    totalBytes: source.totalBytes,
    format: (head) => {
      opened = openLog(head, wish, { appId, environment, cdn: job.cdn, assumeUtc })
      settings.format = opened.format
      settings.cdn = job.cdn ?? PRESETS[opened.format].cdn
      return opened
    },
    maps: wish.maps,
    state: statePath === undefined ? undefined : stateFile(statePath, command),
    rejected: rejectedPath === undefined ? undefined : rejectedFile(rejectedPath),
    ...{ assumeUtc, appId, environment, errorsMax, signal, command },
    nowMs,
    newId: randomUUID,
    report: byBytesRead(reportTo(job.io, nowMs), source.readBytes),
  })
  return { ...outcome, format: opened?.format, seen, lastLineLeft: source.heldBack() }
}

/** Of a zipped file the share that was read is known, and not how long it is unzipped. */
function byBytesRead(report: Report, readBytes: () => number): Report {
  return { ...report, show: (counts, _, totalBytes) => report.show(counts, readBytes(), totalBytes) }
}

/** Whether a line that no line break ends says something as it stands. */
function isWhole({ reader }: OpenedLog, line: Buffer): boolean {
  const text = line.toString()
  return !text.startsWith('#') && reader.read({ line: 0, text, endOffset: 0, endLine: 0 })?.ok === true
}
