import type { CommitKey, CommitRecord, CommitStore, Swap } from '../state.ts'
import { checkRevision, type Texts, tallyFrom } from '../values.ts'
import type { Environment } from './environment.ts'
import { afterPrefix, TableKeys } from './key.ts'

const keys = new TableKeys(0, {
  name: 'commits',
  comment: 'How far each generation has gone in each partition',
  partition: [{ name: 'generation', type: 'text' }],
  clustering: [
    { name: 'topic', type: 'text' },
    { name: 'partition', type: 'int' },
  ],
  columns: [],
})

export function embeddedCommits(env: Environment): CommitStore {
  const stored = (key: Buffer): CommitRecord | undefined => {
    const bytes = env.commits.getBinary(key)
    return bytes && decode(bytes)
  }
  return {
    async read(key) {
      env.latest()
      return stored(encodeKey(key))
    },
    async swap(key, expected, next) {
      checkRevision(expected, next)
      const at = encodeKey(key)
      const value = encode(next)
      return env.write(1, (): Swap => {
        const found = stored(at)
        if (found?.revision !== expected?.revision) return { swapped: false, found }
        void env.commits.put(at, value)
        return { swapped: true }
      })
    },
    async list(generation) {
      env.latest()
      const start = keys.encode([generation])
      return [...env.commits.getRange({ start, end: afterPrefix(start) })].map(({ key, value }) => {
        const [, topic, partition] = keys.decode(key)
        return { generation, topic: topic as string, partition: partition as number, record: decode(value) }
      })
    },
  }
}

function encodeKey({ generation, topic, partition }: CommitKey): Buffer {
  return keys.encode([generation, topic, partition])
}

/** JSON with every bigint as text: a commit record can be read with any LMDB tool. */
function encode(record: CommitRecord): Buffer {
  return Buffer.from(JSON.stringify(record, (_, value) => (typeof value === 'bigint' ? `${value}` : value)))
}

function decode(bytes: Buffer): CommitRecord {
  const { term, revision, checkpoint, intent, tally, audit } = JSON.parse(bytes.toString()) as Texts<CommitRecord>
  const record: CommitRecord = {
    term: BigInt(term),
    revision: BigInt(revision),
    checkpoint: BigInt(checkpoint),
    tally: tallyFrom(tally),
    audit: BigInt(audit),
  }
  if (!intent) return record
  return {
    ...record,
    intent: {
      from: BigInt(intent.from),
      to: BigInt(intent.to),
      parked: intent.parked.map((position) => BigInt(position)),
      blocks: BigInt(intent.blocks),
      audit: BigInt(intent.audit),
    },
  }
}
