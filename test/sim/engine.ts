/** What a simulated run is made of: the servers, what runs over them, and how a process reaches them. */

import { ownGenerations } from '../../cli/generations.ts'
import type { FoldSettings } from '../../cli/projections.ts'
import type { Generation } from '../../consumers/generation.ts'
import { generationOf } from '../../consumers/generation.ts'
import type { EventLog } from '../../log/log.ts'
import type { Projection } from '../../projections/projection.ts'
import { createCodec, type EventCodec, TOPICS } from '../../schemas/index.ts'
import type { AnalyticsStore } from '../../stores/analytics.ts'
import type { StateStore } from '../../stores/state.ts'
import type { KeyVault } from '../../stores/vault.ts'
import { TALLY } from '../consumers/tally.ts'
import { type AnalyticsMutations, SimAnalyticsServer, simAnalytics } from './analytics.ts'
import { Holders } from './holders.ts'
import { simLog } from './log.ts'
import { type LogMutations, SimLogServer } from './log-server.ts'
import type { SimProcess } from './process.ts'
import { simState } from './state.ts'
import { SimStateServer, type StateMutations } from './state-server.ts'
import { keysBy, SimVaultServer, simVault } from './vault.ts'
import { SimWorld } from './world.ts'

export interface Ports {
  readonly log: EventLog
  readonly state: StateStore
  readonly analytics: AnalyticsStore
  readonly vault: KeyVault
}

/** What is planted: a fault of an engine, or of the engine's own code as its ports and folds let it be broken from outside. */
export interface Planted {
  readonly log?: LogMutations
  readonly state?: StateMutations
  readonly analytics?: AnalyticsMutations
  /** Of consumers. */
  readonly ports?: (ports: Ports, process: SimProcess, engine: Engine) => Ports
  /** Of readers. */
  readonly readers?: (state: StateStore, engine: Engine) => StateStore
  readonly fold?: (projection: Projection, generation: Generation) => Projection
  /** An operator promotes what has passed nothing yet. */
  readonly promotesAtOnce?: true
}

export interface Engine {
  readonly world: SimWorld
  readonly log: SimLogServer
  readonly state: SimStateServer
  readonly analytics: SimAnalyticsServer
  readonly vault: SimVaultServer
  readonly codec: EventCodec
  readonly planted: Planted
  /** Names of the projections that take part; each seed has its own. */
  readonly cast: ReadonlySet<string>
  /** What runs whatever the book says. */
  readonly always: readonly Generation[]
  /** What readers saw that they must not see. */
  readonly misread: string[]
  readonly holders: Holders
}

export const SETTINGS: FoldSettings = { positionDays: 90, historyDays: 365, definitions: [] }
export const INCARNATION = 'sim'
const CAST = ['events', 'views', 'titles', 'episodes', 'title_rows', 'erasures', 'progress_rows']
const PLAYBACK_PARTITIONS = 2

let codec: Promise<EventCodec> | undefined

export async function openEngine(seed: number, planted: Planted): Promise<Engine> {
  const world = new SimWorld(seed)
  const { chance } = world
  codec ??= createCodec({})
  const log = new SimLogServer(world, planted.log, { shortAnswers: true, syncMsMax: chance.of([5, 50, 500]) })
  log.ensure(
    Object.keys(TOPICS).map((topic) => ({ topic, partitions: topic === 'playback-events' ? PLAYBACK_PARTITIONS : 1 })),
  )
  const tally = chance.happens(0.5) ? [generationOf(TALLY, INCARNATION)] : []
  const cast = new Set(['generations', 'progress', ...CAST.filter(() => chance.happens(0.35))])
  for (const { projection } of tally) cast.add(projection.name)
  return {
    world,
    log,
    planted,
    cast,
    state: new SimStateServer(planted.state),
    analytics: new SimAnalyticsServer([], planted.analytics),
    vault: new SimVaultServer(keysBy(world)),
    codec: await codec,
    always: [...ownGenerations(INCARNATION), ...tally],
    misread: [],
    holders: new Holders(),
  }
}

export function portsOf({ log, state, analytics, vault }: Engine, process: SimProcess): Ports {
  return {
    log: simLog(log, process),
    state: simState(state, process, process.clock().nowMs),
    analytics: simAnalytics(analytics, process),
    vault: simVault(vault, process),
  }
}

export function randomBy({ chance }: SimWorld): (bytes: Uint8Array) => void {
  return (bytes) => {
    for (let i = 0; i < bytes.length; i++) bytes[i] = chance.below(256)
  }
}
