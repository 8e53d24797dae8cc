/**
 * Replay for the API's routes: what the commands do, over engines that the role has open. It holds nothing but the ways
 * back that it follows.
 */
import { REPLAY_ROUTE_LIMITS } from '../../api/replay/limits.ts'
import type { GenerationShown, HistoryFound, HistoryStep, ReplayPort } from '../../api/replay/ports.ts'
import type { Step } from '../../consumers/history.ts'
import { toRow } from '../../projections/progress/columns.ts'
import type { StateCell } from '../../projections/projection.ts'
import { askWorkers } from '../builders.ts'
import { listed, pairOf, promote, standingFor, stopOrGo, strange } from './acts.ts'
import { askHistory } from './ask.ts'
import { compareGenerations } from './compare-generations.ts'
import type { ReplayPorts } from './open.ts'
import { Refused, type Shown } from './operator.ts'
import { plain, plainEvent } from './plain.ts'
import { type RollbackLogger, Rollbacks } from './rollbacks.ts'
import { discardLetters, groupLetters, listLetters, replayLetters, wholeLetter } from './service-letters.ts'
import { verify } from './verify.ts'

export interface ReplayService extends ReplayPort {
  /** What it still follows is given up. */
  close(): Promise<void>
}

export function replayService(replay: ReplayPorts, logger: RollbackLogger, nowMs: () => number): ReplayService {
  const rollbacks = new Rollbacks(replay, logger, nowMs)
  return {
    ...generationsOf(replay, rollbacks),
    letters: (wanted, limit) => listLetters(replay, wanted, limit),
    letterGroups: (wanted) => groupLetters(replay, wanted),
    letter: (name) => wholeLetter(replay, name),
    replayLetters: (chosen, mended, who) => replayLetters(replay, chosen, mended, who),
    discardLetters: (chosen, who) => discardLetters(replay, chosen, who),
    ...questionsOf(replay),
    close: () => rollbacks.close(),
  }
}

type Acts = 'generations' | 'generation' | 'rebuild' | 'promote' | 'rollback' | 'act' | 'rate'

function generationsOf(replay: ReplayPorts, rollbacks: Rollbacks): Pick<ReplayPort, Acts> {
  const { operator } = replay
  return {
    generations: async (projection, all) => {
      const found = await listed(replay, projection, all)
      return await Promise.all(found.map((one) => shownGeneration(replay, one)))
    },
    generation: async (id) => await shownGeneration(replay, await operator.find(id)),
    rebuild: async ({ projection, parameters, name, untilMs, recordsPerSecond, workers }, who) => {
      const build = {
        name,
        ...(untilMs !== undefined && { untilMs }),
        ...(recordsPerSecond !== undefined && { recordsPerSecond }),
      }
      const { id } = await operator.rebuild({ projection, parameters, build }, who)
      if (workers !== undefined) await askWorkers(replay.state, id, workers)
      return { id }
    },
    promote: async (id, who) => {
      const shown = await operator.find(id)
      const { read } = await operator.plan(shown.projection)
      if (shown.state !== 'read') await promote(replay, shown, who)
      return { id: shown.id, before: read.id }
    },
    rollback: (projection, who) => rollbacks.begin(projection, who),
    act: async (id, action, who) => {
      const shown = await operator.find(id)
      await stopOrGo(replay, shown, action, who)
      return { id: shown.id }
    },
    rate: async (id, recordsPerSecond, who) => {
      const shown = await operator.find(id)
      if (shown.state === 'strange') throw strange()
      if (shown.state !== 'building' && shown.state !== 'paused') {
        throw new Refused('NOT_NOW', `${shown.id} is ${shown.state}: only what is being built has a rate.`)
      }
      await operator.act(shown, 'rate', who, recordsPerSecond)
      return { id: shown.id }
    },
  }
}

function questionsOf(replay: ReplayPorts): Pick<ReplayPort, 'compare' | 'verify' | 'history' | 'progressAt'> {
  const recordsMax = REPLAY_ROUTE_LIMITS.historyRecordsMax
  return {
    compare: async (id, other, signal) => {
      const pair = await pairOf(replay, id, other)
      const { equal, states, tables } = await compareGenerations(replay, pair, { signal, looked: () => undefined })
      return {
        ...{ first: pair[0].id, second: pair[1].id, equal },
        states: states === undefined ? null : plain(states),
        tables: tables.map(plain),
      }
    },
    verify: async (projection, samplePercent, signal) => {
      const permyriad = Math.round(samplePercent * 100)
      return plain(await verify(replay, projection, { permyriad, signal, looked: () => undefined }))
    },
    history: async (asked, signal): Promise<HistoryFound> => {
      const { id: generation, projection } = (await replay.operator.plan(asked.projection)).read
      const { shown, steps, clockMs } = await askHistory(replay, asked, { signal, recordsMax })
      return {
        ...{ generation, clockMs, parameters: projection.parameters ?? null },
        states: shown.map((one) => plain(one) as unknown as HistoryFound['states'][number]),
        steps: steps.map(shownStep),
      }
    },
    progressAt: async ({ profileId, titleId }, moment, signal) => {
      const { projection } = (await replay.operator.plan('progress')).read
      const of = { profile_id: profileId, title_id: titleId }
      const asked = { projection: 'progress', of, moment, steps: false }
      const { shown, clockMs } = await askHistory(replay, asked, { signal, recordsMax })
      const state = shown[0]?.state
      if (state === undefined) return { row: undefined, clockMs }
      const columns = (projection.keyed?.shape.columns ?? []).map(({ name }) => state[name] ?? null)
      return { row: toRow(columns as StateCell[], [profileId, titleId], 0n), clockMs }
    },
  }
}

async function shownGeneration(replay: ReplayPorts, shown: Shown): Promise<GenerationShown> {
  const { projection, id, state, row } = shown
  const { foldVersion, parameters, build, untilMs, recordsPerSecond, askedAtMs, by, reason } = row
  const standing = (await standingFor(replay, shown)) ?? null
  return {
    ...{ id, projection, state, foldVersion, parameters, build, untilMs, recordsPerSecond },
    ...{ askedAtMs, by, reason, standing },
  }
}

function shownStep({ topic, partition, position, timestampMs, fate, detail, key, event, changes }: Step): HistoryStep {
  return {
    ...{ topic, partition, position, timestampMs, fate },
    detail: detail ?? null,
    key: key === undefined ? null : plain(key),
    event: event === undefined ? null : plainEvent(event),
    changes: changes.map(plain),
  }
}
