/** How far a generation has come: its commit records beside the log's bounds. */
import type { Generation } from '../../consumers/generation.ts'
import type { EventLog, PartitionBounds } from '../../log/log.ts'
import type { CommitRecord, CommitStore } from '../../stores/state.ts'

export interface Standing {
  /** Records below its checkpoints, and those there are. */
  readonly done: bigint
  readonly total: bigint
  readonly lag: bigint
  /** A build that ends at a moment has come to it in every partition. */
  readonly complete: boolean
  readonly counts: {
    readonly folded: bigint
    readonly duplicates: bigint
    readonly parked: bigint
    readonly undecryptable: bigint
  }
}

export async function standingOf(log: EventLog, commits: CommitStore, generation: Generation): Promise<Standing> {
  const bounds = (await Promise.all(generation.projection.topics.map((topic) => log.bounds(topic)))).flat()
  const records = new Map(
    (await commits.list(generation.id)).map(({ topic, partition, record }) => [`${topic}/${partition}`, record]),
  )
  const recordOf = ({ topic, partition }: PartitionBounds) => records.get(`${topic}/${partition}`)
  const nextOf = (place: PartitionBounds) => {
    const checkpoint = recordOf(place)?.checkpoint ?? 0n
    return checkpoint > place.start ? checkpoint : place.start
  }
  const sum = (of: (place: PartitionBounds) => bigint) => bounds.reduce((total, place) => total + of(place), 0n)
  const total = sum(({ start, end }) => end - start)
  const done = sum((place) => nextOf(place) - place.start)
  const counted = (name: Exclude<keyof CommitRecord['tally'], 'read'>) => sum((p) => recordOf(p)?.tally[name] ?? 0n)
  return {
    done,
    total,
    lag: total - done,
    complete: await isComplete(log, bounds, nextOf, generation.build?.untilMs),
    counts: {
      folded: counted('folded'),
      duplicates: counted('duplicates'),
      parked: counted('parked'),
      undecryptable: counted('undecryptable'),
    },
  }
}

/** What stands at each checkpoint is later than the moment, or nothing stands there yet and the log's clock says so. */
async function isComplete(
  log: EventLog,
  bounds: readonly PartitionBounds[],
  nextOf: (place: PartitionBounds) => bigint,
  untilMs: number | undefined,
): Promise<boolean> {
  if (untilMs === undefined) return bounds.every((place) => nextOf(place) >= place.end)
  const read = { recordsMax: 1, bytesMax: 1, waitMs: 0 }
  const past = await Promise.all(
    bounds.map(async (place) => {
      const { topic, partition, end } = place
      if (nextOf(place) >= end) return true
      const { records } = await log.read({ topic, partition, from: nextOf(place), ...read })
      return (records[0]?.timestampMs ?? 0) > untilMs
    }),
  )
  return past.every(Boolean)
}
