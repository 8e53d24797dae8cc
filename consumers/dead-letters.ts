/**
 * Dead letters: events that can't be folded, by generation, topic, partition and position. A letter's status only moves
 * forward (its version is its status), so parking the same event again changes nothing, whatever became of it since.
 */
import type { ColumnValue, StateRow, StateStore, StateTable, TableSpec } from '../stores/state.ts'
import type { ParkedRecord } from './decide.ts'
import { CONSUMER_LIMITS } from './limits.ts'

export const DEAD_LETTER_STATUSES = ['parked', 'replayed', 'discarded'] as const
export type DeadLetterStatus = (typeof DEAD_LETTER_STATUSES)[number]

export interface DeadLetter {
  readonly generation: string
  readonly topic: string
  readonly partition: number
  readonly position: bigint
  readonly status: DeadLetterStatus
  readonly cause: ParkedRecord['cause']
  readonly detail: string
  readonly key: string | null
  readonly timestampMs: number
  /** The first deadLetterBytesMax bytes; the whole record is in the log. */
  readonly value: Buffer
}

export const DEAD_LETTERS: TableSpec = {
  name: 'dead_letters',
  comment: 'Events that a projection could not fold, until an operator replays or discards them',
  partition: [{ name: 'generation', type: 'text' }],
  clustering: [
    { name: 'topic', type: 'text' },
    { name: 'partition_number', type: 'int' },
    { name: 'position', type: 'long' },
  ],
  columns: [
    { name: 'status', type: 'text', comment: 'parked, replayed or discarded; only ever moves forward' },
    { name: 'cause', type: 'text', comment: 'frame, unknown-schema, body or fold' },
    { name: 'detail', type: 'text' },
    { name: 'record_key', type: 'text' },
    { name: 'record_time', type: 'timestamp' },
    { name: 'value', type: 'blob' },
  ],
}

export class DeadLetters {
  readonly #table: StateTable

  private constructor(table: StateTable) {
    this.#table = table
  }

  static async open(state: StateStore): Promise<DeadLetters> {
    return new DeadLetters(await state.table(DEAD_LETTERS))
  }

  async park(generation: string, topic: string, partition: number, parked: readonly ParkedRecord[]): Promise<void> {
    await this.#table.upsert(
      parked.map(({ record, cause, detail }) =>
        rowOf({
          generation,
          topic,
          partition,
          position: record.position,
          status: 'parked',
          cause,
          detail: detail.slice(0, 1_000),
          key: record.key,
          timestampMs: record.timestampMs,
          value: record.value.subarray(0, CONSUMER_LIMITS.deadLetterBytesMax),
        }),
      ),
    )
  }

  /** Its status moves forward, or stays what it is. */
  async settle(letter: DeadLetter, status: Exclude<DeadLetterStatus, 'parked'>): Promise<void> {
    await this.#table.upsert([rowOf({ ...letter, status })])
  }

  async get(
    generation: string,
    { topic, partition, position }: Pick<DeadLetter, 'topic' | 'partition' | 'position'>,
  ): Promise<DeadLetter | undefined> {
    const [row] = await this.#table.get([[generation, topic, partition, position]])
    return row && letterOf(row)
  }

  async list(generation: string, limit: number, after?: DeadLetter): Promise<readonly DeadLetter[]> {
    const from = after === undefined ? {} : { after: [after.topic, after.partition, after.position] }
    const rows = await this.#table.list({ partition: [generation], limit, ...from })
    return rows.map(letterOf)
  }
}

function rowOf(letter: DeadLetter): StateRow {
  return {
    key: [letter.generation, letter.topic, letter.partition, letter.position],
    version: BigInt(DEAD_LETTER_STATUSES.indexOf(letter.status)),
    columns: [letter.status, letter.cause, letter.detail, letter.key, letter.timestampMs, letter.value],
  }
}

function letterOf(row: StateRow): DeadLetter {
  const [generation, topic, partition, position] = row.key as [string, string, number, bigint]
  const [status, cause, detail, key, timestampMs, value] = row.columns as ColumnValue[] as [
    DeadLetterStatus,
    ParkedRecord['cause'],
    string,
    string | null,
    number,
    Uint8Array,
  ]
  return { generation, topic, partition, position, status, cause, detail, key, timestampMs, value: Buffer.from(value) }
}
