/**
 * Everything the engine holds about a profile, as one JSON document in pieces: its progress rows, its account's stream
 * slots that are its own, its events in the log with what was sealed opened. (ClickHouse's tables hold nothing beyond
 * these events.) Bounded in time and size: a document that is not complete says where to go on.
 *
 * What can fail: an engine that goes away in the midst ends the stream with an error; the document is then cut off and
 * is no JSON, so that nobody takes it for whole.
 */
import { streamAccountOf } from '../../producers/streams.ts'
import { StoreUnavailable } from '../../stores/errors.ts'
import { isStale } from '../guarded.ts'
import type { ProgressReader, StreamsReader } from '../ports.ts'
import { cursorText, type ExportCursor } from './cursor.ts'
import { PROFILE_LIMITS } from './limits.ts'
import { type Range, rangesOf, readRange, type ScanPorts, type Whose } from './scan.ts'

export interface ExportPorts extends ScanPorts {
  readonly progress: Pick<ProgressReader, 'all'>
  readonly streams: StreamsReader
  readonly nowMs: () => number
}

export interface ExportBounds {
  readonly scanMs: number
  readonly bytesMax: number
}

/** What is read before the first piece goes out: what fails here is still an answer of its own. */
export interface ExportStart {
  readonly incarnation: string
  readonly ranges: readonly Range[]
  /** Members before the events; none where an export goes on. */
  readonly head: Readonly<Record<string, unknown>>
}

export async function beginExport(ports: ExportPorts, whose: Whose, cursor?: ExportCursor): Promise<ExportStart> {
  const { profileId, accountId } = whose
  const incarnation = cursor?.incarnation ?? (await ports.log.incarnation())
  const first = { profileId, exportedAt: new Date(ports.nowMs()).toISOString() }
  if (cursor !== undefined) return { incarnation, ranges: cursor.ranges, head: first }
  const [progress, streams, ranges] = await Promise.all([
    ports.progress.all(profileId),
    accountId === undefined ? undefined : ports.streams.get(streamAccountOf(accountId)),
    rangesOf(ports.log, whose),
  ])
  // What a guard remembered of an hour ago is no answer to "everything".
  if (isStale(progress)) throw new StoreUnavailable('the progress table can not be reached')
  const slots = [...(streams?.slots ?? []), ...(streams?.verdicts ?? []).flatMap(({ holding }) => holding)]
  const own = new Map(slots.filter((slot) => slot.profileId === profileId).map((slot) => [slot.slotId, slot]))
  return { incarnation, ranges, head: { ...first, accountId: accountId ?? null, progress, streams: [...own.values()] } }
}

export async function* exportDocument(
  ports: ExportPorts,
  whose: Whose,
  { incarnation, ranges, head }: ExportStart,
  bounds: ExportBounds,
): AsyncGenerator<string> {
  const untilMs = ports.nowMs() + bounds.scanMs
  const opening = json(head)
  let piece = `${opening.slice(0, -1)},"events":[`
  let bytes = 0
  let first = true
  const left = ranges.filter(({ from, to }) => from < to)
  const empty = ranges.filter(({ from, to }) => from >= to)
  const scanned: Range[] = []
  for (let range = left[0]; range !== undefined; range = left[0]) {
    let at = range.from
    let enough = false
    while (at < range.to && !enough) {
      const { events, next } = await readRange(ports, whose, { ...range, from: at })
      // A read may answer that it goes on behind a gap.
      if (next < range.to) at = next
      else at = range.to
      for (const event of events) {
        const text = json(event)
        piece += first ? text : `,\n${text}`
        first = false
        bytes += text.length
        if (piece.length < PROFILE_LIMITS.pieceCharsMin) continue
        yield piece
        piece = ''
      }
      enough = bytes >= bounds.bytesMax || ports.nowMs() >= untilMs
    }
    scanned.push({ ...range, to: at })
    if (at < range.to) left[0] = { ...range, from: at }
    else left.shift()
    if (enough) break
  }
  const next = left.length === 0 ? null : cursorText({ incarnation, ranges: left })
  yield `${piece}],"scanned":${json([...scanned, ...empty])},"complete":${left.length === 0},"next":${json(next)}}\n`
}

/** Positions and versions as text, so that no reader rounds them; bytes as base64. */
function json(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === 'bigint') return item.toString()
    return isBufferJson(item) ? Buffer.from(item.data).toString('base64') : item
  })
}

/** A Buffer has turned itself into this before a replacer sees it. */
function isBufferJson(value: unknown): value is { readonly data: readonly number[] } {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value
}
