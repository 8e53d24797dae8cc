/** The settings in words: for `playhead config --help` and for docs/configuration.md. Both come from the one table. */
import { columns } from './command.ts'
import { CONFIG_FILE_KEY, SETTING_NAMES, SETTINGS, type Setting } from './settings.ts'

function groups(): ReadonlyMap<string, readonly Setting<unknown>[]> {
  const byGroup = new Map<string, Setting<unknown>[]>()
  for (const name of SETTING_NAMES) {
    const setting: Setting<unknown> = SETTINGS[name]
    byGroup.set(setting.group, [...(byGroup.get(setting.group) ?? []), setting])
  }
  return byGroup
}

export function settingsHelp(): string {
  return [...groups()]
    .map(([group, settings]) => {
      const rows = settings.map((s) => [s.key, s.default === undefined ? s.help : `${s.help} [${s.default}]`] as const)
      return `${group}:\n${columns(rows)}`
    })
    .join('\n\n')
}

export function settingsPage(): string {
  const sections = [...groups()].map(([group, settings]) => {
    const rows = settings.map(
      (s) =>
        `| \`${s.key}\`${s.secret === undefined ? '' : ' 🔒'} | ${s.default === undefined ? '' : `\`${s.default}\``} | ${s.help} |`,
    )
    return `## ${group}\n\n| setting | default | meaning |\n| --- | --- | --- |\n${rows.join('\n')}\n`
  })
  return `# Configuration

<!-- Written by \`playhead config --markdown\` from cli/settings.ts; change that and write it again. -->

Settings are environment variables, or entries of the file that \`${CONFIG_FILE_KEY}\` names: JSON, or lines of \`KEY=VALUE\`.
The environment wins. A setting marked 🔒 may hold a secret: it is never shown, and it may come from a file of its own,
\`KEY_FILE=/run/secrets/…\`. A wrong value stops the start and is named; an unknown \`PLAYHEAD_…\` key is warned of, with the
nearest name. \`playhead config\` shows what is in force and where it came from.

${sections.join('\n')}`
}
