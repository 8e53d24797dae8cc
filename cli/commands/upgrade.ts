/** `playhead upgrade --plan`: what going over to this release means. */
import { UsageError } from '../args.ts'
import { type Command, JSON_FLAG, table } from '../command.ts'
import { humanBytes } from '../disk.ts'
import { toJson } from '../json.ts'
import { progress } from '../progress.ts'
import { inReplay } from '../replay/command.ts'
import { factsOf } from '../upgrade/collect.ts'
import { type PlannedRebuild, planUpgrade, type UpgradePlan } from '../upgrade/plan.ts'
import { VERSION } from '../version.ts'

const NAME = 'upgrade'

export const upgrade: Command = {
  name: NAME,
  about: `Call it with the new release (and the settings it will have), against the engine that runs the old one. It names the
tables that will be rebuilt and why, how long that takes and how much disk it needs, what changes in ClickHouse and in
the schemas, and the steps in order. It changes nothing. Exit code 0, or 1 if something has to be settled first.`,
  flags: [{ name: 'plan', help: 'Say it; nothing else is done by this command.' }, JSON_FLAG],
  examples: ['playhead upgrade --plan', 'PLAYHEAD_HISTORY_DAYS=30 playhead upgrade --plan'],
  run: async (args, io) => {
    if (!args.has('plan')) {
      throw new UsageError('It only plans: say --plan. To upgrade, follow the steps that it answers.', NAME)
    }
    const shown = progress(io, 'projections', Date.now)
    try {
      return await inReplay(io, NAME, async (replay) => {
        const facts = await factsOf(replay, { looked: (done, of) => shown.show(BigInt(done), BigInt(of)) })
        shown.end()
        const plan = planUpgrade(facts, VERSION)
        if (args.has('json')) io.out(`${toJson(plan, 2)}\n`)
        else io.out(facts.begun ? wordsOf(plan) : 'The book is empty: nothing stands yet. Start with `playhead up`.\n')
        return plan.obstacles.length === 0 ? 0 : 1
      })
    } finally {
      shown.end()
    }
  },
}

export function wordsOf(plan: UpgradePlan): string {
  if (plan.nothing)
    return `Nothing to do for ${plan.release}: what stands is what this release and its settings want.\n`
  const parts = [
    rebuildWords(plan),
    ...plan.migrations.map(({ database, coming, changed }) => {
      const bad = changed.length === 0 ? '' : ` (changed after it ran: ${changed.join(', ')})`
      return `ClickHouse ${database}: ${coming.join(', ') || 'nothing new'}${bad}\n`
    }),
    ...plan.schemas.map(({ type, written, ours }) => {
      return `Schema of ${type}: written with ${written.join(', ')} so far, ${ours} by this release (\`playhead schemas diff ${type}\`)\n`
    }),
    ...(plan.obstacles.length === 0
      ? []
      : ['\nTo be settled first:\n', ...plan.obstacles.map((one) => `  ✗ ${one}\n`)]),
    '\nSteps:\n',
    ...plan.steps.map(({ what, commands }, i) => {
      return `  ${i + 1}. ${what}\n${commands.map((command) => `       ${command}\n`).join('')}`
    }),
  ]
  return parts.join('')
}

function rebuildWords({ rebuilds, seconds, diskBytes, freeBytes }: UpgradePlan): string {
  if (rebuilds.length === 0) return 'Nothing is rebuilt.\n'
  const rows = rebuilds.map((one) => [
    one.definition === null ? one.projection : `${one.projection} (${one.definition})`,
    one.why.join(', '),
    one.records,
    durationOf(one.seconds),
    diskOf(one),
  ])
  const free = freeBytes === null ? '' : `, ${humanBytes(freeBytes)} free here`
  const measured = rebuilds.every(({ rateFrom }) => rateFrom === 'a build that runs')
  const from = measured
    ? 'measured on builds that run'
    : 'by the rates of docs/benchmarks.md where no build runs: two cores, nothing else'
  return (
    `${table(['REBUILT', 'WHY', 'EVENTS', 'TIME', 'DISK'], rows)}\n` +
    `Together ${durationOf(seconds)} (${from}) and ${humanBytes(diskBytes)} of disk${free}.\n`
  )
}

function diskOf({ diskBytes, diskAtLeast }: PlannedRebuild): string {
  if (diskBytes === null) return 'not known'
  return `${diskAtLeast ? '≥ ' : ''}${humanBytes(diskBytes)}`
}

function durationOf(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.ceil(seconds / 60)} min`
  return `${(seconds / 3_600).toFixed(1)} h`
}
