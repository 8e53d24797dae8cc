/** `playhead config`: the settings in force, where each came from, secrets hidden. */
import { type Command, JSON_FLAG, table } from '../command.ts'
import { loadConfig, shown } from '../config.ts'
import { SETTING_NAMES, SETTINGS } from '../settings.ts'
import { settingsHelp, settingsPage } from '../settings-help.ts'

export const config: Command = {
  name: 'config',
  about: `Settings come from the environment, else from the file that PLAYHEAD_CONFIG names (JSON, or KEY=VALUE lines),
else they have a default. A secret may also come from a file of its own: KEY_FILE=/run/secrets/…

${settingsHelp()}`,
  flags: [JSON_FLAG, { name: 'markdown', help: 'Print the reference page (docs/configuration.md).' }],
  run: async (args, io) => {
    if (args.has('markdown')) {
      io.out(settingsPage())
      return 0
    }
    const { texts, origins, warnings } = loadConfig(io.env)
    const rows = SETTING_NAMES.map((name) => ({
      key: SETTINGS[name].key,
      value: shown(name, texts[name]) ?? null,
      origin: origins[name],
    }))
    if (args.has('json')) io.out(`${JSON.stringify(rows, undefined, 2)}\n`)
    else
      io.out(
        `${table(
          ['SETTING', 'VALUE', 'FROM'],
          rows.map((r) => [r.key, r.value ?? '–', r.value === null ? '' : r.origin]),
        )}\n`,
      )
    for (const warning of warnings) io.err(`warning: ${warning}\n`)
    return 0
  },
}
