/** What must be true when a run has come to rest, whatever happened before. Each answer is a violation in words. */

import { generationFrom } from '../../cli/generations.ts'
import { type Generation, stateTableOf } from '../../consumers/generation.ts'
import { keyText } from '../../consumers/state-cache.ts'
import type { CommitRecord } from '../../stores/state.ts'
import type { SimRow } from './analytics.ts'
import { bookOf, runningOf } from './book.ts'
import { type Engine, INCARNATION, SETTINGS } from './engine.ts'
import type { Run } from './run.ts'
import { type Checkpoints, stateText, type Truth, textOf, truthOf } from './truth.ts'

const TOLD_MAX = 5
const NO_TRUTH: Truth = { states: new Map(), rows: new Map() }

export const INVARIANTS: readonly string[] = [
  'the engine comes to rest once the faults end: every generation that runs has folded all there is',
  'nothing that was acknowledged is lost',
  'the states of every generation are those of the log folded afresh, up to where it has come',
  'the rows of every generation are those of the same fold, each standing once: nothing counts twice or not at all',
  'events has one row for each position of the log, and its fate',
  'what an erasure took is in no generation',
  'rows and commit records agree (the audit), and read = folded + duplicates + parked + undecryptable',
  'each event that is parked is a dead letter, and nothing else is',
  'in one term one process writes: rows and commit records alike',
  'a partition is handed on only when who had it has let go of it, is dead, asleep or out of time',
  'a generation has tables of its own; one that was dropped leaves none',
  'who waited for a write through the pointer reads it, whichever generation is read meanwhile',
]

export async function violations({ engine, unrest, acknowledged }: Run): Promise<string[]> {
  const seen = [...engine.misread, ...engine.state.twoOwners, ...engine.analytics.strangers]
  if (unrest !== undefined) {
    return [...seen, ...leftovers(engine), `the engine did not come to rest: ${unrest}`].slice(-TOLD_MAX)
  }
  const found = [...seen, ...lostEvents(engine, acknowledged), ...leftovers(engine)]
  const running = new Set(runningOf(engine).map(({ id }) => id))
  for (const generation of standing(engine)) {
    found.push(...(await wrongGeneration(engine, generation, running.has(generation.id))))
  }
  return found.slice(0, TOLD_MAX)
}

/** Acknowledged means stored, at least once. */
function lostEvents({ log }: Engine, acknowledged: ReadonlySet<string>): string[] {
  const stored = new Set<string>()
  for (const { topic } of log.specs()) {
    for (const records of log.durable(topic)) for (const { value } of records) stored.add(value.toString('hex'))
  }
  const lost = [...acknowledged].filter((value) => !stored.has(value))
  return lost.length === 0 ? [] : [`${lost.length} acknowledged events are not in the log`]
}

/** Everything that was ever made and not dropped, and the ones that run whatever the book says. */
function standing(engine: Engine): readonly Generation[] {
  const made = new Map<string, Generation>(runningOf(engine).map((one) => [one.id, one]))
  for (const [name, { generations }] of bookOf(engine)) {
    for (const row of engine.cast.has(name) ? generations : []) {
      const generation = row.status === 'dropped' ? undefined : generationFrom(name, row, SETTINGS, INCARNATION)
      if (generation !== undefined) made.set(generation.id, generation)
    }
  }
  return [...made.values()]
}

function leftovers(engine: Engine): string[] {
  const dropped = [...bookOf(engine).values()].flatMap(({ generations }) =>
    generations.filter(({ status }) => status === 'dropped').map(({ id }) => id),
  )
  const tables = [...engine.state.tables.keys(), ...engine.analytics.targets.keys()]
  return dropped.flatMap((id) => {
    return tables
      .filter((name) => name.startsWith(id))
      .map((name) => `${name} is left of a generation that was dropped`)
  })
}

async function wrongGeneration(engine: Engine, generation: Generation, runs: boolean): Promise<string[]> {
  const commits = [...engine.state.commits.values()].filter((one) => one.generation === generation.id)
  const records = commits.map(({ topic, partition, record }) => ({ place: `${topic}/${partition}`, record }))
  const wrong = [...wrongTallies(generation, records), ...wrongLetters(engine, generation, records)]
  // It was stopped in the middle of a batch, and goes on there when it is resumed.
  if (records.some(({ record }) => record.intent !== undefined)) return wrong
  const checkpoints: Checkpoints = new Map(records.map(({ place, record }) => [place, record.checkpoint]))
  const truth = commits.length === 0 ? NO_TRUTH : await truthOf(engine, generation.projection, checkpoints)
  return [
    ...wrong,
    ...wrongStates(engine, generation, truth, runs),
    ...wrongRows(engine, generation, truth),
    ...wrongAudits(engine, generation),
  ]
}

interface Committed {
  readonly place: string
  readonly record: CommitRecord
}

function wrongStates(engine: Engine, generation: Generation, { states }: Truth, runs: boolean): string[] {
  const spec = stateTableOf(generation)
  if (spec === undefined) return []
  const found = new Map<string, string>()
  for (const { key, columns } of engine.state.tables.get(spec.name)?.rows.values() ?? []) {
    found.set(keyText(key), stateText(generation.projection, columns.slice(0, -1)))
  }
  // A build that was stopped before an erasure, whose keys are gone: what it could open is chance.
  const uncertain = (key: string) => !runs && engine.vault.isGoneOf(key.split('\u0000')[0]!)
  return differences(`state of ${generation.id}`, states, found).flatMap(({ key, words }) =>
    uncertain(key) ? [] : [words],
  )
}

function wrongRows({ analytics }: Engine, { id, projection }: Generation, { rows }: Truth): string[] {
  const found = new Map<string, string>()
  const wrong: string[] = []
  for (const { target } of projection.landings) {
    const all = analytics.targets.get(`${id}.${target}`)?.rows ?? []
    for (const [name, { row, stands }] of net(all)) {
      if (stands === 0) continue
      const own = projection.journal !== undefined ? row.cells[FATE_CELL]! : textOf(row.cells.slice(SIGNED_CELLS))
      const key = projection.journal !== undefined ? `${row.topic}/${row.partition}@${row.version}` : row.rowKey
      if (stands !== 1) wrong.push(`${stands} times ${name} in ${id}.${target}`)
      else if (found.has(`${target} ${key}`)) wrong.push(`two versions of ${key} stand in ${id}.${target}`)
      found.set(`${target} ${key}`, own)
    }
  }
  return [...wrong, ...differences(`row of ${id}`, rows, found).map(({ words }) => words)]
}

/** term, topic, partition, position, fate */
const FATE_CELL = 4
/** term, topic, partition, row_key, version, sign */
const SIGNED_CELLS = 6

function net(rows: readonly SimRow[]): ReadonlyMap<string, { readonly row: SimRow; stands: number }> {
  const counts = new Map<string, { readonly row: SimRow; stands: number }>()
  for (const row of rows) {
    const name = `${row.topic}/${row.partition} ${row.rowKey}:${row.version}`
    const known = counts.get(name) ?? { row, stands: 0 }
    known.stands += row.sign
    counts.set(name, known)
  }
  return counts
}

interface Difference {
  readonly key: string
  readonly words: string
}

function differences(
  what: string,
  expected: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): readonly Difference[] {
  const wrong: Difference[] = []
  const tell = (key: string, words: string) => {
    if (wrong.length < TOLD_MAX) wrong.push({ key, words: `${what}, ${key.replaceAll('\u0000', ' ')}: ${words}` })
  }
  for (const [key, text] of expected) {
    const stands = found.get(key)
    if (stands === undefined) tell(key, 'it is missing')
    else if (stands !== text) tell(key, `it is ${stands.slice(0, 200)}, the log says ${text.slice(0, 200)}`)
  }
  for (const key of found.keys()) if (!expected.has(key)) tell(key, 'the log knows nothing of it')
  return wrong
}

function wrongAudits({ state, analytics }: Engine, { id, projection: { landings } }: Generation): string[] {
  if (landings.length === 0) return []
  return [...state.commits.values()].flatMap(({ record, ...key }) => {
    if (key.generation !== id) return []
    const sums = landings.map(({ target }) => analytics.audit(`${id}.${target}`, key, 0n, record.checkpoint).sum)
    const sum = sums.reduce((a, b) => a + b, 0n)
    return sum === record.audit ? [] : [`audit of ${id} ${key.topic}/${key.partition}: ${sum}, not ${record.audit}`]
  })
}

/** Conservation: read = folded + duplicates + parked + undecryptable, and read is all up to the checkpoint. */
function wrongTallies({ id }: Generation, committed: readonly Committed[]): string[] {
  return committed.flatMap(({ place, record }) => {
    const { read, folded, duplicates, parked, undecryptable } = record.tally
    if (read !== record.checkpoint) return [`${id} ${place} read ${read} of ${record.checkpoint}`]
    const sum = folded + duplicates + parked + undecryptable
    return sum === read ? [] : [`${id} ${place} read ${read} and accounts for ${sum}`]
  })
}

/** As many letters as were counted parked, and none of an event that is not. */
function wrongLetters(engine: Engine, { id }: Generation, committed: readonly Committed[]): string[] {
  const letters = [...(engine.state.tables.get('dead_letters')?.rows.values() ?? [])].filter(({ key }) => key[0] === id)
  const parked = committed.reduce((sum, { record }) => sum + record.tally.parked, 0n)
  const begun = committed.some(({ record }) => record.intent !== undefined)
  if (begun || BigInt(letters.length) === parked) return []
  return [`${id} parked ${parked} events and ${letters.length} are dead letters`]
}
