/** `playhead doctor`: is this machine fit, are the engines there, and if not, what to do. */
import { allFindings } from '../checks.ts'
import { type Command, JSON_FLAG } from '../command.ts'
import { loadConfig } from '../config.ts'

export const doctor: Command = {
  name: 'doctor',
  about: `Checks Node, the data folder, disk, keys, ports, and that each configured engine answers and agrees on the time.
Exit code 0 if all is well, 1 if not.`,
  flags: [JSON_FLAG],
  run: async (args, io) => {
    const { config, warnings } = loadConfig(io.env)
    const findings = await allFindings(config)
    if (args.has('json')) io.out(`${JSON.stringify({ findings, warnings }, undefined, 2)}\n`)
    else {
      for (const { check, ok, found, remedy } of findings) {
        io.out(`${ok ? '✓' : '✗'} ${check.padEnd(16)} ${found}\n`)
        if (remedy !== undefined) io.out(`  → ${remedy}\n`)
      }
      for (const warning of warnings) io.out(`! ${warning}\n`)
    }
    return findings.every((finding) => finding.ok) ? 0 : 1
  },
}
