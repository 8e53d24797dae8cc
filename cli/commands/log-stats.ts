/** `playhead log stats`: what is in the log, and how far behind each group of consumers is. */
import { readBook } from '../../consumers/book.ts'
import { type EventLog, lagOf, type PartitionBounds, type PartitionLag } from '../../log/log.ts'
import { type Command, JSON_FLAG, table } from '../command.ts'
import { loadConfig } from '../config.ts'
import { openLog, openState } from '../engines.ts'
import { groupsRead } from '../generations.ts'
import { toJson } from '../json.ts'
import type { Config } from '../settings.ts'

export interface LogStats {
  readonly engine: string
  readonly incarnation: string
  readonly partitions: readonly (PartitionBounds & { readonly records: bigint })[]
  readonly groups: readonly { readonly group: string; readonly partitions: readonly PartitionLag[] }[]
}

export const stats: Command = {
  name: 'log stats',
  about: `For each partition its first position, its end and the records between (in Kafka, gaps count as records).
For each group its lag: records that it has not checkpointed yet. Empty partitions are left out of the table.`,
  flags: [JSON_FLAG],
  run: async (args, io) => {
    const { config } = loadConfig(io.env)
    const log = await openLog(config)
    try {
      const found = await readStats(log, config)
      io.out(args.has('json') ? `${toJson(found, 2)}\n` : textOf(found))
      return 0
    } finally {
      await log.close()
    }
  },
}

export async function readStats(log: EventLog, config: Config): Promise<LogStats> {
  const incarnation = await log.incarnation()
  const bounds = (await Promise.all((await log.topics()).map(({ topic }) => log.bounds(topic)))).flat()
  const groups = await Promise.all(
    (await groupsIn(config, incarnation)).map(async ({ group }) => ({ group, partitions: await lagOf(log, group) })),
  )
  return {
    engine: log.engine,
    incarnation,
    partitions: bounds.map((b) => ({ ...b, records: b.end - b.start })),
    groups,
  }
}

/** By the book, which the state store has. */
async function groupsIn(config: Config, incarnation: string) {
  const state = await openState(config)
  try {
    return groupsRead(config, await readBook(state, incarnation), incarnation)
  } finally {
    await state.close()
  }
}

function textOf({ engine, incarnation, partitions, groups }: LogStats): string {
  const held = partitions.filter((p) => p.end > 0n)
  const rows = held.map((p) => [p.topic, `${p.partition}`, `${p.start}`, `${p.end}`, `${p.records}`])
  const total = held.reduce((sum, p) => sum + p.records, 0n)
  const lags = groups.flatMap(({ group, partitions: lagging }) =>
    lagging.filter((l) => l.end > 0n).map((l) => [group, l.topic, `${l.partition}`, `${l.next}`, `${l.lag}`]),
  )
  return [
    `${engine} log, incarnation ${incarnation}: ${total} records`,
    '',
    table(['TOPIC', 'PARTITION', 'START', 'END', 'RECORDS'], rows),
    '',
    table(['GROUP', 'TOPIC', 'PARTITION', 'NEXT', 'LAG'], lags),
    '',
  ].join('\n')
}
