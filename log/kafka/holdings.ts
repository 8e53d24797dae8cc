/**
 * What a member holds, partition by partition, and what its listener is told about it.
 *
 * States of a partition: free → *owned* (`assigned` was called) → *draining* (`revoked` was called; still claimed, so that
 * nobody else gets it) → free. `lost` makes all of them unclaimed at once: what was owned is free, what was draining
 * stays until its drain ends, so that calls for one partition never overlap. What is assigned to us again meanwhile is
 * taken up when the drain ends.
 */
import { partitionName, partitionNamed } from '../assignment.ts'
import type { GroupListener, TopicPartition } from '../log.ts'
import type { Logger } from './client.ts'

interface Held {
  phase: 'owned' | 'draining'
  /** The group believes that it is ours. */
  claimed: boolean
}

export interface HoldingsOptions {
  readonly listener: GroupListener
  readonly drainTimeoutMs: number
  readonly log: Logger
  /** Something that was claimed is free for others now. */
  readonly onFreed: () => void
}

export class Holdings {
  readonly #options: HoldingsOptions
  readonly #held = new Map<string, Held>()
  readonly #drains = new Set<Promise<void>>()
  /** What the group gave us last. */
  #target: ReadonlySet<string> = new Set()
  #leaving = false

  constructor(options: HoldingsOptions) {
    this.#options = options
  }

  owned(): TopicPartition[] {
    return this.#names((held) => held.phase === 'owned').map(partitionNamed)
  }

  claims(): string[] {
    return this.#names((held) => held.claimed)
  }

  /** The group's word on what is ours. */
  apply(assignment: readonly TopicPartition[]): void {
    if (this.#leaving) return
    this.#target = new Set(assignment.map(partitionName))
    this.#drain(this.#names((held, name) => held.phase === 'owned' && !this.#target.has(name)))
    for (const name of this.#target) {
      const held = this.#held.get(name)
      if (held !== undefined) held.claimed = true
    }
    this.#take([...this.#target].filter((name) => !this.#held.has(name)))
  }

  lost(): void {
    this.#target = new Set()
    const names = this.claims()
    for (const name of names) {
      const held = this.#held.get(name)!
      held.claimed = false
      if (held.phase === 'owned') this.#held.delete(name)
    }
    if (names.length > 0) this.#options.listener.lost(names.map(partitionNamed))
  }

  /** Lets go of everything and takes nothing any more. */
  async leave(): Promise<void> {
    this.#leaving = true
    this.#target = new Set()
    this.#drain(this.#names((held) => held.phase === 'owned'))
    await Promise.all(this.#drains)
  }

  #take(names: readonly string[]): void {
    if (names.length === 0) return
    for (const name of names) this.#held.set(name, { phase: 'owned', claimed: true })
    this.#options.listener.assigned(names.map(partitionNamed))
  }

  #drain(names: readonly string[]): void {
    if (names.length === 0) return
    for (const name of names) this.#held.get(name)!.phase = 'draining'
    const drain = this.#drained(names).finally(() => this.#drains.delete(drain))
    this.#drains.add(drain)
  }

  async #drained(names: readonly string[]): Promise<void> {
    const { listener, drainTimeoutMs, log, onFreed } = this.#options
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), drainTimeoutMs)
    })
    try {
      const revoked = listener.revoked(names.map(partitionNamed))
      if ((await Promise.race([revoked, late])) === 'late') {
        log.warn({ partitions: names, drainTimeoutMs }, 'a drain took too long; the partitions are given up under it')
      }
    } catch (error) {
      log.warn({ partitions: names, error: String(error) }, 'a drain failed; the partitions are given up')
    }
    clearTimeout(timer)
    const freed = !this.#leaving && names.some((name) => this.#held.get(name)!.claimed && !this.#target.has(name))
    for (const name of names) this.#held.delete(name)
    this.#take(names.filter((name) => this.#target.has(name)))
    if (freed) onFreed()
  }

  #names(which: (held: Held, name: string) => boolean): string[] {
    return [...this.#held].filter(([name, held]) => which(held, name)).map(([name]) => name)
  }
}
