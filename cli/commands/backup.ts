/** `playhead backup` and `playhead restore`. */
import { mkdirSync } from 'node:fs'
import { BackupError, type BackupKind, makeBackup, restoreBackup } from '../backup.ts'
import { type Command, type Io, JSON_FLAG } from '../command.ts'
import { loadConfig } from '../config.ts'
import { humanBytes } from '../disk.ts'
import { foldersOf } from '../engines.ts'
import { keysPath } from '../keys.ts'
import { liveRoles } from '../live-roles.ts'
import { lockDataFolder } from '../lock.ts'
import type { Config } from '../settings.ts'

export const backup: Command = {
  name: 'backup',
  about: `While Playhead runs, the log and the keys are copied as of one moment; after a restore the tables are folded again.
While nothing runs, the tables are copied too and a restore serves at once. Keep a backup as safe as the keys: it
holds them.`,
  positionals: [{ name: 'FOLDER' }],
  flags: [{ name: 'log-only', help: 'Leave the tables out although nothing runs.' }, JSON_FLAG],
  examples: ['playhead backup /backups/monday'],
  run: async (args, io) => {
    const { config } = loadConfig(io.env)
    embeddedOnly(config)
    const folders = foldersOf(config)
    const own = config.store.engine === 'embedded' && config.analytics.engine === 'embedded'
    const lock = liveRoles(folders.run).length === 0 ? await lockDataFolder(folders.data, Date.now) : undefined
    const kind: BackupKind = own && lock?.ok === true && !args.has('log-only') ? 'full' : 'log'
    try {
      const manifest = await makeBackup(folders, keysPath(config), args.positional('FOLDER') ?? '', kind)
      tell(io, args.has('json'), 'backed up', manifest.kind, manifest.records, manifest.files)
      return 0
    } finally {
      if (lock?.ok === true) await lock.release()
    }
  },
}

export const restore: Command = {
  name: 'restore',
  about: `Checks every file of the backup, then brings it into the data folder, which must be empty. Nothing is overwritten.
A key that was destroyed after the backup was made is alive in it: give the newer vault with --erasures, if you have it.`,
  positionals: [{ name: 'FOLDER' }],
  flags: [
    {
      name: 'erasures',
      value: 'FOLDER',
      help: 'The newer vault (data/vault): keys of profiles erased since the backup are destroyed again.',
    },
    JSON_FLAG,
  ],
  examples: [
    'PLAYHEAD_DATA=/srv/new playhead restore /backups/monday',
    'PLAYHEAD_DATA=/srv/new playhead restore /backups/monday --erasures /srv/old/vault',
  ],
  run: async (args, io) => {
    const { config } = loadConfig(io.env)
    embeddedOnly(config)
    const folders = foldersOf(config)
    mkdirSync(folders.data, { recursive: true, mode: 0o700 })
    const lock = await lockDataFolder(folders.data, Date.now)
    if (!lock.ok || liveRoles(folders.run).length > 0)
      throw new BackupError(`${folders.data} is in use: end Playhead first.`)
    try {
      const manifest = await restoreBackup(
        args.positional('FOLDER') ?? '',
        folders,
        keysPath(config),
        args.value('erasures'),
      )
      tell(io, args.has('json'), 'restored', manifest.kind, manifest.records, manifest.files)
      return 0
    } finally {
      await lock.release()
    }
  },
}

function embeddedOnly(config: Config): void {
  if (config.log.engine === 'embedded') return
  throw new BackupError('The log is in Kafka: back it up there, or copy it here with `playhead log copy`.')
}

function tell(
  io: Io,
  json: boolean,
  done: string,
  kind: BackupKind,
  records: string,
  files: readonly { bytes: number }[],
): void {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  if (json) io.out(`${JSON.stringify({ done, kind, records, files: files.length, bytes })}\n`)
  else {
    const what =
      kind === 'full' ? 'log, tables and keys' : 'log and keys; the tables are folded from the log at the next start'
    io.out(`${done}: ${what} (${records} records, ${files.length} files, ${humanBytes(bytes)})\n`)
  }
}
