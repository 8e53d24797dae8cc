/** What must be true when a run has come to rest, whatever happened before. Each answer is a violation in words. */

import { truthOf } from '../consumers/truth.ts'
import type { SimRow } from './analytics.ts'
import type { Engine, Run } from './run.ts'

export function violations({ engine, rested }: Run): string[] {
  if (!rested) return ['the engine did not come to rest']
  return [
    ...lostEvents(engine),
    ...wrongJournal(engine),
    ...wrongStates(engine),
    ...wrongAudits(engine),
    ...wrongTallies(engine),
    ...wrongDeadLetters(engine),
  ]
}

/** Acknowledged means stored, at least once. */
function lostEvents({ log, audience }: Engine): string[] {
  const stored = new Set(log.durable('playback-events').flatMap((p) => p.map((r) => r.value.toString('hex'))))
  const lost = audience.acknowledgedValues().filter((value) => !stored.has(value))
  return lost.length === 0 ? [] : [`${lost.length} acknowledged events are not in the log`]
}

/** Exactly one row for each position of the log. */
function wrongJournal({ log, analytics }: Engine): string[] {
  const wrong: string[] = []
  const rows = standing(rowsOf(analytics.targets, 'events'))
  log.durable('playback-events').forEach((records, partition) => {
    for (const { position } of records) {
      const n = rows.get(`${partition}/${position}:${position}`) ?? 0
      if (n !== 1) wrong.push(`events has ${n} rows for ${partition}/${position}`)
    }
  })
  return wrong.slice(0, 5)
}

/** States, and the rows that stand for them, are what a fold of the log from its start says. */
function wrongStates(engine: Engine): string[] {
  const wrong: string[] = []
  const { tallies } = truthOf(engine.log.durable('playback-events'), engine.codec)
  const states = tallyStates(engine)
  const rows = new Map<string, SimRow[]>()
  for (const row of netRows(rowsOf(engine.analytics.targets, 'tally')))
    rows.set(row.rowKey, [...(rows.get(row.rowKey) ?? []), row])
  for (const [profileId, truth] of tallies) {
    const state = states.get(profileId)
    if (state?.events !== truth.events || state.positionsMs !== truth.positionsMs) {
      wrong.push(`state of ${profileId}: ${state?.events} events, the log says ${truth.events}`)
    }
    const stands = rows.get(profileId) ?? []
    const events = Number(stands[0]?.cells[6])
    if (stands.length !== 1 || events !== truth.events) {
      wrong.push(`${stands.length} rows stand for ${profileId} (${events} events), the log says ${truth.events}`)
    }
  }
  for (const profileId of [...states.keys(), ...rows.keys()]) {
    if (!tallies.has(profileId)) wrong.push(`something is left of ${profileId}, which was erased`)
  }
  return wrong.slice(0, 5)
}

function wrongAudits({ state, analytics }: Engine): string[] {
  return [...state.commits.values()].flatMap(({ record, ...key }) => {
    const target = key.generation.startsWith('events') ? 'events' : 'tally'
    const { sum } = analytics.audit(`${key.generation}.${target}`, key, 0n, record.checkpoint)
    return sum === record.audit
      ? []
      : [`audit of ${key.generation}/${key.partition}: ${sum}, committed ${record.audit}`]
  })
}

/** Conservation: read = folded + duplicates + parked + undecryptable, and read is all there is. */
function wrongTallies({ state, log }: Engine): string[] {
  return [...state.commits.values()].flatMap(({ record, generation, topic, partition }) => {
    const { read, folded, duplicates, parked, undecryptable } = record.tally
    const place = `${generation}/${topic}/${partition}`
    const all = BigInt(log.durable(topic)[partition]!.length)
    if (read !== all) return [`${place} read ${read} of ${all}`]
    const sum = folded + duplicates + parked + undecryptable
    return sum === read ? [] : [`${place} read ${read} and accounts for ${sum}`]
  })
}

/** Each event that can't be folded is in the dead letters, and nothing else is. */
function wrongDeadLetters(engine: Engine): string[] {
  const found = new Set<string>()
  for (const row of engine.state.tables.get('dead_letters')?.rows.values() ?? []) {
    const [generation, , partition, position] = row.key
    if (String(generation).startsWith('tally')) found.add(`${partition}/${position}`)
  }
  const { parked } = truthOf(engine.log.durable('playback-events'), engine.codec)
  const missing = [...parked].filter((p) => !found.has(p))
  const extra = [...found].filter((p) => !parked.has(p))
  return missing.length + extra.length === 0 ? [] : [`dead letters: missing ${missing.join()}; not due ${extra.join()}`]
}

function tallyStates({ state }: Engine): Map<string, { events: number; positionsMs: bigint }> {
  const states = new Map<string, { events: number; positionsMs: bigint }>()
  for (const [name, { rows }] of state.tables) {
    if (!name.startsWith('tally')) continue
    for (const { key, columns } of rows.values()) {
      states.set(String(key[0]), { events: columns[0] as number, positionsMs: columns[1] as bigint })
    }
  }
  return states
}

function rowsOf(targets: Engine['analytics']['targets'], table: string): readonly SimRow[] {
  return [...targets].filter(([name]) => name.endsWith(`.${table}`)).flatMap(([, t]) => t.rows)
}

function standing(rows: readonly SimRow[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { partition, rowKey, version, sign } of rows) {
    const name = `${partition}/${rowKey}:${version}`
    counts.set(name, (counts.get(name) ?? 0) + sign)
  }
  return counts
}

function netRows(rows: readonly SimRow[]): SimRow[] {
  const counts = standing(rows)
  const net: SimRow[] = []
  for (const row of rows) {
    const name = `${row.partition}/${row.rowKey}:${row.version}`
    const n = counts.get(name) ?? 0
    if (row.sign === 1 && n > 0) net.push(...Array.from({ length: n }, () => row))
    counts.set(name, 0)
  }
  return net
}
