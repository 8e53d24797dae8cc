/** What the contract's tests share: a scene (clients of one log, fresh topics and groups) and patient waiting. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { EventLog, LogRecord, NewRecord, Position } from '../../log/log.ts'
import { partitionOf } from '../../log/partition.ts'

export interface LogUnderTest {
  /** Another client of the same log, as another process would open it. */
  open(): Promise<EventLog>
  /** Stops and starts what keeps the log, if that is more than its clients. */
  restart?(): Promise<void>
  close(): Promise<void>
}

/** How long this engine may take; generous, for busy machines. A test that passes never waits this long. */
export interface Patience {
  /** A change of a group's members, until everybody has heard. */
  readonly groupMs: number
  /** Anything else. */
  readonly answerMs: number
}

export interface Scene {
  /** A client for the whole test. */
  readonly log: EventLog
  readonly patience: Patience
  /** One more client of the same log; closed after the test. */
  open(): Promise<EventLog>
  restart(): Promise<void>
  /** A fresh topic. */
  topic(partitions?: number): Promise<string>
  /** A fresh group's name. */
  group(): string
}

export type Scenario = (name: string, play: (scene: Scene) => Promise<void>) => void

export function scenarios(underTest: () => LogUnderTest, patience: Patience): Scenario {
  return (name, play) => {
    test(name, async () => {
      const opened: EventLog[] = []
      const open = async () => {
        const log = await underTest().open()
        opened.push(log)
        return log
      }
      try {
        const log = await open()
        await play({
          log,
          patience,
          open,
          restart: async () => underTest().restart?.(),
          async topic(partitions = 1) {
            const topic = `topic-${randomUUID()}`
            await log.ensureTopics([{ topic, partitions }])
            return topic
          },
          group: () => `group-${randomUUID()}`,
        })
      } finally {
        await Promise.all(opened.map((log) => log.close()))
      }
    })
  }
}

/** Asks until it is so; what is waited for is in the failure's message. */
export async function until(what: string, timeoutMs: number, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await holds())) {
    if (Date.now() > deadline) assert.fail(`not within ${timeoutMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export async function within<T>(what: string, timeoutMs: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new assert.AssertionError({ message: `not within ${timeoutMs} ms: ${what}` })),
      timeoutMs,
    )
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

export function record(topic: string, key: string, value: string | Uint8Array = 'value'): NewRecord {
  return { topic, key, value: typeof value === 'string' ? Buffer.from(value) : value, timestampMs: 1_700_000_000_000 }
}

/** A key that lives in this partition. */
export function keyIn(partition: number, partitions: number, prefix = 'key'): string {
  for (let i = 0; ; i++) if (partitionOf(`${prefix}-${i}`, partitions) === partition) return `${prefix}-${i}`
}

export async function startOf(log: EventLog, topic: string, partition = 0): Promise<Position> {
  return (await log.bounds(topic)).find((b) => b.partition === partition)!.start
}

/** Everything a partition holds, in order, by reading page after page. */
export async function readAll(log: EventLog, topic: string, partition = 0, recordsMax = 10_000): Promise<LogRecord[]> {
  const all: LogRecord[] = []
  let from = await startOf(log, topic, partition)
  for (;;) {
    const answer = await log.read({ topic, partition, from, bytesMax: 1_000_000, recordsMax, waitMs: 0 })
    all.push(...answer.records)
    if (answer.next >= answer.end) return all
    assert.ok(answer.next > from, 'a read below the end moves on')
    from = answer.next
  }
}

export function texts(records: readonly LogRecord[]): string[] {
  return records.map((r) => r.value.toString())
}
