/** What to do in which order, so that nobody is refused meanwhile; with the commands to type. Pure. */
import type { UpgradePlan } from './plan.ts'

export interface PlanStep {
  readonly what: string
  /** To be typed; those of a cluster say so in the words. */
  readonly commands: readonly string[]
}

type Planned = Pick<UpgradePlan, 'rebuilds' | 'migrations' | 'schemas' | 'leftOver'>

export function stepsOf({ rebuilds, migrations, schemas, leftOver }: Planned): readonly PlanStep[] {
  const steps: PlanStep[] = [
    {
      what: 'Keep a way back: a backup of the log and the keys, taken while everything runs.',
      commands: ['playhead backup FOLDER'],
    },
  ]
  steps.push({
    what:
      'Start this release. On a cluster the consumers first, one process after the other, then each API process: the ones ' +
      'that stand go on serving. On one machine: end the former `playhead up` and start this one; players that are ' +
      `refused for these seconds send again.${migrationWords(migrations)}`,
    commands: ['playhead up'],
  })
  if (schemas.length > 0) {
    steps.push({
      what:
        'Go over to the new schemas in this order too: consumers of the former release would park what this release writes, ' +
        'so none of them may run any more when the first API process of this release starts.',
      commands: ['playhead status'],
    })
  }
  steps.push(...rebuildSteps(rebuilds))
  for (const name of leftOver) {
    steps.push({
      what: `${name} is not folded by this release; its tables stay as they are, until you drop them with the former one.`,
      commands: [],
    })
  }
  return steps
}

function migrationWords(migrations: Planned['migrations']): string {
  if (migrations.every(({ coming }) => coming.length === 0)) return ''
  return ' The consumers bring ClickHouse up to date when they start; it only adds, so the former release goes on with it.'
}

function rebuildSteps(rebuilds: Planned['rebuilds']): readonly PlanStep[] {
  const usual = rebuilds.filter(({ definition }) => definition === null)
  if (rebuilds.length === 0) return []
  const going = {
    what: 'The consumers build the new tables beside the old ones, by themselves. Wait until they have caught up.',
    commands: ['playhead generations'],
  }
  const beside = usual.filter(({ from }) => from !== null)
  if (beside.length === 0) return [going]
  return [
    going,
    {
      what: 'Each is promoted by itself when it has passed what is read, and no read is refused or mixed. What differs from before, by rows and keys:',
      commands: beside.map(({ from, to }) => `playhead generations compare ${to} ${from}`),
    },
    {
      what: 'The way back, at any time:',
      commands: beside.map(({ projection }) => `playhead generations rollback ${projection}`),
    },
    {
      what: 'When nobody wants to go back any more, give the room back:',
      commands: beside.map(({ from }) => `playhead generations drop ${from}`),
    },
  ]
}
