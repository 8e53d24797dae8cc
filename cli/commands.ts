/** Every command there is. A command's code is loaded when it is called. */
import type { Command } from './command.ts'

interface Entry {
  readonly summary: string
  load(): Promise<Command>
}

export const COMMANDS: Readonly<Record<string, Entry>> = {
  up: { summary: 'Start everything on this machine.', load: async () => (await import('./commands/up.ts')).up },
  demo: {
    summary: 'Start everything with a made-up audience, and look at it.',
    load: async () => (await import('./commands/demo.ts')).demo,
  },
  api: { summary: 'Run the API alone.', load: async () => (await import('./commands/roles.ts')).api },
  consumers: { summary: 'Run the consumers alone.', load: async () => (await import('./commands/roles.ts')).consumers },
  builder: {
    summary: 'Build tables beside those that are read.',
    load: async () => (await import('./commands/roles.ts')).builder,
  },
  analytics: {
    summary: 'Run the embedded ClickHouse alone.',
    load: async () => (await import('./commands/roles.ts')).analytics,
  },
  status: {
    summary: 'Roles, lag, stalls, disk: one screen.',
    load: async () => (await import('./commands/status.ts')).status,
  },
  doctor: {
    summary: 'Check this machine and the engines.',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  repair: {
    summary: 'Finish what a stalled projection can not finish by itself.',
    load: async () => (await import('./commands/repair.ts')).repair,
  },
  config: { summary: 'Show the settings in force.', load: async () => (await import('./commands/config.ts')).config },
  rebuild: {
    summary: 'Fold the log again, beside the tables that are read.',
    load: async () => (await import('./commands/rebuild.ts')).rebuild,
  },
  generations: {
    summary: 'Show the generations of the tables, and which are read.',
    load: async () => (await import('./commands/generations.ts')).list,
  },
  'generations compare': {
    summary: 'Compare a generation with the one that is read.',
    load: async () => (await import('./commands/generations.ts')).compare,
  },
  'generations promote': {
    summary: 'Make readers read a generation.',
    load: async () => (await import('./commands/generations.ts')).promote,
  },
  'generations rollback': {
    summary: 'Go back to the generation that was read before.',
    load: async () => (await import('./commands/generations.ts')).rollback,
  },
  'generations pause': {
    summary: 'Stop building a generation.',
    load: async () => (await import('./commands/generations.ts')).pause,
  },
  'generations resume': {
    summary: 'Go on building a generation.',
    load: async () => (await import('./commands/generations.ts')).resume,
  },
  'generations drop': {
    summary: "Drop a generation's tables.",
    load: async () => (await import('./commands/generations.ts')).drop,
  },
  at: { summary: 'Show what a row was at a moment.', load: async () => (await import('./commands/at.ts')).at },
  why: { summary: 'Show the events that made a row.', load: async () => (await import('./commands/at.ts')).why },
  verify: {
    summary: 'Hold the tables that are read against the log.',
    load: async () => (await import('./commands/verify.ts')).verify,
  },
  'dead-letters': {
    summary: 'Show the events that could not be folded.',
    load: async () => (await import('./commands/dead-letters.ts')).list,
  },
  'dead-letters show': {
    summary: 'Show one of them, decoded and as bytes.',
    load: async () => (await import('./commands/dead-letters.ts')).show,
  },
  'dead-letters replay': {
    summary: 'Send them again, as they are or mended.',
    load: async () => (await import('./commands/dead-letters.ts')).replay,
  },
  'dead-letters discard': {
    summary: 'Give them up, with a reason.',
    load: async () => (await import('./commands/dead-letters.ts')).discard,
  },
  'snapshot save': {
    summary: 'Copy a generation into files.',
    load: async () => (await import('./commands/snapshot.ts')).save,
  },
  'snapshot load': {
    summary: 'Make a generation of such files.',
    load: async () => (await import('./commands/snapshot.ts')).load,
  },
  'snapshot list': {
    summary: 'Show the snapshots in a folder.',
    load: async () => (await import('./commands/snapshot.ts')).list,
  },
  'snapshot verify': {
    summary: 'Check every file of a snapshot.',
    load: async () => (await import('./commands/snapshot.ts')).verify,
  },
  upgrade: {
    summary: 'Say what going over to this release means.',
    load: async () => (await import('./commands/upgrade.ts')).upgrade,
  },
  'keys list': { summary: 'Show the keys.', load: async () => (await import('./commands/keys.ts')).list },
  'keys add': { summary: 'Make a key.', load: async () => (await import('./commands/keys.ts')).add },
  'keys rotate': {
    summary: 'Give a key a new secret; the old one stays valid until revoked.',
    load: async () => (await import('./commands/keys.ts')).rotate,
  },
  'keys revoke': { summary: 'End a key.', load: async () => (await import('./commands/keys.ts')).revoke },
  'import progress': {
    summary: 'Bring watch progress from another system.',
    load: async () => (await import('./commands/import.ts')).progress,
  },
  'import titles': {
    summary: 'Bring a catalogue from another system.',
    load: async () => (await import('./commands/import.ts')).titles,
  },
  'import views': {
    summary: 'Bring views that another product measured.',
    load: async () => (await import('./commands/import.ts')).views,
  },
  'ingest cmcd-log': {
    summary: "Read media requests from CDNs' access logs.",
    load: async () => (await import('./commands/ingest.ts')).cmcdLog,
  },
  'export views': {
    summary: 'Write views as files that others read, and keep them right.',
    load: async () => (await import('./commands/export.ts')).views,
  },
  compare: {
    summary: "Show another product's numbers beside ours.",
    load: async () => (await import('./commands/compare.ts')).compare,
  },
  simulate: {
    summary: 'Make up an audience, and know the truth of it.',
    load: async () => (await import('./commands/simulate.ts')).simulate,
  },
  'profile export': {
    summary: 'Write everything that is held about a profile.',
    load: async () => (await import('./commands/profile.ts')).exporting,
  },
  'profile erase': {
    summary: 'Forget a profile, for good.',
    load: async () => (await import('./commands/profile.ts')).erase,
  },
  token: { summary: 'Make a profile token, for demos.', load: async () => (await import('./commands/token.ts')).token },
  'tape check': {
    summary: 'Compare what a client sent with a tape.',
    load: async () => (await import('./commands/tape.ts')).check,
  },
  'log tail': { summary: 'Show events as they come.', load: async () => (await import('./commands/log-tail.ts')).tail },
  'log stats': {
    summary: 'Topics, partitions, lag.',
    load: async () => (await import('./commands/log-stats.ts')).stats,
  },
  'log copy': { summary: 'Copy a log into another.', load: async () => (await import('./commands/log-copy.ts')).copy },
  'log archive': {
    summary: 'Write the log as files, or verify those.',
    load: async () => (await import('./commands/log-archive.ts')).archive,
  },
  'log trim': {
    summary: 'Remove from the log what is archived.',
    load: async () => (await import('./commands/log-trim.ts')).trim,
  },
  'log restore': {
    summary: 'Make the log again of an archive.',
    load: async () => (await import('./commands/log-restore.ts')).restore,
  },
  'schemas list': { summary: 'Show the event types.', load: async () => (await import('./commands/schemas.ts')).list },
  'schemas diff': {
    summary: 'Say what changed between versions of a schema.',
    load: async () => (await import('./commands/schemas.ts')).diff,
  },
  backup: {
    summary: 'Copy the data folder, consistently.',
    load: async () => (await import('./commands/backup.ts')).backup,
  },
  restore: { summary: 'Bring a backup back.', load: async () => (await import('./commands/backup.ts')).restore },
  migrate: {
    summary: 'Take a running engine to a cluster, or back.',
    load: async () => (await import('./commands/migrate.ts')).migrate,
  },
  diagnose: {
    summary: 'Write a report without secrets, for a bug report.',
    load: async () => (await import('./commands/diagnose.ts')).diagnose,
  },
}
