/** What the tables must say: the log folded from its start by the plainest code there is. */
import { CONSUMER_LIMITS } from '../../consumers/limits.ts'
import type { EventLog, LogRecord, Position } from '../../log/log.ts'
import { type EventCodec, eventIdOf } from '../../schemas/index.ts'
import { TALLY, type Tally } from './tally.ts'

export interface Truth {
  readonly tallies: ReadonlyMap<string, Tally>
  /** `partition/position` of what `tally` can't fold. */
  readonly parked: ReadonlySet<string>
  readonly duplicates: number
  readonly records: number
}

export function truthOf(partitions: readonly (readonly LogRecord[])[], codec: EventCodec): Truth {
  const tallies = new Map<string, Tally>()
  const parked = new Set<string>()
  let duplicates = 0
  partitions.forEach((records, partition) => {
    const lastSeen = new Map<string, bigint>()
    for (const record of records) {
      if (seenBefore(record, lastSeen)) duplicates++
      else if (!foldOne(record, codec, tallies)) parked.add(`${partition}/${record.position}`)
    }
  })
  return { tallies, parked, duplicates, records: partitions.reduce((n, p) => n + p.length, 0) }
}

function seenBefore({ value, position }: LogRecord, lastSeen: Map<string, bigint>): boolean {
  const id = eventIdOf(value)
  if (id === undefined) return false
  const before = lastSeen.get(id)
  lastSeen.set(id, position)
  return before !== undefined && position - before <= BigInt(CONSUMER_LIMITS.duplicateWindowPositions)
}

function foldOne({ value }: LogRecord, codec: EventCodec, tallies: Map<string, Tally>): boolean {
  const decoded = codec.decode(value)
  if (!decoded.ok) return false
  const key = TALLY.keyed!.key(decoded.event)
  if (key === undefined) return true
  const name = String(key[0])
  if (TALLY.keyed!.erases!(decoded.event) !== undefined) {
    tallies.delete(name)
    return true
  }
  try {
    tallies.set(name, TALLY.keyed!.fold(tallies.get(name), decoded.event) as Tally)
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

export async function readAll(log: EventLog, topic: string): Promise<LogRecord[][]> {
  return Promise.all(
    (await log.bounds(topic)).map(async ({ partition, start, end }) => {
      const records: LogRecord[] = []
      for (let from = start; from < end; ) {
        const answer = await log.read({ topic, partition, from, bytesMax: 1e7, recordsMax: 10_000, waitMs: 0 })
        records.push(...answer.records)
        from = answer.next > from ? answer.next : ((from + 1n) as Position)
      }
      return records
    }),
  )
}
