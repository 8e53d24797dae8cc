/** `playhead diagnose`: one JSON file for a bug report. It holds no secret, no event and no personal data. */

import { writeFileSync } from 'node:fs'
import { cpus, freemem, release, totalmem } from 'node:os'
import { allFindings } from '../checks.ts'
import type { Command } from '../command.ts'
import { loadConfig, shown } from '../config.ts'
import { foldersOf, openLogAt } from '../engines.ts'
import { toJson } from '../json.ts'
import { SETTING_NAMES, SETTINGS } from '../settings.ts'
import { VERSION } from '../version.ts'
import { readStats } from './log-stats.ts'
import { readStatus } from './status.ts'

export const diagnose: Command = {
  name: 'diagnose',
  about: `Versions, settings (secrets hidden), doctor's findings, status and log statistics in one JSON file.
Look it through before you send it.`,
  flags: [{ name: 'out', value: 'FILE', help: 'Where to write it; - is standard output [playhead-diagnose.json]' }],
  run: async (args, io) => {
    const { config, texts, origins, warnings } = loadConfig(io.env)
    const report = {
      playhead: VERSION,
      madeAt: new Date().toISOString(),
      machine: {
        node: process.versions.node,
        platform: `${process.platform} ${process.arch} ${release()}`,
        cpus: cpus().length,
        memoryBytes: totalmem(),
        memoryFreeBytes: freemem(),
      },
      settings: SETTING_NAMES.map((name) => ({
        key: SETTINGS[name].key,
        value: shown(name, texts[name]),
        origin: origins[name],
      })),
      warnings,
      doctor: await allFindings(config),
      status: await attempt(async () => readStatus(foldersOf(config))),
      log: await attempt(async () => {
        const log = await openLogAt(config, config.log)
        return await readStats(log, config).finally(() => log.close())
      }),
    }
    const file = args.value('out') ?? 'playhead-diagnose.json'
    const text = `${toJson(report, 2)}\n`
    if (file === '-') io.out(text)
    else {
      writeFileSync(file, text, { mode: 0o600 })
      io.out(`wrote ${file}\n`)
    }
    return 0
  },
}

/** A part that fails is a finding of its own: the report is made when things are broken. */
async function attempt<T>(read: () => Promise<T>): Promise<T | { readonly failed: string }> {
  try {
    return await read()
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) }
  }
}
