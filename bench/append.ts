/**
 * Appends to the embedded log, all durable. Batches are compared with bare LMDB that puts the same bytes, sealed
 * beforehand, as many to a transaction; rounds alternate, so that a busy machine slows both alike.
 */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { BatchWriter, recordBytesBound } from '../log/embedded/batch.ts'
import { openEmbeddedLog } from '../log/embedded/index.ts'
import type { EventLog, NewRecord } from '../log/log.ts'
import { alternate, type BenchOptions, type Measured, median } from './bench.ts'

const RECORDS = 2_000
const VALUE_BYTES = 200
/** Batches under way at once, for ours and for the bare library. */
const BATCHES_AT_ONCE = 16
const CALLERS = 64

export async function run({ quick }: BenchOptions): Promise<Measured[]> {
  const [rounds, roundMs] = quick ? [1, 50] : [7, 700]
  const dir = await mkdtemp(join(tmpdir(), 'playhead-bench-'))
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  const bare = open({ path: join(dir, 'bare'), noSubdir: false, overlappingSync: false, eventTurnBatching: false })
  try {
    await log.ensureTopics([
      { topic: 'batches', partitions: 1 },
      { topic: 'events', partitions: 4 },
    ])
    return [await batches(log, bare, rounds, roundMs), await singles(log, rounds, roundMs)]
  } finally {
    await log.close()
    await bare.close()
    await rm(dir, { recursive: true, force: true })
  }
}

async function batches(log: EventLog, bare: RootDatabase, rounds: number, roundMs: number): Promise<Measured> {
  const records = someRecords('batches', RECORDS)
  const putBare = bareWriter(bare, seal(records))
  const rate = async (call: () => Promise<unknown>) => RECORDS * (await perSecond(BATCHES_AT_ONCE, roundMs, call))
  const ours = () => rate(() => log.append(records))
  const theirs = () => rate(putBare)
  // Once unmeasured, to warm up.
  await alternate(1, ours, theirs)
  return {
    name: 'embedded append, batches of 2,000 × 200 B',
    ...(await alternate(rounds, ours, theirs)),
    unit: 'records/s',
    bar: { atLeast: 0.8, of: 'ratio' },
  }
}

/** Puts the same sealed batch again and again; what callers bring at the same time goes into one transaction. */
function bareWriter(bare: RootDatabase, sealed: Buffer): () => Promise<void> {
  const table = bare.openDB<Buffer, Buffer>('batches', { encoding: 'binary', keyEncoding: 'binary' })
  let position = 0n
  return () =>
    table.transaction(() => {
      const key = Buffer.alloc(16)
      key.writeBigUInt64BE(position, 8)
      table.putSync(key, sealed)
      position += BigInt(RECORDS)
    })
}

async function singles(log: EventLog, rounds: number, roundMs: number): Promise<Measured> {
  const records = someRecords('events', RECORDS)
  let i = 0
  const rates: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const rate = await perSecond(CALLERS, roundMs, () => log.append([records[i++ % RECORDS]!]))
    // The first round only warms up.
    if (round > 0) rates.push(rate)
  }
  return {
    name: 'embedded append, one event a call, 64 callers',
    ours: median(rates),
    unit: 'appends/s',
    bar: { atLeast: 20_000, of: 'ours' },
  }
}

async function perSecond(callers: number, durationMs: number, call: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  let calls = 0
  const caller = async () => {
    while (performance.now() - begun < durationMs) {
      await call()
      calls += 1
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return (1_000 * calls) / (performance.now() - begun)
}

function someRecords(topic: string, count: number): NewRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    topic,
    key: randomUUID(),
    value: Buffer.alloc(VALUE_BYTES, i),
    timestampMs: 1_700_000_000_000 + i,
  }))
}

function seal(records: readonly NewRecord[]): Buffer {
  const writer = new BatchWriter(Buffer.alloc(RECORDS * VALUE_BYTES))
  for (const record of records) writer.add(record, recordBytesBound(record))
  return writer.seal()
}
