/** A process that is a member of a group and prints what it hears: port, group and topic are its arguments. */
import { openKafkaLog } from '../../log/kafka/index.ts'
import type { TopicPartition } from '../../log/log.ts'

const [port, group, topic] = process.argv.slice(2) as [string, string, string]
const say = (what: string) => (partitions: readonly TopicPartition[]) =>
  console.log(
    `${what} ${partitions
      .map((p) => p.partition)
      .sort()
      .join()}`,
  )
const log = await openKafkaLog({ brokers: [`127.0.0.1:${port}`], sessionTimeoutMs: 2_000 })
await log.join(group, [topic], {
  assigned: say('assigned'),
  lost: say('lost'),
  revoked: async (partitions) => say('revoked')(partitions),
})
// Its parent's death is its own.
process.stdin.on('end', () => process.exit(0)).resume()
