/**
 * Judges the rules, minute by minute, and writes what opens and resolves into the log.
 *
 * A minute of a source is *going on* → *complete* (the projection has read everything that was received until a while
 * after it) → *judged* (what it decides is in the log) → *behind the cursor*. Only one evaluator at a time gets that
 * far: it holds the partition of the engine's events, and its cursors carry its term.
 *
 * What can fail: everything between two of these, at any place. The minute is then judged again: the incidents are read
 * anew, once their projection has passed the end of the log, and what was written before is among them; what an older
 * evaluator still writes late has the same ids (producers/incidents.ts) and falls out.
 */
import type { NewRecord } from '../../log/log.ts'
import { incidentResolved } from '../../producers/incidents.ts'
import { WATCHED_METRICS } from '../../projections/incidents/metrics.ts'
import type { Rule } from '../../projections/incidents/rule.ts'
import { mayPass } from '../retry.ts'
import { type Book, IncidentBook } from './book.ts'
import { Cursor } from './cursor.ts'
import { judgeRule, ruleOf } from './judge-rule.ts'
import { ALERT_LIMITS } from './limits.ts'
import { type AlertPorts, ENGINE_EVENTS, type JudgedGenerations } from './ports.ts'
import { watermarkOf } from './watermark.ts'

const MINUTE_MS = 60_000
const JUDGED_TOPIC = 'playback-events'

type SourceName = keyof JudgedGenerations

/** *put off*: look again soon, nothing is wrong. */
export type RoundOutcome = 'done' | 'put off'

export interface EvaluatorStatus {
  /** By source: end of the last minute that was judged. */
  readonly judgedThroughMs: Readonly<Partial<Record<SourceName, number>>>
  readonly open: readonly { readonly rule: string; readonly severity: string }[]
  /** By rule: why it could not be judged the last time. */
  readonly failing: Readonly<Record<string, string>>
}

export class Evaluator {
  readonly #ports: AlertPorts
  readonly #book: IncidentBook
  readonly #bySource: ReadonlyMap<SourceName, readonly Rule[]>
  readonly #cursors = new Map<SourceName, Cursor>()
  readonly #failing = new Map<string, string>()
  #last: Book | undefined

  constructor(ports: AlertPorts) {
    this.#ports = ports
    const { log, state } = ports
    this.#book = new IncidentBook({ log, commits: state.commits, incidents: () => ports.incidents })
    this.#bySource = rulesBySource(ports)
  }

  async takeOver(): Promise<void> {
    const { state } = this.#ports
    for (const source of this.#bySource.keys()) {
      const key = { generation: `alerts_v1_${source}`, topic: ENGINE_EVENTS, partition: 0 }
      // Nobody judged before: history that was just imported is no news.
      const first = async () => BigInt((await completeMsOf(this.#ports, source)) / MINUTE_MS - 1)
      this.#cursors.set(source, await Cursor.takeOver(state.commits, key, first))
    }
  }

  async round(): Promise<RoundOutcome> {
    const book = await this.#book.read()
    if (book === 'behind') return 'put off'
    this.#last = book
    const orphans = this.#resolveOrphans(book)
    if (orphans.length > 0) {
      await this.#ports.log.append(orphans)
      return 'put off'
    }
    let outcome: RoundOutcome = 'done'
    for (const [source, rules] of this.#bySource) {
      if ((await this.#judge(source, rules)) === 'put off') outcome = 'put off'
    }
    return outcome
  }

  status(): EvaluatorStatus {
    const ends = [...this.#cursors].map(([source, cursor]) => [source, Number(cursor.at + 1n) * MINUTE_MS])
    const open = [...(this.#last?.last.values() ?? [])].filter(({ resolved }) => resolved === null)
    return {
      judgedThroughMs: Object.fromEntries(ends),
      open: open.map(({ rule, severity }) => ({ rule, severity })),
      failing: Object.fromEntries(this.#failing),
    }
  }

  async #judge(source: SourceName, rules: readonly Rule[]): Promise<RoundOutcome> {
    const cursor = this.#cursors.get(source)
    if (cursor === undefined) throw new Error('take over first')
    // Minutes that are complete in one generation may not be in another: what is read is pinned until they are judged.
    const pinned: AlertPorts = { ...this.#ports }
    const completeMs = await completeMsOf(pinned, source)
    const { catchUpMinutes, minutesPerRoundMax } = ALERT_LIMITS
    const decidedMs = Math.max(Number(cursor.at) * MINUTE_MS, completeMs - catchUpMinutes * MINUTE_MS)
    if (completeMs <= decidedMs) return 'done'
    // Read again: another source's rules may have written since.
    const book = await this.#book.read()
    if (book === 'behind') return 'put off'
    this.#last = book
    const toMs = Math.min(completeMs, decidedMs + minutesPerRoundMax * MINUTE_MS)
    const records: NewRecord[] = []
    for (const rule of rules) records.push(...(await this.#judgeOne(pinned, rule, book, decidedMs, toMs)))
    if (records.length > 0) await this.#ports.log.append(records)
    await cursor.move(BigInt(toMs / MINUTE_MS))
    return toMs < completeMs ? 'put off' : 'done'
  }

  /** A rule that can't be judged (a query that is refused) is told, and keeps no other rule from being judged. */
  async #judgeOne(
    pinned: AlertPorts,
    rule: Rule,
    book: Book,
    decidedMs: number,
    toMs: number,
  ): Promise<readonly NewRecord[]> {
    try {
      const records = await judgeRule(pinned, rule, book, decidedMs, toMs)
      this.#failing.delete(rule.name)
      return records
    } catch (error) {
      if (mayPass(error)) throw error
      const why = error instanceof Error ? error.message : String(error)
      this.#failing.set(rule.name, why)
      this.#ports.counts.ruleFailed(rule.name)
      this.#ports.logger.error({ rule: rule.name, err: error }, 'a rule could not be judged')
      return []
    }
  }

  /** What is open and no rule in force speaks of would stay open for ever. */
  #resolveOrphans(book: Book): readonly NewRecord[] {
    const { codec, world, origin, rules } = this.#ports
    const atMs = world.nowMs()
    const arrival = { ...origin, source: 'engine', receivedAtMs: atMs } as const
    return [...book.last.values()].flatMap(({ incidentId, subject, rule, ...row }) => {
      if (row.resolved !== null || ruleOf({ subject, rule, ...row }, rules) !== undefined) return []
      const reason = 'no rule in force speaks of it'
      return [incidentResolved(codec, arrival, { atMs, incidentId, subject, rule, observed: null, reason })]
    })
  }
}

/** Start of the last minute that is complete. */
async function completeMsOf({ log, state, world, generations }: AlertPorts, source: SourceName): Promise<number> {
  const ports = { log, commits: state.commits, nowMs: world.nowMs }
  const watermarkMs = await watermarkOf(ports, generations[source]!, JUDGED_TOPIC)
  return Math.floor((watermarkMs - ALERT_LIMITS.settleMs) / MINUTE_MS) * MINUTE_MS - MINUTE_MS
}

function rulesBySource({ rules, generations }: AlertPorts): ReadonlyMap<SourceName, readonly Rule[]> {
  const bySource = new Map<SourceName, Rule[]>()
  for (const rule of rules) {
    const source = WATCHED_METRICS[rule.metric]?.[rule.definition]?.source
    const name: SourceName = source === 'cdn_requests' ? 'cdn_requests' : 'views'
    if (generations[name] === undefined) continue
    const own = bySource.get(name)
    if (own === undefined) bySource.set(name, [rule])
    else own.push(rule)
  }
  return bySource
}
