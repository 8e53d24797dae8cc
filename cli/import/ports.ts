/** The engines that an import writes to, and the two that it asks: the vault for keys, the catalogue for facts. */
import { createSealer } from '../../producers/personal.ts'
import type { EventCodec } from '../../schemas/index.ts'
import { openLog, openState, openVault } from '../engines.ts'
import { openTogether } from '../opened.ts'
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
  return await openTogether(async (opened) => {
    const log = opened.keep(await openLog(config))
    const state = opened.keep(await openState(config))
    const vault = opened.keep(await openVault(config))
    const { titles } = openReaders(await openPointers(config, state, await log.incarnation()))
    const random = (bytes: Uint8Array) => {
      globalThis.crypto.getRandomValues(bytes)
    }
    const sealer = createSealer({ vault, random, nowMs: Date.now })
    return { ports: { log, codec, sealer, factsOf: factsFrom(titles) } }
  })
}
