/** `playhead status`: one screen of what runs, how far it is and what is wrong. Reads only. */
import { existsSync } from 'node:fs'
import { type Command, columns, JSON_FLAG, table } from '../command.ts'
import { loadConfig } from '../config.ts'
import { folderBytes, freeBytes, humanBytes } from '../disk.ts'
import { type Folders, foldersOf } from '../engines.ts'
import { toJson } from '../json.ts'
import { askRole, liveRoles, type RoleReport } from '../live-roles.ts'

/** The part of a consumer's own report that is shown; it comes as JSON, positions as text. */
interface PartitionReport {
  readonly generation: string
  readonly topic: string
  readonly partition: number
  readonly state: string
  readonly end: string
  readonly lag: string
  readonly stalled?: { readonly code?: string; readonly remedy?: string }
  readonly record?: { readonly tally?: { readonly parked?: string } }
}

export interface Status {
  readonly roles: readonly RoleReport[]
  readonly partitions: readonly PartitionReport[]
  readonly disk: { readonly usedBytes: Readonly<Record<string, number>>; readonly freeBytes: number }
}

export const status: Command = {
  name: 'status',
  about: 'Looks at the roles that run on this data folder. Exit code 0 if there are some and all are ready, else 1.',
  flags: [JSON_FLAG],
  run: async (args, io) => {
    const found = await readStatus(foldersOf(loadConfig(io.env).config))
    io.out(args.has('json') ? `${toJson(found, 2)}\n` : textOf(found))
    return found.roles.length > 0 && found.roles.every((role) => role.ready) ? 0 : 1
  },
}

export async function readStatus(folders: Folders): Promise<Status> {
  const roles = await Promise.all(liveRoles(folders.run).map(askRole))
  const partitions = roles.flatMap((role) => (role.status?.partitions as PartitionReport[] | undefined) ?? [])
  const used = (['log', 'state', 'analytics'] as const).map((name) => [name, folderBytes(folders[name])] as const)
  const free = existsSync(folders.data) ? freeBytes(folders.data) : 0
  return { roles, partitions, disk: { usedBytes: Object.fromEntries(used), freeBytes: free } }
}

function textOf({ roles, partitions, disk }: Status): string {
  if (roles.length === 0) return 'Nothing runs on this data folder. `playhead up` starts it.\n'
  const roleRows = roles.map((r) => [r.ready ? '✓' : '✗', r.role, `${r.pid}`, r.startedAt.slice(0, 19), r.url])
  const complaints = roles.flatMap((r) => r.complaints.map((why) => `  ${r.role}: ${why}`))
  return [
    table(['', 'ROLE', 'PID', 'SINCE', 'URL'], roleRows),
    ...(complaints.length === 0 ? [] : ['', 'Not well:', ...complaints]),
    '',
    table(['GENERATION', 'EVENTS', 'LAG', 'PARKED', 'STALLED', 'STATES'], byGeneration(partitions)),
    '',
    columns([
      ...Object.entries(disk.usedBytes).map(([name, bytes]) => [name, humanBytes(bytes)] as const),
      ['free', humanBytes(disk.freeBytes)],
    ]),
    '',
  ].join('\n')
}

function byGeneration(partitions: readonly PartitionReport[]): readonly (readonly string[])[] {
  const names = [...new Set(partitions.map((p) => p.generation))]
  return names.map((name) => {
    const own = partitions.filter((p) => p.generation === name)
    const sum = (pick: (p: PartitionReport) => string | undefined) =>
      own.reduce((total, p) => total + BigInt(pick(p) ?? '0'), 0n).toString()
    const states = [...new Set(own.map((p) => p.state))].map((s) => `${own.filter((p) => p.state === s).length} ${s}`)
    const stalled = own.filter((p) => p.stalled !== undefined).length.toString()
    return [name, sum((p) => p.end), sum((p) => p.lag), sum((p) => p.record?.tally?.parked), stalled, states.join(', ')]
  })
}
