/** The engines that an import writes to, and the two that it asks: the vault for keys, the catalogue for facts. */
import { createSealer } from '../../producers/personal.ts'
import type { EventCodec } from '../../schemas/index.ts'
import { openLog, openState, openVault } from '../engines.ts'
import { openPointers } from '../pointers.ts'
import { openReaders } from '../readers.ts'
import type { Config } from '../settings.ts'
import { factsFrom } from './facts.ts'
import type { ImportPorts } from './kind.ts'

export interface OpenImportPorts {
  readonly ports: ImportPorts
  close(): Promise<void>
}

export async function openImportPorts(config: Config, codec: EventCodec): Promise<OpenImportPorts> {
  const opened: { close(): Promise<void> }[] = []
  const close = async () => {
    for (const engine of opened.reverse()) await engine.close()
  }
  try {
    const log = await openLog(config)
    opened.push(log)
    const state = await openState(config)
    opened.push(state)
    const vault = await openVault(config)
    opened.push(vault)
    const { titles } = openReaders(await openPointers(config, state, await log.incarnation()))
    const random = (bytes: Uint8Array) => {
      globalThis.crypto.getRandomValues(bytes)
    }
    const sealer = createSealer({ vault, random, nowMs: Date.now })
    return { ports: { log, codec, sealer, factsOf: factsFrom(titles) }, close }
  } catch (error) {
    await close()
    throw error
  }
}
