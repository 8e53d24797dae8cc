/** What an append must pass before it is sent: the limits of a record, and room among those that wait to be durable. */
import { LogBusy, LogRefused } from '../../log/errors.ts'
import { LOG_LIMITS } from '../../log/limits.ts'
import type { NewRecord } from '../../log/log.ts'

const BUSY_RETRY_MS = 50

export class Admission {
  #records = 0
  #bytes = 0

  /** Counts them as waiting, or throws and takes nothing; the answer takes them back. */
  admit(records: readonly NewRecord[]): () => void {
    const { queuedRecordsMax, queuedBytesMax } = LOG_LIMITS
    const bytes = records.reduce((sum, record) => sum + sizeOf(record), 0)
    within('queuedRecordsMax', records.length, queuedRecordsMax, 'an append')
    within('queuedBytesMax', bytes, queuedBytesMax, 'an append')
    if (this.#records + records.length > queuedRecordsMax || this.#bytes + bytes > queuedBytesMax) {
      throw new LogBusy(`${this.#records} records and ${this.#bytes} bytes wait to become durable`, BUSY_RETRY_MS)
    }
    this.#records += records.length
    this.#bytes += bytes
    return () => {
      this.#records -= records.length
      this.#bytes -= bytes
    }
  }
}

function sizeOf({ topic, key, value, timestampMs, headers = {} }: NewRecord): number {
  const keyBytes = Buffer.byteLength(key)
  let bytes = value.length
  for (const [name, text] of Object.entries(headers)) bytes += Buffer.byteLength(name) + Buffer.byteLength(text)
  within('recordBytesMax', bytes, LOG_LIMITS.recordBytesMax, `a record for ${topic}`)
  within('keyBytesMax', keyBytes, LOG_LIMITS.keyBytesMax, `a key for ${topic}`)
  if (!Number.isSafeInteger(timestampMs) || timestampMs < 0) {
    throw new LogRefused(`timestampMs must be a whole number of milliseconds, not ${timestampMs}`)
  }
  return keyBytes + bytes
}

function within(limit: string, n: number, max: number, what: string): void {
  if (n > max) throw new LogRefused(`${limit} is ${max}, ${what} has ${n}`)
}
