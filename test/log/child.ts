/**
 * Another process on the same log, for the tests that need one; driven by messages, talking back in messages.
 *   append   appends three records at a time to `topic`, each in its turn, and says after each append how many are durable
 *   once     appends one record, and ends
 *   tail     waits for one record after the other and says when it had each
 *   fill     appends until that fails, says how, and what it reads back; then tries once more, small
 *   member   joins a group and says what it is told; `leave` makes it leave
 */

import { partitionName } from '../../log/assignment.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { LogError } from '../../log/errors.ts'
import type { EventLog } from '../../log/log.ts'

export type Say =
  | { readonly say: 'ready' | 'left' }
  | { readonly say: 'durable'; readonly count: number }
  | { readonly say: 'full'; readonly code: string; readonly acknowledged: number; readonly readBack: number }
  | { readonly say: 'had'; readonly value: string; readonly atMs: number }
  | { readonly say: 'assigned' | 'revoked' | 'lost'; readonly partitions: readonly string[] }

const [what, dir, topic, name] = process.argv.slice(2) as [string, string, string, string]
const log = await openEmbeddedLog({ dir })
const roles: Readonly<Record<string, (log: EventLog) => Promise<void>>> = { append, once, tail, fill, member }
// A parent that is gone wants nothing more of us.
process.once('disconnect', () => process.exit())
tell({ say: 'ready' })
await roles[what]!(log)

async function append(): Promise<void> {
  let count = 0
  const appender = async () => {
    for (;;) {
      const values = [0, 1, 2].map(() => `${name}:${count++}`)
      await log.append(values.map((v) => ({ topic, key: name, value: Buffer.from(v), timestampMs: 1 })))
      tell({ say: 'durable', count: Number(values[2]!.split(':')[1]) + 1 })
    }
  }
  // Several at a time, so that there is always one under way.
  await Promise.all([appender(), appender(), appender()])
}

async function once(): Promise<void> {
  await log.append([{ topic, key: name, value: Buffer.from(name), timestampMs: 1 }])
  await log.close()
}

async function tail(): Promise<void> {
  let from = (await log.bounds(topic))[0]!.start
  for (;;) {
    const answer = await log.read({ topic, partition: 0, from, bytesMax: 1e6, recordsMax: 1e3, waitMs: 60_000 })
    const atMs = performance.timeOrigin + performance.now()
    for (const record of answer.records) tell({ say: 'had', value: record.value.toString(), atMs })
    from = answer.next
  }
}

async function fill(): Promise<void> {
  const value = Buffer.alloc(200_000, 'x')
  for (let acknowledged = 0; ; acknowledged++) {
    try {
      await log.append([0, 1].map(() => ({ topic, key: 'k', value, timestampMs: 1 })))
    } catch (error) {
      const [bounds] = await log.bounds(topic)
      const from = bounds!.start
      const { records } = await log.read({ topic, partition: 0, from, bytesMax: 1e9, recordsMax: 1e6, waitMs: 0 })
      const code = error instanceof LogError ? error.code : String(error)
      tell({ say: 'full', code, acknowledged: 2 * acknowledged, readBack: records.length })
      return
    }
  }
}

async function member(): Promise<void> {
  const membership = await log.join(name, [topic], {
    assigned: (partitions) => tell({ say: 'assigned', partitions: partitions.map(partitionName) }),
    lost: (partitions) => tell({ say: 'lost', partitions: partitions.map(partitionName) }),
    revoked: async (partitions) => tell({ say: 'revoked', partitions: partitions.map(partitionName) }),
  })
  await new Promise((resolve) => process.once('message', resolve))
  await membership.leave()
  await log.close()
  tell({ say: 'left' })
  process.disconnect()
}

function tell(message: Say): void {
  process.send?.(message)
}
