/** The engines that a command of replay works on. */
import { openAnalytics, openCodec, openLog, openState } from '../engines.ts'
import { keysPath, readKeyFile } from '../keys.ts'
import type { Config } from '../settings.ts'
import { Operator } from './operator.ts'

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
  const opened: { close(): Promise<void> }[] = []
  const keep = <T extends { close(): Promise<void> }>(engine: T): T => {
    opened.push(engine)
    return engine
  }
  const close = async () => {
    for (const engine of opened.reverse()) await engine.close()
  }
  try {
    const codec = await openCodec(config)
    const log = keep(await openLog(config))
    const state = keep(await openState(config))
    const analytics = () => {
      const admin = config.analytics.engine === 'embedded' ? readKeyFile(keysPath(config)).admin : ''
      return keep(openAnalytics(config, admin))
    }
    return { config, codec, log, state, analytics, close }
  } catch (error) {
    await close()
    throw error
  }
}
