/** Counts requests of a subject within a class: in this process (memory.ts) or shared by all of them (shared.ts). */
import type { LimitClass } from '../context.ts'
import type { Verdict } from './window.ts'

export interface Limiter {
  /** A value where it is known at once, so that a heartbeat waits for nothing. Never rejects. */
  take(limitClass: LimitClass, subject: string, limit: number): Verdict | Promise<Verdict>
  close(): Promise<void>
}
