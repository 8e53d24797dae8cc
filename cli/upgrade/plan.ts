/** From facts to a plan: what is rebuilt and why, how long and how much, and what to do in which order. Pure. */
import type { Facts, MigrationFacts, ProjectionFacts, SchemaFacts, Weight } from './facts.ts'
import { USUAL_RATE_OF_OTHERS, USUAL_RATES } from './limits.ts'
import { type PlanStep, stepsOf } from './steps.ts'

export interface PlannedRebuild {
  readonly projection: string
  /** Of a definition beside the usual ones: its name. */
  readonly definition: string | null
  /** What is read until then; null: nothing is. */
  readonly from: string | null
  readonly to: string
  readonly why: readonly string[]
  readonly records: string
  readonly seconds: number
  /** Events a second, and where that is known from. */
  readonly rate: number
  readonly rateFrom: 'a build that runs' | 'docs/benchmarks.md'
  /** Of what is read now; null: not known. */
  readonly diskBytes: number | null
  readonly diskAtLeast: boolean
  /** False: this release has no such fold any more, so what is read now can't be read on while it is built. */
  readonly canServe: boolean
}

export interface UpgradePlan {
  readonly release: string
  readonly nothing: boolean
  readonly rebuilds: readonly PlannedRebuild[]
  /** One after the other: they share the machine. */
  readonly seconds: number
  readonly diskBytes: number
  readonly freeBytes: number | null
  readonly migrations: readonly MigrationFacts[]
  readonly schemas: readonly SchemaFacts[]
  readonly leftOver: readonly string[]
  /** What has to be settled first; the plan is not to be followed until then. */
  readonly obstacles: readonly string[]
  readonly steps: readonly PlanStep[]
}

export function planUpgrade(facts: Facts, release: string): UpgradePlan {
  const rebuilds = facts.begun
    ? [
        ...facts.projections.flatMap((one) => rebuildOf(one) ?? []),
        ...facts.definitions.map(({ name, generation, records, weight }) => {
          const { projection } = generation
          const why = [`definition ${name} is in the settings and has no tables yet`]
          const cost = costOf(projection.name, records, weight, undefined)
          return {
            projection: projection.name,
            definition: name,
            from: null,
            to: generation.id,
            why,
            canServe: true,
            ...cost,
          }
        }),
      ]
    : []
  const sum = (of: (one: PlannedRebuild) => number) => rebuilds.reduce((total, one) => total + of(one), 0)
  const { migrations, schemas, leftOver } = facts
  const plan = {
    ...{ release, rebuilds, seconds: sum(({ seconds }) => seconds), diskBytes: sum(({ diskBytes }) => diskBytes ?? 0) },
    ...{ freeBytes: facts.freeBytes ?? null, migrations, schemas, leftOver },
  }
  const obstacles = obstaclesOf(plan)
  const nothing = rebuilds.length + migrations.length + schemas.length + leftOver.length === 0
  return { ...plan, nothing, obstacles, steps: nothing ? [] : stepsOf(plan) }
}

/** Undefined: what stands is what this release and its settings want. */
function rebuildOf({ plan, row, stands, records, weight, measuredRate }: ProjectionFacts): PlannedRebuild | undefined {
  const { name, usual } = plan
  const promoted = (row?.promotions ?? []).map(({ id }) => id)
  // What an operator went back to stays, so that what was promoted before is not built again.
  if (promoted.includes(usual.id)) return undefined
  const cost = costOf(name, records, weight, measuredRate)
  const to = { projection: name, definition: null, to: usual.id, ...cost }
  const last = promoted.at(-1)
  if (last === undefined) return { ...to, from: null, why: ['this projection is new'], canServe: true }
  return { ...to, from: last, why: whyOf(plan.usual.projection, stands), canServe: plan.read.id === last }
}

function whyOf(
  { foldVersion, parameters = {} }: ProjectionFacts['plan']['usual']['projection'],
  stands: ProjectionFacts['stands'],
): readonly string[] {
  if (stands === undefined) return ['the book does not say what is read now was made with']
  const why = stands.foldVersion === foldVersion ? [] : [`fold version ${stands.foldVersion} → ${foldVersion}`]
  for (const name of new Set([...Object.keys(stands.parameters), ...Object.keys(parameters)])) {
    const [was, is] = [stands.parameters[name], parameters[name]]
    if (was !== is) why.push(`${name} ${was ?? 'as usual'} → ${is ?? 'as usual'}`)
  }
  return why.length === 0 ? ['it was made from another log, or by another build'] : why
}

function costOf(name: string, records: bigint, weight: Weight, measuredRate: number | undefined) {
  const rate = measuredRate ?? USUAL_RATES[name] ?? USUAL_RATE_OF_OTHERS
  const { rowBytes, stateBytes, atLeast } = weight
  return {
    ...{ records: `${records}`, seconds: Math.ceil(Number(records) / rate), rate },
    rateFrom: measuredRate === undefined ? ('docs/benchmarks.md' as const) : ('a build that runs' as const),
    diskBytes: rowBytes === null && stateBytes === null ? null : (rowBytes ?? 0) + (stateBytes ?? 0),
    diskAtLeast: atLeast,
  }
}

function obstaclesOf(
  plan: Pick<UpgradePlan, 'rebuilds' | 'migrations' | 'schemas' | 'diskBytes' | 'freeBytes'>,
): string[] {
  const { rebuilds, migrations, schemas, diskBytes, freeBytes } = plan
  const unserved = rebuilds.filter(({ canServe }) => !canServe)
  return [
    ...unserved.map(
      ({ projection, from }) =>
        `${projection}: this release can't run ${from}, so readers would see tables that are still being filled. ` +
        'Go by a release that has both folds, or let the former release serve until the new tables are there.',
    ),
    ...migrations.flatMap(({ folder, changed }) =>
      changed.map((file) => `${folder}/${file} was changed after it ran: the consumers will refuse to start with it.`),
    ),
    ...schemas
      .filter(({ unknown }) => unknown.length > 0)
      .map(
        ({ type, unknown }) =>
          `${type}: the log has events of schema ${unknown.join(', ')}, which a newer release wrote and this one would park.`,
      ),
    ...(freeBytes !== null && diskBytes > freeBytes
      ? [
          `The rebuilds need about ${diskBytes} bytes beside what there is, and ${freeBytes} are free: rebuild one at a time, or make room.`,
        ]
      : []),
  ]
}
