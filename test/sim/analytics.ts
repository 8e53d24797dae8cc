/** The simulated ClickHouse: owners, a guard, tokens that are remembered for so many blocks, and signed rows. */
import { rowHash } from '../../consumers/hash.ts'
import type { Landing } from '../../projections/projection.ts'
import type { AnalyticsStore, AuditSum, LandingInsert } from '../../stores/analytics.ts'
import { StoreFull, StoreRefused, StoreUnavailable } from '../../stores/errors.ts'
import { STORE_LIMITS } from '../../stores/limits.ts'
import { type CommitKey, ownerName } from '../../stores/state.ts'
import type { SimProcess } from './process.ts'
import { Weather } from './weather.ts'

/** Faults of the store itself, planted to see that a check finds them. */
export interface AnalyticsMutations {
  ignoresGuard?: boolean
  ignoresToken?: boolean
  /** The token is remembered before its rows are in, and a failure in between loses them. */
  tokenBeforeRows?: boolean
  ownersNotAwaited?: boolean
}

export interface SimRow {
  readonly topic: string
  readonly partition: number
  readonly version: bigint
  readonly sign: number
  readonly rowKey: string
  readonly cells: readonly string[]
}

interface Target {
  rows: SimRow[]
  readonly tokens: Map<string, bigint>
  blocks: bigint
}

export class SimAnalyticsServer {
  readonly mutations: AnalyticsMutations
  readonly owners = new Map<string, bigint>()
  readonly targets = new Map<string, Target>()
  readonly weather = new Weather()
  /** What an honest store can't see and a check must: rows of two processes in one term, or in another's tables. */
  readonly strangers: string[] = []
  readonly #landings = new Map<string, Landing>()
  readonly #dropped = new Set<string>()
  readonly #writers = new Map<string, string>()

  /** `landings`: all there are; or their tables are made with their generations. */
  constructor(landings: readonly Landing[] = [], mutations: AnalyticsMutations = {}) {
    this.mutations = mutations
    this.prepare(landings)
  }

  prepare(landings: readonly Landing[]): void {
    for (const landing of landings) this.#landings.set(landing.name, landing)
  }

  /** A database and all that is in it, for good: its name is never used again. */
  drop(database: string): void {
    this.#dropped.add(database)
    for (const name of this.targets.keys()) if (name.startsWith(`${database}.`)) this.targets.delete(name)
  }

  target(name: string): Target {
    let target = this.targets.get(name)
    if (target === undefined) {
      target = { rows: [], tokens: new Map(), blocks: 0n }
      this.targets.set(name, target)
    }
    return target
  }

  #wrote(owner: CommitKey, term: bigint, by: string): void {
    const what = `${ownerName(owner)} in term ${term}`
    const writer = this.#writers.get(what) ?? by
    this.#writers.set(what, writer)
    if (writer !== by) this.strangers.push(`rows of ${what} came from ${writer} and from ${by}`)
  }

  #mustHaveSpace(): void {
    if (this.weather.full) throw new StoreFull('the simulated ClickHouse has no space left')
  }

  own(owner: CommitKey, term: bigint): 'owned' | 'refused' {
    this.#mustHaveSpace()
    const known = this.owners.get(ownerName(owner)) ?? 0n
    if (known > term) return 'refused'
    this.owners.set(ownerName(owner), term)
    return 'owned'
  }

  insert({ table, owner, term, token, body, columns }: LandingInsert, by = ''): 'inserted' | 'refused' {
    this.#mustHaveSpace()
    if (term < (this.owners.get(ownerName(owner)) ?? 0n) && !this.mutations.ignoresGuard) return 'refused'
    const [database = '', name = ''] = table.split('.')
    if (this.#dropped.has(database)) throw new StoreRefused(`there is no database ${database}`)
    this.#wrote(owner, term, by)
    const target = this.target(`${database}.${this.#landings.get(name)!.target}`)
    const seenAt = target.tokens.get(token)
    const remembered = seenAt !== undefined && target.blocks - seenAt < BigInt(STORE_LIMITS.tokenWindowBlocks)
    if (remembered && !this.mutations.ignoresToken) return 'inserted'
    target.tokens.set(token, target.blocks)
    target.blocks++
    target.rows.push(...rowsOf(body, columns))
    return 'inserted'
  }

  /** As `insert`, but the rows never come: what a token remembered too early does. */
  remember({ table, token }: LandingInsert): void {
    const [database = '', name = ''] = table.split('.')
    const target = this.target(`${database}.${this.#landings.get(name)!.target}`)
    if (!target.tokens.has(token)) target.tokens.set(token, target.blocks)
  }

  audit(table: string, { topic, partition }: CommitKey, from: bigint, to: bigint): AuditSum {
    let rows = 0n
    let sum = 0n
    for (const row of this.target(table).rows) {
      if (row.topic !== topic || row.partition !== partition || row.version < from || row.version > to) continue
      rows += BigInt(row.sign)
      sum += BigInt(row.sign) * rowHash(row.rowKey, row.version)
    }
    return { rows, sum }
  }
}

function rowsOf(body: Buffer, columns: readonly string[]): SimRow[] {
  return body
    .toString()
    .split('\n')
    .filter((line) => line.length > 0)
    .map((line) => {
      const cells = line.split('\t').map(unescaped)
      const cell = (name: string) => cells[columns.indexOf(name)]
      const position = cell('position') ?? cell('version') ?? ''
      return {
        topic: cell('topic') ?? '',
        partition: Number(cell('partition')),
        version: BigInt(position),
        sign: Number(cell('sign') ?? 1),
        rowKey: cell('row_key') ?? position,
        cells,
      }
    })
}

export function unescaped(cell: string): string {
  return cell.replace(/\\(.)/g, (_, c: string) => ({ t: '\t', n: '\n', r: '\r' })[c] ?? c)
}

export function simAnalytics(server: SimAnalyticsServer, process: SimProcess): AnalyticsStore {
  const lost = () => new StoreUnavailable('the simulated ClickHouse did not answer')
  const call = <T>(apply: () => T) => process.call(apply, lost, { weather: server.weather })
  return {
    engine: 'sim',
    own: async (owner, term) => {
      if (!server.mutations.ownersNotAwaited) return call(() => server.own(owner, term))
      process.world.after(process.world.chance.between(0, 200), () => server.own(owner, term))
      return 'owned'
    },
    insert: (insert) =>
      call(() => {
        if (server.mutations.tokenBeforeRows && process.world.chance.happens(0.1)) {
          server.remember(insert)
          throw lost()
        }
        return server.insert(insert, process.name)
      }),
    blocks: (table) => call(() => server.target(table).blocks),
    audit: (table, owner, from, to) => call(() => server.audit(table, owner, from, to)),
    ping: () => call(() => undefined),
    close: async () => undefined,
  }
}
