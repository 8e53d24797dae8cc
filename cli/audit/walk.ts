/**
 * All keys of one topic, each once, in an order that no two walks have in common: what was looked at so far is a random
 * sample of all, and when it has come to its end it has seen everything that was there at its begin.
 */
import { AUDIT_LIMITS } from './limits.ts'

export interface WalkPorts {
  query<T>(sql: string, parameters?: Record<string, unknown>): Promise<readonly T[]>
}

export interface WalkedKey {
  readonly key: string
  readonly records: number
}

interface Row {
  readonly key: string
  readonly place: string
  readonly records: string
}

export class Walk {
  readonly #topic: string
  readonly #salt: string
  #page: Row[] = []
  #after = '-1'
  #over = false

  /** `salt`: another one, another order. */
  constructor(topic: string, salt: string) {
    this.#topic = topic
    this.#salt = salt
  }

  /** Undefined: that was all. */
  async next(ports: WalkPorts): Promise<WalkedKey | undefined> {
    if (this.#page.length === 0 && !this.#over) await this.#turn(ports)
    const row = this.#page.shift()
    if (row === undefined) return undefined
    this.#after = row.place
    return { key: row.key, records: Number(row.records) }
  }

  async #turn({ query }: WalkPorts): Promise<void> {
    const rows = await query<Row>(
      `SELECT key, toString(at) AS place, toString(n) AS records FROM (
         SELECT key, toInt64(bitShiftRight(sipHash64({salt:String}, key), 1)) AS at, count() AS n
         FROM events WHERE topic = {topic:String} AND key != '' AND at > {after:Int64} GROUP BY key
       ) ORDER BY at LIMIT {limit:UInt32}`,
      { topic: this.#topic, salt: this.#salt, after: this.#after, limit: AUDIT_LIMITS.pageKeys },
    )
    this.#page = [...rows]
    this.#over = rows.length < AUDIT_LIMITS.pageKeys
  }
}
