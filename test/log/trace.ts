/** Writes down what a group's members are told, and judges it: nobody owns what another still holds. */
import assert from 'node:assert/strict'
import { partitionName } from '../../log/assignment.ts'
import type { GroupListener, TopicPartition } from '../../log/log.ts'

export interface Call {
  readonly who: string
  /** `released`: the promise of `revoked` has resolved. */
  readonly what: 'assigned' | 'revoked' | 'released' | 'lost'
  readonly partition: string
}

export class Trace {
  readonly calls: Call[] = []

  listener(who: string, drain: () => Promise<void> = async () => undefined): GroupListener {
    const note = (what: Call['what'], partitions: readonly TopicPartition[]) => {
      for (const p of partitions) this.calls.push({ who, what, partition: partitionName(p) })
    }
    return {
      assigned: (partitions) => note('assigned', partitions),
      lost: (partitions) => note('lost', partitions),
      async revoked(partitions) {
        note('revoked', partitions)
        await drain()
        note('released', partitions)
      },
    }
  }

  ownedBy(who: string): string[] {
    const owned = new Set<string>()
    for (const call of this.calls) {
      if (call.who !== who) continue
      if (call.what === 'assigned') owned.add(call.partition)
      if (call.what === 'released' || call.what === 'lost') owned.delete(call.partition)
    }
    return [...owned].sort()
  }

  /** Throws unless every partition went assigned → revoked → released, one member at a time, and none was lost. */
  check(): void {
    const holder = new Map<string, { who: string; what: 'assigned' | 'revoked' }>()
    for (const [i, { who, what, partition }] of this.calls.entries()) {
      const held = holder.get(partition)
      const at = `call ${i}: ${who} ${what} ${partition}, held by ${JSON.stringify(held)}`
      if (what === 'assigned') {
        assert.equal(held, undefined, at)
        holder.set(partition, { who, what })
      } else if (what === 'revoked') {
        assert.deepEqual(held, { who, what: 'assigned' }, at)
        holder.set(partition, { who, what })
      } else if (what === 'released') {
        assert.deepEqual(held, { who, what: 'revoked' }, at)
        holder.delete(partition)
      } else assert.fail(at)
    }
  }
}
