/** The engines that a command of replay works on. */
import { DeadLetters } from '../../consumers/dead-letters.ts'
import type { EventLog } from '../../log/log.ts'
import type { EventCodec } from '../../schemas/index.ts'
import type { StateStore } from '../../stores/state.ts'
import type { KeyVault } from '../../stores/vault.ts'
import { openAnalytics, openCodec, openLog, openState, openVault } from '../engines.ts'
import { keysPath, readKeyFile } from '../keys.ts'
import { openTogether } from '../opened.ts'
import type { Config } from '../settings.ts'
import { Operator } from './operator.ts'

/** What the questions of replay are asked of, whoever opened it: a command, or the API for its own. */
export interface ReplayPorts {
  readonly codec: EventCodec
  readonly log: EventLog
  readonly state: StateStore
  readonly operator: Operator
  analytics(): {
    readonly database: string
    query<T>(sql: string, parameters?: Record<string, unknown>): Promise<readonly T[]>
  }
  vault(): Promise<KeyVault>
  deadLetters(): Promise<DeadLetters>
}

export interface OpenReplay extends Awaited<ReturnType<typeof openEngines>> {
  readonly operator: Operator
}

export async function withReplay<T>(config: Config, use: (replay: OpenReplay) => Promise<T>): Promise<T> {
  const engines = await openEngines(config)
  try {
    const { log, state, codec } = engines
    const operator = await Operator.open({ settings: config, log, state, codec, nowMs: Date.now })
    return await use({ ...engines, operator })
  } finally {
    await engines.close()
  }
}

async function openEngines(config: Config) {
  return await openTogether(async (opened) => {
    const codec = await openCodec(config)
    const log = opened.keep(await openLog(config))
    const state = opened.keep(await openState(config))
    // Not every command needs these.
    const analytics = once(() => {
      const admin = config.analytics.engine === 'embedded' ? readKeyFile(keysPath(config)).admin : ''
      return opened.keep(openAnalytics(config, admin))
    })
    const vault = once(async () => opened.keep(await openVault(config)))
    const deadLetters = once(() => DeadLetters.open(state))
    return { config, codec, log, state, analytics, vault, deadLetters }
  })
}

function once<T>(open: () => T): () => T {
  let opened: { readonly engine: T } | undefined
  return () => {
    opened ??= { engine: open() }
    return opened.engine
  }
}
