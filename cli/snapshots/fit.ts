/** Whether a snapshot fits this release and this engine, and which generation it becomes here. */
import { type Generation, generationOf, stateTableOf } from '../../consumers/generation.ts'
import type { Projection } from '../../projections/projection.ts'
import { StoreRefused } from '../../stores/errors.ts'
import { addedColumns } from '../../stores/spec.ts'
import { foldOf } from '../projections.ts'
import type { OpenReplay } from '../replay/open.ts'
import { SnapshotError } from './errors.ts'
import type { Manifest } from './manifest.ts'

/** Throws SnapshotError with what does not fit. */
export async function fitted({ config, operator }: OpenReplay, manifest: Manifest, name: string): Promise<Generation> {
  const { projection, foldVersion, parameters, states, landings } = manifest
  const { read, usual } = await operator.plan(projection)
  const folded = foldOf(projection, foldVersion, parameters, config)
  const wanted = [read.projection, usual.projection]
  if (folded === undefined || !wanted.some((one) => one.foldVersion === foldVersion)) {
    const ours = [...new Set(wanted.map((one) => `v${one.foldVersion}`))].join(' or ')
    throw unfit(manifest, `it was folded by ${projection} v${foldVersion}, and this engine wants ${ours}`)
  }
  if (parametersText(folded) !== textOf(parameters)) {
    throw unfit(manifest, `its parameters (${shown(parameters)}) mean something else to this release`)
  }
  const same = wanted.find((one) => one.foldVersion === foldVersion && parametersText(one) === textOf(parameters))
  if (same === undefined) {
    const ours = shown(read.projection.parameters ?? {})
    throw unfit(manifest, `it was folded with ${shown(parameters)}, and what is read here is with ${ours}`)
  }
  const generation = generationOf(folded, operator.incarnation, { name })
  const spec = stateTableOf(generation)
  if ((spec === undefined) !== (states === null))
    throw unfit(manifest, 'it has states and this fold has none, or it has none')
  if (spec !== undefined && states !== null) checkSpec(manifest, () => addedColumns(states.spec, spec))
  for (const { name: landing, columns } of folded.landings) {
    const lacking = (landings[landing] ?? ['its rows']).find((column) => !columns.includes(column))
    if (lacking !== undefined) throw unfit(manifest, `${landing} takes no ${lacking}`)
  }
  return generation
}

function checkSpec(manifest: Manifest, check: () => unknown): void {
  try {
    check()
  } catch (error) {
    if (error instanceof StoreRefused) throw unfit(manifest, error.message)
    throw error
  }
}

function parametersText({ parameters = {} }: Projection): string {
  return textOf(parameters)
}

function textOf(parameters: Readonly<Record<string, number>>): string {
  return JSON.stringify(Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function shown(parameters: Readonly<Record<string, number>>): string {
  const entries = Object.entries(parameters)
  return entries.length === 0 ? 'no parameters' : entries.map(([name, value]) => `${name}=${value}`).join(' ')
}

function unfit({ projection }: Manifest, why: string): SnapshotError {
  return new SnapshotError(
    'SNAPSHOT_UNFIT',
    `This snapshot does not fit: ${why}. Rebuild instead: \`playhead rebuild ${projection}\`.`,
  )
}
