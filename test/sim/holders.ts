/**
 * Who works on which partition, as the consumers' own answers say it: from `assigned` until `revoked` has been drained. A
 * partition must not be handed to another process while its holder is alive, awake and within its time to drain.
 */
import { boundTo } from '../../log/bound.ts'
import { LOG_LIMITS } from '../../log/limits.ts'
import type { EventLog, GroupListener, TopicPartition } from '../../log/log.ts'
import type { SimProcess } from './process.ts'

interface Holding {
  readonly process: SimProcess
  askedBackMs: number | undefined
}

export class Holders {
  readonly #held = new Map<string, Holding>()

  /** The log as a process joins it, watched. */
  watched(log: EventLog, process: SimProcess, told: string[]): EventLog {
    const join: EventLog['join'] = (group, topics, listener) => {
      process.world.count('memberships of a group')
      return log.join(group, topics, this.#watched(group, listener, process, told))
    }
    return { ...boundTo(log), join }
  }

  #watched(group: string, listener: GroupListener, process: SimProcess, told: string[]): GroupListener {
    const nameOf = ({ topic, partition }: TopicPartition) => `${group} ${topic}/${partition}`
    const letGo = (places: readonly TopicPartition[]) => {
      for (const name of places.map(nameOf)) if (this.#held.get(name)?.process === process) this.#held.delete(name)
    }
    return {
      assigned: (places) => {
        process.world.count('partitions handed out', places.length)
        for (const name of places.map(nameOf)) {
          const before = this.#held.get(name)
          if (before !== undefined && works(before, process)) {
            told.push(`${name} was handed to ${process.name} while ${before.process.name} still worked on it`)
          }
          this.#held.set(name, { process, askedBackMs: undefined })
        }
        listener.assigned(places)
      },
      revoked: async (places) => {
        process.world.count('partitions taken back', places.length)
        for (const name of places.map(nameOf)) {
          const held = this.#held.get(name)
          if (held?.process === process) held.askedBackMs = process.world.nowMs
        }
        await listener.revoked(places)
        letGo(places)
      },
      lost: (places) => {
        process.world.count('partitions lost by a process that slept', places.length)
        letGo(places)
        listener.lost(places)
      },
    }
  }
}

function works({ process, askedBackMs }: Holding, other: SimProcess): boolean {
  if (process === other || !process.alive || process.pausedMs > 0) return false
  return askedBackMs === undefined || process.world.nowMs - askedBackMs < LOG_LIMITS.drainTimeoutMs
}
