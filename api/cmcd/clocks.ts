/**
 * What a device's clock reads now. CMCD has no `sentAt`: a batch's newest `ts` stands in for it. Batches are late, by a
 * retry or a bad network, and how late differs; the clock's error does not. So a session keeps the smallest lag that was
 * seen, and a small one is taken for lateness and not for an error. What is remembered is an estimate, bounded, and only
 * used while stamping: another process, or one that was restarted, starts with the batch at hand.
 *
 * `sn` says in which order a player wrote its records. Where its clock steps back a little between two of them (a stall's
 * end before its begin was seen), the later one is put at the time of the earlier.
 */
import { Recent } from '../recent.ts'
import { COLLECTOR_LIMITS } from './limits.ts'

/** One record's place in time and order, as it says. */
export interface Moment {
  readonly tsMs: number | undefined
  /** When it was written, which for a response is when that was complete. */
  readonly writtenMs: number | undefined
  /** Undefined where it says nothing of the order of times. */
  readonly sequence: number | undefined
}

interface Clock {
  /** What is to be added to the device's time. */
  offsetMs: number
  sequence: number
  tsMs: number
}

export class SessionClocks {
  private readonly known = new Recent<Clock>(COLLECTOR_LIMITS.clocksMax)

  /** For each record of a batch the device's time to use, and the device's time at the moment of receipt. */
  read(session: string, moments: readonly Moment[], receivedAtMs: number): Read {
    const newest = newestOf(moments)
    if (newest === undefined) return { times: moments.map(() => undefined), sentAtMs: undefined }
    const clock = this.clockOf(session, receivedAtMs - newest)
    const times = moments.map((_, i) => moments[i]!.tsMs)
    const order = moments.flatMap(({ sequence, tsMs }, i) => (sequence === undefined || tsMs === undefined ? [] : [i]))
    order.sort((a, b) => moments[a]!.sequence! - moments[b]!.sequence!)
    for (const i of order) {
      const { sequence, tsMs } = moments[i] as { sequence: number; tsMs: number }
      const back = clock.tsMs - tsMs
      if (sequence > clock.sequence && back > 0 && back <= COLLECTOR_LIMITS.stepBackMaxMs) times[i] = clock.tsMs
      if (sequence < clock.sequence) continue
      clock.sequence = sequence
      clock.tsMs = times[i]!
    }
    return { times, sentAtMs: clock.offsetMs === 0 ? undefined : receivedAtMs - clock.offsetMs }
  }

  private clockOf(session: string, lagMs: number): Clock {
    const known = this.known.get(session)
    if (known !== undefined) {
      known.offsetMs = Math.min(known.offsetMs, lagMs)
      return known
    }
    const late = lagMs >= 0 && lagMs <= COLLECTOR_LIMITS.clockTrustMs
    const clock = { offsetMs: late ? 0 : lagMs, sequence: -1, tsMs: Number.NEGATIVE_INFINITY }
    this.known.put(session, clock)
    return clock
  }
}

export interface Read {
  readonly times: readonly (number | undefined)[]
  /** Undefined where the clock is right, or nothing is said of it. */
  readonly sentAtMs: number | undefined
}

/** Of the records that belong together: one that is far beyond the middle has a broken time, and moves nobody else's. */
function newestOf(moments: readonly Moment[]): number | undefined {
  const times = moments.flatMap(({ writtenMs }) => (writtenMs === undefined ? [] : [writtenMs])).sort((a, b) => a - b)
  const middle = times[(times.length - 1) >> 1]
  if (middle === undefined) return undefined
  return times.findLast((ms) => ms - middle <= COLLECTOR_LIMITS.batchSpanMaxMs)
}
